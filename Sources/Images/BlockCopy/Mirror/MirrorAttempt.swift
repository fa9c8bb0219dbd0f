import BlockIO

/// One attempt to reach a mirror's destination again, on a thread of its own: a host that says nothing takes its time, up to a
/// minute, and who ends the mirror has none.
final class MirrorAttempt: @unchecked Sendable {
    // @unchecked: everything mutable is touched with `monitor` held.
    private let monitor: Monitor
    private var outcome: Result<any BlockDevice, BlockError>?
    private var isGivenUp = false

    private init(_ monitor: Monitor) { self.monitor = monitor }

    /// What `open` opens or throws. Throws `.cancelled` when `isOver` says so before; what is opened later is closed then.
    /// `monitor`: woken when `isOver` may have changed.
    static func reach(
        _ open: @escaping @Sendable () throws(BlockError) -> any BlockDevice, wokenBy monitor: Monitor,
        unless isOver: () -> Bool
    ) throws(BlockError) -> any BlockDevice {
        let attempt = MirrorAttempt(monitor)
        guard WorkerThread(ifPossible: "mirror-reach", { attempt.run(open) }) != nil else { return try open() }
        return try attempt.result(unless: isOver)
    }

    private func run(_ open: () throws(BlockError) -> any BlockDevice) {
        var result: Result<any BlockDevice, BlockError>
        do throws(BlockError) { result = .success(try open()) } catch { result = .failure(error) }
        let isLate = monitor.locked {
            if !isGivenUp { outcome = result }
            monitor.wakeAll()
            return isGivenUp
        }
        if isLate, case .success(let device) = result {
            device.interrupt()
            try? device.close()
        }
    }

    private func result(unless isOver: () -> Bool) throws(BlockError) -> any BlockDevice {
        monitor.lock()
        defer { monitor.unlock() }
        while outcome == nil, !isOver() { monitor.wait() }
        guard let outcome else {
            isGivenUp = true
            throw BlockError(.cancelled, "the mirror has ended while its destination was being reached")
        }
        return try outcome.get()
    }
}
