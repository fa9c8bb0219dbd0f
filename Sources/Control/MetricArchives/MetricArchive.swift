/// What is remembered of one owner's numbers: a fixed amount, the older the coarser. A value; its user brings the time.
public struct MetricArchive: Sendable {
    /// Series at most: who names more is not served.
    public static let seriesLimit = 4096
    /// Up to so many missing points a late sample stands for them too; a longer silence is unknown.
    static let bridged: Int64 = 2
    /// A clock set back by more than this many points begins a new history.
    static let backwards: Int64 = 720

    /// The number of the newest point: its time divided by the primary step. 0 before the first.
    public internal(set) var lastPoint: Int64 = 0
    var series: [Series] = []
    private var positions: [String: Int] = [:]
    /// Sources that are not recorded, by wish.
    public internal(set) var forgotten: Set<String> = []

    public init() {}

    /// As it was kept.
    init(lastPoint: Int64, series: [Series], forgotten: Set<String>) {
        self.lastPoint = lastPoint
        self.series = series
        self.forgotten = forgotten
        positions = Dictionary(
            series.enumerated().map { ($1.source.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Seconds since 1970 of the newest point.
    public var lastUpdate: Int64 { lastPoint * ArchiveLevel.primaryStep }
    public var names: [String] { series.map(\.source.name) }
    public var sources: [MetricSource] { series.map(\.source) }
    public func source(_ name: String) -> MetricSource? { positions[name].map { series[$0].source } }
    /// The newest value; NaN when it is not known, nil when there is no such source.
    public func value(_ name: String) -> Double? { positions[name].map { series[$0].value } }

    /// Takes one look at everything, at `time` seconds since 1970. Sources that are new get a series, those that are
    /// missing a gap. A second look within one step changes nothing; false then.
    @discardableResult
    public mutating func record(_ readings: [Reading], at time: Double) -> Bool {
        guard time.isFinite, time > 0, time < 1e12 else { return false }
        let point = Int64(time) / ArchiveLevel.primaryStep
        if point + Self.backwards < lastPoint { self = MetricArchive(lastPoint: 0, series: [], forgotten: forgotten) }
        guard point > lastPoint else { return false }
        let missing = lastPoint == 0 ? 0 : point - lastPoint - 1
        if lastPoint == 0 { lastPoint = point - 1 }
        var samples: [String: Double] = [:]
        for reading in readings where reading.isArchived && !forgotten.contains(reading.source.name) {
            let name = reading.source.name
            samples[name] = reading.sample
            if let position = positions[name] {
                series[position].source = reading.source
            } else if series.count < Self.seriesLimit {
                positions[name] = series.count
                series.append(Series(reading.source, after: lastPoint))
            }
        }
        for index in series.indices {
            let value = series[index].take(samples[series[index].source.name], at: time)
            if missing <= Self.bridged {
                for _ in 0..<missing { series[index].push(value) }
            } else {
                series[index].pushUnknown(missing)
            }
            series[index].push(value)
        }
        lastPoint = point
        return true
    }

    /// Throws the history of a source away and records it no more.
    public mutating func forget(_ name: String) {
        forgotten.insert(name)
        series.removeAll { $0.source.name == name }
        positions = Dictionary(
            series.enumerated().map { ($1.source.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Records a source again.
    public mutating func resume(_ name: String) { forgotten.remove(name) }
}
