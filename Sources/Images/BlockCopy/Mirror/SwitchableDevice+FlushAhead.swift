import BlockIO
import CLinux
import Synchronization

/// What is written ahead of a pivot's flush, while nobody needs it: with both images taking every write, the flush that counts
/// has little left to do. A guest's write waits for pages that are on their way into a full queue of the disk, so most is
/// written back gently, in passes, before anything is flushed.
extension SwitchableDevice {
    /// Promises nothing to anybody. Ends early when the mirror is not in sync any more; throws when it is being cancelled.
    func flushAhead(_ mirror: MirrorDevice) throws(BlockError) {
        // An earlier attempt that stopped there has done this.
        if mirror.phase == .joining { return }
        var flushes = AheadPasses(most: 4)
        var took: UInt64 = 0
        repeat {
            var passes = AheadPasses(most: 8)
            repeat {
                took = try writeBackBoth(mirror)
                if mirror.reach.isCut { throw Self.notPrepared(mirror) }
                guard mirror.phase == .synchronised, mirror.dirty.isClean else { return }
            } while !passes.isEnough(after: took)
            let started = gantry_now()
            try ahead(mirror) { device throws(BlockError) in try device.flush() }
            took = gantry_now() - started
        } while !flushes.isEnough(after: took)
    }

    /// One pass over both images; nanoseconds.
    private func writeBackBoth(_ mirror: MirrorDevice) throws(BlockError) -> UInt64 {
        let started = gantry_now()
        let isOver: @Sendable () -> Bool = { mirror.reach.isCut || mirror.phase != .synchronised }
        try mirror.writeBackSource(unless: isOver)
        try ahead(mirror) { device throws(BlockError) in try device.writeBack(unless: isOver) }
        return gantry_now() - started
    }

    /// A destination that hangs keeps nobody who cancels waiting.
    private func ahead(
        _ mirror: MirrorDevice, _ body: @escaping @Sendable (any BlockDevice) throws(BlockError) -> Void
    ) throws(BlockError) {
        gate.lockShared()
        let destination = mirror.destination
        let generation = mirror.trust.withLock { $0.generation }
        gate.unlock()
        var isDone = false
        do throws(BlockError) {
            isDone = try mirror.apart(
                destination, of: generation, unless: { mirror.reach.isCut || mirror.phase != .synchronised }, body)
        } catch {
            // One that was replaced meanwhile is no concern of the mirror's any more: whoever asks may ask again.
            guard mirror.trust.withLock({ $0.generation }) == generation else { throw Self.notSynchronised(mirror) }
            throw error
        }
        if !isDone { throw Self.notPrepared(mirror) }
    }
}

/// Until when passes over what is dirty go on, while a guest makes more of it: until one took little time, or not much less
/// than the one before. A value.
struct AheadPasses {
    /// Nanoseconds.
    static let quick: UInt64 = 5_000_000

    private var before = UInt64.max
    private var left: Int

    init(most: Int) { left = most }

    /// After a pass that took so many nanoseconds.
    mutating func isEnough(after took: UInt64) -> Bool {
        left -= 1
        defer { before = took }
        return left <= 0 || took < Self.quick || took > before / 2
    }
}
