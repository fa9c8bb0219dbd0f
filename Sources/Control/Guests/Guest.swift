import Glibc
import Synchronization

/// One guest: its record on disk, its QEMU, and what QEMU said about it last.
/// Changes of different disks may run at the same time; each step of them is atomic under the lock.
final class Guest: Sendable {
    /// Called once on the monitor's thread when QEMU is gone, after the guest's folder was removed.
    /// The reason is nil when the guest never ran: then `begin` throws.
    typealias EndHandler = @Sendable (Guest, GuestStopReason?) -> Void
    typealias EventHandler = @Sendable (GuestEvent) -> Void

    let uuid: String
    let folder: GuestFolder
    let monitor: QEMUMonitor
    private let report: EventHandler
    private let finished: EndHandler

    struct State {
        /// During a passage: what it was before.
        var phase: GuestState
        var record: GuestRecord
        var motion: GuestMotion
        var waits: [MotionWait] = []
        /// QEMU is gone.
        var ended: GuestError?
        /// Its end is nobody's news.
        var isDismissed = false
        /// Why it ended, when nobody was told because it was held.
        var untold: GuestStopReason?
        /// The reason of QEMU's SHUTDOWN event, when there was one.
        var shutdown: (byGuest: Bool, reason: String)?
        var stopRequested = false
    }
    let state: Mutex<State>

    /// Takes charge of the QEMU that `record` names.
    init(
        record: GuestRecord, folder: GuestFolder, report: @escaping EventHandler, finished: @escaping EndHandler
    ) throws(GuestError) {
        uuid = record.specification.uuid
        self.folder = folder
        self.report = report
        self.finished = finished
        monitor = try QEMUMonitor(pid: record.pid, folder: folder)
        state = Mutex(State(phase: .starting, record: record, motion: GuestMotion(adopting: record)))
    }

    var phase: GuestState { state.withLock { $0.phase } }
    var specification: GuestSpecification { state.withLock { $0.record.specification } }
    var pid: Int32 { monitor.pid }
    var untold: GuestStopReason? { state.withLock { $0.untold } }

    /// Lets the guest run for the first time, or be ready to when it begins paused. On an error QEMU is gone.
    func begin(paused: Bool) async throws(GuestError) {
        monitor.start(self)
        do throws(GuestError) {
            try await monitor.connected(within: .seconds(30))
            // Recorded before it is true: a guest that runs must never be taken for one that does not.
            try change {
                $0.hasRun = true
                $0.waits = paused ? true : nil
            }
            if paused {
                state.withLock { if $0.phase == .starting { $0.phase = .paused } }
                return
            }
            try await monitor.execute("cont")
            state.withLock { if $0.phase == .starting { $0.phase = .running } }
        } catch {
            try? await end(grace: .zero)
            throw GuestError(.startFailed, error.message, guest: uuid, systemError: error.systemError)
        }
    }

    /// Takes over a guest that was begun by an earlier process.
    func resume() async {
        state.withLock { if $0.record.hasRun { $0.phase = $0.record.wasPaused == true ? .paused : .running } }
        monitor.start(self)
        if passage != nil {
            await takeStock()
            if passage != nil || !state.withLock({ $0.record.hasRun }) { return }
        }
        guard let status = try? await monitor.execute("query-status", atMost: .seconds(10)) else { return }
        if status["status"]?.text == "prelaunch", state.withLock({ $0.record.waits == true }) {
            state.withLock { $0.phase = .paused }
        } else if status["status"]?.text == "prelaunch" {
            // Recorded as begun, and then the daemon died: the order to run it stands.
            _ = try? await monitor.execute("cont")
        } else if status["running"]?.bool == false, status["status"]?.text != "shutdown" {
            state.withLock { $0.phase = .paused }
        }
        await forgetMissingDisks()
        await forgetMissingDiscs()
    }

    /// Holds the guest's processors. QEMU completes and flushes what the guest has asked of its disks before it answers.
    func pause() async throws(GuestError) {
        try requireSettled("pausing")
        try await monitor.execute("stop")
        state.withLock { if $0.phase == .running { $0.phase = .paused } }
    }

