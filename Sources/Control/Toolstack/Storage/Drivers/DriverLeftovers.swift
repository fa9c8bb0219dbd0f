import Foundation
import Logging
import StoragePlugins

/// Runs of storage drivers that a killed toolstack left behind. Such a run may still change disks (coalesce, copy, move a
/// mount), so nobody asks any driver for anything before all of them are over: they are waited for, up to what was left of
/// their time, and then killed.
struct DriverLeftovers: Sendable {
    /// Where the runs are recorded.
    let folder: String
    let timeLimit: Duration
    let logger: Logger

    func end() async {
        await withTaskGroup(of: Void.self) { group in
            for run in PluginRecord.left(in: folder) { group.addTask { await end(run) } }
        }
    }

    private func end(_ run: PluginRecord) async {
        logger.notice("a storage driver of an earlier toolstack still runs", metadata: ["pid": "\(run.pid)"])
        // Whole seconds, as a poll can count them.
        let left = min((timeLimit - run.age).components.seconds, 1_000_000)
        if left > 0, await ChildProcess.awaitEnd(of: run.pid, startedAt: run.startTime, seconds: Int32(left)) {
            return run.remove()
        }
        logger.error("a storage driver of an earlier toolstack is killed", metadata: ["pid": "\(run.pid)"])
        if run.isAlive { kill(-run.pid, SIGKILL) }
        if await ChildProcess.awaitEnd(of: run.pid, startedAt: run.startTime, seconds: 5) { return run.remove() }
        // Storage that does not answer keeps it in the kernel: it dies before it gets to do anything else.
        logger.error("a killed storage driver is held by its storage", metadata: ["pid": "\(run.pid)"])
    }
}
