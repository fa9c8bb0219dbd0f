import MetricArchives
import StorageInterface

/// The numbers that storage plugins measure, from what they write down.
struct PluginReadings: Sendable {
    /// Increases, summed up since the first look: a counter.
    private struct Sum: Sendable {
        var time: Double
        var total: Double
    }

    private var sums: [String: [String: Sum]] = [:]

    /// An SR and an owner that it tells of.
    struct Pair: Hashable, Sendable {
        let sr: String
        let owner: MetricOwner
    }

    /// The names that are in archives. A series stays there, and an archive has room for so many.
    private var archived: [Pair: Set<String>] = [:]
    private var told: Set<Pair> = []
    /// Those that have become full and were not told of yet.
    private var full: [Pair] = []

    static let mostArchived = 256

    /// Seconds. What is older is not how things are; a plugin that has ended leaves its file.
    private static let longest = 30.0
    /// Sums of an SR that are kept: more than its pages can hold, and not what a plugin with ever new names would take.
    private static let mostSums = 2048

    /// A plugin tells of its own SR, of the host, and of VMs; what it says of other SRs is left out.
    mutating func read(
        _ pages: [StorageMetrics], sr: String, host: String, at now: Double
    ) -> [(owner: MetricOwner, reading: Reading)] {
        // Of two pages that have the same, the first counts: `/metrics` has each once.
        var names: [MetricOwner: Set<String>] = [:]
        return pages.flatMap { page -> [(owner: MetricOwner, reading: Reading)] in
            let isFresh = abs(now - page.time) <= Self.longest
            return page.all.compactMap { metric in
                let owner: MetricOwner
                switch metric.owner {
                case .host: owner = .host(host)
                case .machine(let uuid): owner = .vm(uuid)
                case .repository(let uuid):
                    guard uuid == sr else { return nil }
                    owner = .sr(uuid)
                }
                guard names[owner, default: []].insert(metric.name).inserted else { return nil }
                let value = isFresh ? sample(metric, page.time, of: owner, sr: sr) : .nan
                var reading = Self.reading(metric, value, of: owner, sr: sr)
                reading.isArchived = reading.isArchived && isAdmitted(metric.name, Pair(sr: sr, owner: owner))
                return (owner, reading)
            }
        }
    }

    private mutating func isAdmitted(_ name: String, _ pair: Pair) -> Bool {
        let known = archived[pair] ?? []
        if known.contains(name) { return true }
        guard known.count < Self.mostArchived else {
            if told.insert(pair).inserted { full.append(pair) }
            return false
        }
        archived[pair, default: []].insert(name)
        return true
    }

    /// What was not told of yet.
    mutating func takeFull() -> [Pair] {
        defer { full = [] }
        return full
    }

    private mutating func sample(_ metric: StorageMetric, _ time: Double, of owner: MetricOwner, sr: String) -> Double {
        guard metric.kind == .increase else { return metric.value }
        let key = "\(owner.word)/\(owner.uuid)/\(metric.name)"
        guard var sum = sums[sr]?[key] else {
            if sums[sr]?.count ?? 0 >= Self.mostSums { sums[sr] = [:] }
            sums[sr, default: [:]][key] = Sum(time: time, total: 0)
            return 0
        }
        // The same writing is counted once.
        if time > sum.time, metric.value.isFinite { sum = Sum(time: time, total: sum.total + metric.value) }
        sums[sr]?[key] = sum
        return sum.total
    }

    private static func reading(
        _ metric: StorageMetric, _ sample: Double, of owner: MetricOwner, sr: String
    ) -> Reading {
        let labels = [
            Exposition.Label("sr", sr), .init("owner", owner.word), .init("owner_uuid", owner.uuid),
            .init("source", metric.name),
        ]
        let isGauge = metric.kind == .gauge
        let exposition =
            isGauge
            ? Exposition("gantry_plugin_value", .gauge, "What storage plugins measure.", labels: labels)
            : Exposition("gantry_plugin_count_total", .counter, "What storage plugins count.", labels: labels)
        return Reading(
            MetricSource(
                metric.name, metric.description, units: metric.units, kind: isGauge ? .gauge : .counter,
                minimum: metric.minimum, maximum: metric.maximum), sample, exposition, isArchived: metric.isDefault)
    }

    /// Forgets SRs that are not among `used`, and what they tell of others than `owners`.
    mutating func keep(_ used: Set<String>, _ owners: Set<MetricOwner>) {
        sums = sums.filter { used.contains($0.key) }
        archived = archived.filter { used.contains($0.key.sr) && owners.contains($0.key.owner) }
        told = told.filter { archived[$0] != nil }
    }

    /// Of owners that are looked at. A name that is there already, of ours or of another SR's plugin, means in the archive what
    /// it meant; only `/metrics` has the other, too.
    static func take(
        _ found: [(owner: MetricOwner, reading: Reading)], into seen: inout [MetricOwner: [Reading]],
        _ names: inout [MetricOwner: Set<String>]
    ) {
        for (owner, reading) in found where seen[owner] != nil {
            var reading = reading
            if reading.isArchived, names[owner, default: []].insert(reading.source.name).inserted == false {
                reading.isArchived = false
            }
            seen[owner]?.append(reading)
        }
    }
}
