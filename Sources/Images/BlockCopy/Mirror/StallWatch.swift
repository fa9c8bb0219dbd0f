import CLinux
import CoreTypes
import Synchronization

/// Whether writes to storage have stopped ending although some are under way, as those to a file on a server that is gone. A
/// value, asked now and then with what was counted.
struct StallWatch {
    private var ended: UInt64 = 0
    /// Since when nothing has ended, nanoseconds of any clock; nil: nothing was under way.
    private var since: UInt64?

    /// `begun`, `ended`: writes ever, the latter counted first. True when none has ended for longer than `patience`, nanoseconds.
    mutating func isStalled(begun: UInt64, ended: UInt64, at now: UInt64, patience: UInt64) -> Bool {
        if begun <= ended || ended != self.ended || since == nil {
            self.ended = ended
            since = begun <= ended ? nil : now
            return false
        }
        return now - (since ?? now) > patience
    }
}

extension MirrorCopier {
    private static let look: UInt64 = 50_000_000

    /// The thread that watches a destination which no peer answers for: who writes there hangs in the kernel, and can be
    /// answered by nobody else, but those who come later need not follow (`MirrorDevice.isStalled`).
    func watch() {
        var watch = StallWatch()
        while !stopping.isCancelled {
            sleep(nanoseconds: Self.look)
            switch mirror.phase {
            case .dual, .undecided, .finished: return mirror.setStalled(false)
            default: break
            }
            let counts = mirror.use.counts
            mirror.setStalled(
                watch.isStalled(
                    begun: counts.begun, ended: counts.ended, at: gantry_now(), patience: mirror.controls.patience))
        }
    }
}
