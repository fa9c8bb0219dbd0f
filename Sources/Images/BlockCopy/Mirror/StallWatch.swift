import CLinux
import CoreTypes
import Glibc
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
    /// answered by nobody else, but those who come later need not follow (`MirrorDevice.isLeftOut`).
    func watch() {
        var (writes, copies) = (StallWatch(), StallWatch())
        while !stopping.isCancelled {
            sleep(nanoseconds: Self.look)
            switch mirror.phase {
            case .dual, .undecided, .finished: return mirror.setStalled(writes: false, copies: false)
            default: break
            }
            let patience = mirror.controls.patience
            func isStalled(_ watch: inout StallWatch, _ use: DestinationUse) -> Bool {
                let counts = use.counts
                return watch.isStalled(
                    begun: counts.begun, ended: counts.ended, at: gantry_now(), patience: patience)
            }
            mirror.setStalled(writes: isStalled(&writes, mirror.use), copies: isStalled(&copies, mirror.copying))
            giveBackOverdue()
            mirror.takeUpWhenLeft()
        }
        // Whoever ends the copier waits for what it hangs in; guests do not.
        while copiers.load(ordering: .acquiring) > 0 {
            giveBackOverdue()
            usleep(1000)
        }
    }

    /// Who waits for these would wait for the copier, and it for the storage.
    private func giveBackOverdue() {
        let patience = mirror.controls.patience
        for range in held.takeOverdue(at: gantry_now(), patience: patience) { mirror.locks.release(range) }
    }
}
