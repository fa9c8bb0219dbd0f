import BlockIO
import Synchronization

/// Work for which the blocks must hold still: no request has looked a block up and is still on its way to it.
extension DynamicVHD {
    /// Runs `body` while no request is in flight and none begins; they wait. Not from within a request, and only one
    /// at a time (with `commits` held).
    func alone(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        isAwaitingQuiet.store(true, ordering: .sequentiallyConsistent)
        lock.exclusive { isMoving = true }
        defer {
            lock.exclusive { isMoving = false }
            quiet.locked {
                isAwaitingQuiet.store(false, ordering: .sequentiallyConsistent)
                quiet.wakeAll()
            }
        }
        quiet.locked {
            while inFlight.load(ordering: .sequentiallyConsistent) != 0 { quiet.wait() }
        }
        try body()
    }

    /// Returns when nobody has the blocks for itself.
    func awaitMove() {
        quiet.locked {
            while isAwaitingQuiet.load(ordering: .sequentiallyConsistent) { quiet.wait() }
        }
    }
}
