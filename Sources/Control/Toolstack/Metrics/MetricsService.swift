import APITypes
import DatapathControl
import Foundation
import Guests
import Logging
public import MetricArchives
import PoolDatabase
import StorageInterface

/// Looks at the host, its guests and their disks every five seconds and keeps what it saw.
///
/// Archives of what runs are in memory; every ten minutes, and when something ends, they are written to `STATE/metrics`,
/// a file each. What is not written when the daemon is killed is a gap in the curves.
public actor MetricsService {
    private let context: StorageContext
    private let guests: GuestHost
    private let host: String
    private let files: ArchiveFiles
    private let machine = MachineReadings()
    private var archives: [MetricOwner: MetricArchive] = [:]
    /// The newest look at everything, for `/metrics`.
    private var latest: [Reading] = []
    private var current: [MetricOwner: [Reading]] = [:]
    private var totals = DiskTotals()
    private var disks = DiskReadings()
    private var plugins = PluginReadings()
    private var polls: Set<String> = []
    /// Data paths that answered when they were asked last, and those that did not, by VDI.
    private(set) var answering: Set<String> = []
    private(set) var silent: Set<String> = []
    private var lastSave = ContinuousClock.now

    private static let saveInterval = Duration.seconds(600)
    /// How long a look waits for data paths; those that are slower are asked again at a later one.
    private static let pollPatience = Duration.seconds(1)

    init(context: StorageContext, guests: GuestHost, host: String, folder: String) throws {
        self.context = context
        self.guests = guests
        self.host = host
        files = try ArchiveFiles(folder: folder)
    }

    /// Looks for ever, at the times that are multiples of the step.
    func run() async {
        removeStrangers()
        archives[.host(host)] = files.load(.host(host)) ?? MetricArchive()
        while !Task.isCancelled {
            let now = Date().timeIntervalSince1970
            let step = Double(ArchiveLevel.primaryStep)
            try? await Task.sleep(for: .seconds(step - now.truncatingRemainder(dividingBy: step)))
            if Task.isCancelled { return }
            await look(at: Date().timeIntervalSince1970)
            if ContinuousClock.now - lastSave > Self.saveInterval { save() }
        }
    }

    /// One look. Public numbers change here and nowhere else.
    func look(at time: Double) async {
        await poll()
        let scene = Scene(context.database, host: context.host)
        var seen: [MetricOwner: [Reading]] = [:]
        seen[.host(host)] = machine.read(host: host, hostname: scene.hostname, interfaces: scene.interfaces)
        for vm in scene.machines { seen[.vm(vm.uuid)] = readings(of: vm) }
        for sr in scene.repositories {
            let all = readings(of: sr)
            seen[.sr(sr.uuid)] = all
            seen[.host(host)]? += DiskReadings.ofHost(
                all.filter { !$0.source.name.hasPrefix("physical_") }, sr: sr.uuid)
        }
        var names = seen.mapValues { Set($0.map(\.source.name)) }
        for sr in scene.repositories { PluginReadings.take(pluginReadings(of: sr, at: time), into: &seen, &names) }
        plugins.keep(Set(scene.repositories.map(\.uuid)), Set(seen.keys))
        for pair in plugins.takeFull() {
            context.logger.warning(
                "a storage plugin measures under too many names; \(PluginReadings.mostArchived) are archived",
                metadata: ["sr": "\(pair.sr)", "owner": "\(pair.owner.word) \(pair.owner.uuid)"])
        }
        for (owner, readings) in seen {
            var archive = archives[owner] ?? files.load(owner) ?? MetricArchive()
            archive.record(readings, at: time)
            archives[owner] = archive
        }
        for owner in archives.keys where seen[owner] == nil {
            // It has ended; its history stays as long as its row.
            if let archive = archives.removeValue(forKey: owner), scene.exists(owner) { store(archive, of: owner) }
        }
        let used = Set(seen.keys.map(\.uuid))
        disks.keep { key in used.contains(String(key.split(separator: "/")[key.hasPrefix("sr/") ? 1 : 0])) }
        current = seen
        latest = seen.sorted { ($0.key.word, $0.key.uuid) < ($1.key.word, $1.key.uuid) }.flatMap(\.value)
    }

    private func readings(of vm: Scene.Machine) -> [Reading] {
        guard let pid = guests.processID(vm.uuid) else { return [] }
        let guest = GuestReadings.Guest(
            uuid: vm.uuid, name: vm.name, pid: pid, vcpus: vm.vcpus, memory: vm.memory)
        var all = GuestReadings.read(guest)
        for disk in vm.disks {
            guard let counters = totals[disk.vdi] else { continue }
            all += disks.disk(device: disk.device, counters, vm: GuestReadings.labels(guest))
        }
        return all
    }

    private func readings(of sr: Scene.Repository) -> [Reading] {
        let labels = [Exposition.Label("sr", sr.uuid), Exposition.Label("name", sr.name)]
        let counters = totals.repositories[sr.uuid] ?? DatapathCounters()
        var all = disks.repository(sr.uuid, counters, labels: labels)
        for (name, what, family, value) in [
            ("physical_size", "Size of the repository", "gantry_sr_size_bytes", sr.size),
            ("physical_utilisation", "Space in use", "gantry_sr_physical_utilisation_bytes", sr.utilisation),
        ] {
            all.append(
                Reading(
                    MetricSource(name, what, units: "B"), Double(value),
                    Exposition(family, .gauge, "\(what), in bytes.", labels: labels)))
        }
        return all
    }

    private func pluginReadings(of sr: Scene.Repository, at time: Double) -> [(owner: MetricOwner, reading: Reading)] {
        guard let attached = try? context.attached(sr.ref) else { return [] }
        return plugins.read(attached.manager.metrics(attached.repository), sr: sr.uuid, host: host, at: time)
    }

    // MARK: Data paths

    /// Asks every data path for its counters, all at once.
    private func poll() async {
        let records = context.database.privateRecords(kind: DiskActivation.recordKind)
        totals.keep(Set(records.keys))
        answering.formIntersection(records.keys)
        silent.formIntersection(records.keys)
        for (vdi, id) in records where polls.insert(vdi).inserted {
            let sr = context.database.read { reader -> String? in
                reader.find(VDI.self, uuid: vdi).flatMap { reader.row($0[VDI.sr]) }?[SR.uuid]
            }
            Task {
                let status = try? await context.disks.host.handle(id)?.client.status()
                answered(vdi, sr: sr, status)
            }
        }
        let deadline = ContinuousClock.now + Self.pollPatience
        while !polls.isEmpty, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
    }

    private func answered(_ vdi: String, sr: String?, _ status: DatapathStatus?) {
        polls.remove(vdi)
        if status == nil {
            answering.remove(vdi)
            silent.insert(vdi)
        } else {
            silent.remove(vdi)
            answering.insert(vdi)
        }
        if let counters = status?.counters, let sr { totals.take(counters, vdi: vdi, sr: sr) }
    }

    // MARK: Questions

    /// The text of `/metrics`.
    public func exposition() -> String { Exposition.text(latest) }

    /// What `/rrd_updates` answers: the VMs that run (or the one of `vm`), the host when `withHost`, the SR of `sr`
    /// (`all` for all of them).
    public func updates(_ query: UpdatesQuery, withHost: Bool, vm: String?, sr: String?) -> UpdatesExport {
        let chosen = archives.filter { owner, _ in
            switch owner {
            case .host: withHost
            case .vm(let uuid): sr == nil && (vm == nil || vm == uuid)
            case .sr(let uuid): sr == uuid || sr == "all"
            }
        }
        let sorted = chosen.sorted { ($0.key.word, $0.key.uuid) < ($1.key.word, $1.key.uuid) }
        return UpdatesExport(sorted.map { (owner: $0.key, archive: $0.value) }, query)
    }

    /// The whole archive of `owner`, also of one that is not in use now; nil when there is none.
    public func archive(_ owner: MetricOwner) -> MetricArchive? { archives[owner] ?? files.load(owner) }

    /// Points that the clocks of two pools may be apart.
    private static let clocksApart: Int64 = 60

    /// The history of something that comes from elsewhere takes the place of the one that began here. Throws INVALID_VALUE [numbers, text]
    /// when it is of a time to come: nothing would be recorded until then.
    func adopt(_ archive: MetricArchive, of owner: MetricOwner) throws {
        let now = Int64(Date().timeIntervalSince1970) / ArchiveLevel.primaryStep
        guard archive.lastPoint <= now + Self.clocksApart else {
            throw APIError("INVALID_VALUE", "numbers", "they are of a time to come: compare the clocks of both pools")
        }
        // The next look writes what does not run to its file and lets go of it.
        archives[owner] = archive
        store(archive, of: owner)
    }

    public var hostOwner: MetricOwner { .host(host) }

    /// Share of busy time by processor, where it is known.
    var processorUsage: [Int64: Double] {
        var all: [Int64: Double] = [:]
        for name in archives[.host(host)]?.names ?? [] where name.hasPrefix("cpu") {
            guard let number = Int64(name.dropFirst("cpu".count)), let value = archives[.host(host)]?.value(name),
                !value.isNaN
            else { continue }
            all[number] = value
        }
        return all
    }

    /// What is there to record of `owner` now, and whether it is recorded.
    func sources(_ owner: MetricOwner) -> [(source: MetricSource, isRecorded: Bool, value: Double)] {
        let archive = archives[owner]
        return (current[owner] ?? []).filter(\.isArchived).map { reading in
            // From the moment that somebody asks, not from the next look on.
            let isRecorded = archive?.forgotten.contains(reading.source.name) != true
            return (reading.source, isRecorded, archive?.value(reading.source.name) ?? .nan)
        }
    }

    /// False: there is no such source.
    func record(_ name: String, of owner: MetricOwner, _ isWanted: Bool) -> Bool {
        let isThere = sources(owner).contains { $0.source.name == name }
        guard isThere || archives[owner]?.names.contains(name) == true else { return false }
        if isWanted { archives[owner]?.resume(name) } else { archives[owner]?.forget(name) }
        return true
    }

    // MARK: Files

    /// Writes what is in memory.
    func save() {
        lastSave = .now
        for (owner, archive) in archives { store(archive, of: owner) }
    }

    private func store(_ archive: MetricArchive, of owner: MetricOwner) {
        do {
            try files.store(archive, of: owner)
        } catch {
            context.logger.warning(
                "an archive of metrics cannot be written", metadata: ["owner": "\(owner.uuid)", "error": "\(error)"])
        }
    }

    /// Removes the files of owners that are gone.
    private func removeStrangers() {
        let scene = Scene(context.database, host: context.host)
        files.keep { scene.exists($0) }
    }
}