    func unpause() async throws(GuestError) {
        try requireSettled("going on")
        // Recorded before it is done: who takes the guest over must not find one that waits for nobody.
        if state.withLock({ $0.record.waits == true }) { try change { $0.waits = nil } }
        try await monitor.execute("cont")
        state.withLock { if $0.phase == .paused { $0.phase = .running } }
    }

    /// One that is about to go elsewhere would end there.
    func powerDown() async throws(GuestError) {
        try requireSettled("shutting down")
        try await monitor.execute("system_powerdown")
    }

    /// Asks QEMU to quit, and kills it when it has not within `grace`. Returns when it is gone. Throws `.timedOut` when it does not
    /// go: a process that waits for its storage in the kernel has its disks still, and the guest stays in the table.
    func end(grace: Duration) async throws(GuestError) {
        state.withLock { $0.stopRequested = true }
        if grace > .zero {
            let monitor = monitor
            Task { _ = try? await monitor.execute("quit", atMost: grace) }
            if await monitor.ended(within: grace) { return }
        }
        monitor.kill()
        guard await monitor.ended(within: .seconds(60)) else {
            throw GuestError(
                .timedOut, "QEMU (process \(pid)) was killed and does not end: look what its storage waits for",
                guest: uuid)
        }
    }
}

// MARK: Disks

extension Guest {
    func plug(_ disk: GuestDisk) async throws(GuestError) {
        try requireSettled("plugging a disk")
        try disk.check()
        await freeAbandonedPorts()
        let port = try reservePort(for: disk)
        do throws(GuestError) {
            try await monitor.execute("blockdev-add", QEMUCommandLine.node(disk, port: port))
            do throws(GuestError) {
                try await monitor.execute("device_add", QEMUCommandLine.device(disk, port: port, boots: false))
            } catch {
                _ = try? await monitor.execute("blockdev-del", ["node-name": .string(RootPorts.node(port))])
                throw error
            }
        } catch {
            try? change { $0.remove(disk: disk.id) }
            throw error
        }
    }

    /// Waits until the guest has let go of the disk, at most `limit`.
    func unplug(diskID: String, atMost limit: Duration) async throws(GuestError) {
        try requireSettled("unplugging a disk")
        guard let port = state.withLock({ $0.record.ports[diskID] }) else {
            throw GuestError(.invalidSpecification, "the guest has no disk \(diskID)", guest: uuid)
        }
        if try await deviceExists(port) {
            try await monitor.removeDevice(RootPorts.device(port), atMost: limit)
        }
        try await monitor.execute("blockdev-del", ["node-name": .string(RootPorts.node(port))])
        try change { $0.remove(disk: diskID) }
    }

    /// The ports of disks that were cut off.
    var abandonedPorts: [Int] { state.withLock { $0.record.abandoned ?? [] } }

    func port(of diskID: String) -> Int? { state.withLock { $0.record.ports[diskID] } }

    /// False when the guest has let go of the disk already, say after an unplug that had timed out.
    func deviceExists(_ port: Int) async throws(GuestError) -> Bool {
        let list = try await monitor.execute("qom-list", ["path": "/machine/peripheral"])
        return list.elements?.contains { $0["name"]?.text == RootPorts.device(port) } ?? false
    }

    private func reservePort(for disk: GuestDisk) throws(GuestError) -> Int {
        var chosen: Int?
        try change { (record) throws(GuestError) in
            guard record.ports[disk.id] == nil else {
                throw GuestError(.exists, "the guest has the disk \(disk.id) already")
            }
            guard
                let port = RootPorts.choose(
                    position: disk.position, taken: Array(record.ports.values) + (record.abandoned ?? []))
            else {
                throw GuestError(.invalidSpecification, "a guest has at most \(RootPorts.count) disks")
            }
            record.ports[disk.id] = port
            record.specification.disks.append(disk)
            chosen = port
        }
        guard let chosen else { throw GuestError(.exists, "no root port is free") }
        return chosen
    }

    /// Drops disks from the record that QEMU does not have: the daemon died in the middle of a change.
    private func forgetMissingDisks() async {
        guard let nodes = try? await monitor.execute("query-named-block-nodes", ["flat": true]).elements else { return }
        let names = Set(nodes.compactMap { $0["node-name"]?.text })
        try? change { record in
            for (disk, port) in record.ports where !names.contains(RootPorts.node(port)) { record.remove(disk: disk) }
        }
    }

