import BlockIO
import CLinux
import Synchronization

/// A flush of a mirror's destination on a thread of its own, so that a guest who asks for one need not wait for a peer that
/// says nothing. What fails there the mirror hears of, however late.
final class MirrorFlush: @unchecked Sendable {
    // @unchecked: `isOver` is touched with `monitor` held.
    private let monitor = Monitor()
    private var isOver = false

    private init() {}

    static func begin(of mirror: MirrorDevice) -> MirrorFlush {
        let flush = MirrorFlush()
        let device = mirror.destination
        let generation = mirror.trust.withLock { $0.generation }
        let body: @Sendable () -> Void = {
            mirror.flushDestination(device, of: generation)
            flush.monitor.locked {
                flush.isOver = true
                flush.monitor.wakeAll()
            }
        }
        if WorkerThread(ifPossible: "mirror-flush", body) == nil { body() }
        return flush
    }

    /// Waits for it, for so many nanoseconds at most.
    func isOver(within nanoseconds: UInt64) -> Bool {
        let end = gantry_now() &+ nanoseconds
        return monitor.locked {
            while !isOver, case let now = gantry_now(), now < end { monitor.wait(nanoseconds: end - now) }
            return isOver
        }
    }
}