    /// Changes the record in memory and on disk, or neither.
    func change(_ body: (inout GuestRecord) throws(GuestError) -> Void) throws(GuestError) {
        let outcome = state.withLock { state -> Result<Void, GuestError> in
            do throws(GuestError) {
                var record = state.record
                try body(&record)
                try record.write(to: folder.record)
                state.record = record
                return .success(())
            } catch {
                return .failure(error.of(guest: uuid))
            }
        }
        try outcome.get()
    }
}

extension GuestRecord {
    mutating func remove(disk id: String) {
        ports[id] = nil
        specification.disks.removeAll { $0.id == id }
    }
}

// MARK: What the monitor hears

extension Guest: QEMUMonitorListener {
    func qemuSaid(event: String, data: QMPValue) {
        switch event {
        case "SHUTDOWN":
            state.withLock { $0.shutdown = (data["guest"]?.bool ?? false, data["reason"]?.text ?? "") }
        case "RESET":
            if data["guest"]?.bool == true { report(.reset(uuid)) }
        case "STOP":
            // One for a passage is not the guest's, nor anybody's news.
            if passage != nil {
                try? move { (motion, _) in motion.heardStop() }
                return
            }
            state.withLock { $0.phase = .paused }
            report(.paused(uuid))
        case "RESUME":
            if passage != nil {
                try? move { (motion, _) in motion.heardResume() }
                // The order to run is carried out, whether or not its answer comes.
                if passage == nil { state.withLock { if $0.phase == .starting { $0.phase = .running } } }
                return
            }
            // The first one is part of starting.
            let again = state.withLock { state in
                defer { state.phase = .running }
                return state.phase == .paused
            }
            if again { report(.resumed(uuid)) }
        case "MIGRATION":
            guard let status = data["status"]?.text else { return }
            try? move { (motion, _) in motion.heard(status: status) }
        case "BLOCK_IO_ERROR":
            let node = data["node-name"]?.text
            let disk = state.withLock { $0.record.ports.first { RootPorts.node($0.value) == node }?.key }
            report(
                .diskError(
                    uuid, diskID: disk, operation: data["operation"]?.text ?? "",
                    message: data["reason"]?.text ?? "input/output error"))
        default:
            break
        }
    }

    func qemuEnded(status: Int32?) -> GuestError {
        let tail = folder.logTail()
        let how = status.map(Self.describe) ?? "QEMU ended"
        let text = tail.isEmpty ? how : "\(how): \(tail)"
        let error = GuestError(.disconnected, text, guest: uuid)
        let (isNews, reason) = state.withLock { state -> (Bool, GuestStopReason) in
            // One that was handed over, or may have been, runs elsewhere: nothing has ended.
            let isAnybodys = state.phase != .starting && !state.isDismissed
            let isNews = isAnybodys && state.motion.role != .held
            state.phase = .stopped
            let reason = Self.reason(state.shutdown, stopRequested: state.stopRequested, text)
            if isAnybodys, !isNews { state.untold = reason }
            return (isNews, reason)
        }
        folder.remove()
        finished(self, isNews ? reason : nil)
        // Only now: whoever is told finds nothing left of it, those who ask at this moment, too.
        let waits = state.withLock { state in
            state.ended = error
            defer { state.waits = [] }
            return state.waits
        }
        for wait in waits { wait.continuation.resume(returning: .failure(error)) }
        return error
    }

    private static func reason(
        _ shutdown: (byGuest: Bool, reason: String)?, stopRequested: Bool, _ text: String
    ) -> GuestStopReason {
        if shutdown?.reason == "guest-panic" { return .guestPanic }
        if shutdown?.reason == "guest-reset", !stopRequested { return .guestReboot }
        if shutdown?.byGuest == true { return .guestShutdown }
        if stopRequested || shutdown != nil { return .hostRequest }
        return .crashed(text)
    }

    /// A wait status in words.
    static func describe(_ status: Int32) -> String {
        let signal = status & 0x7f
        return signal == 0 ? "QEMU ended with status \((status >> 8) & 0xff)" : "QEMU was killed by signal \(signal)"
    }
}
