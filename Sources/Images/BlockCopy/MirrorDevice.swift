import BlockIO
import CoreTypes
import Synchronization

/// The filter above a source image while it is mirrored to a destination: guest requests pass through it, and a copier
/// (`MirrorCopier`) fills the destination behind them. `SwitchableDevice` puts it in and takes it out.
///
/// - A write goes to the source; where the granule has been copied already, also to the destination before it is answered.
/// - A failure of the destination never reaches the guest: the granules are dirty again and the mirror is broken.
/// - Every write holds its byte range, and so does the copier: overlapping writes reach both images in the same order.
/// - In `dual` a write is answered only when both images have it; if one refuses, the request fails with `undecidedError`,
///   which `SwitchableDevice` turns into waiting for the decision and trying again on the winner.
final class MirrorDevice: Sendable {
    let source: any BlockDevice
    let destination: any BlockDevice
    let dirty: DirtyMap
    let locks = RangeLocks()
    private let state = Mutex(MirrorState())
    private let failure = Mutex<BlockError?>(nil)
    private let refusal = Mutex<MirrorSide?>(nil)

    /// Both devices have at least the source's size. The destination reads as zeroes.
    init(source: any BlockDevice, destination: any BlockDevice) {
        self.source = source
        self.destination = destination
        dirty = DirtyMap(size: source.size, dirty: true)
    }

    /// Thrown for a request that cannot be answered before the pivot is decided.
    static let undecidedError = BlockError(.undecided, "the mirror's pivot is undecided")

    var phase: MirrorState.Phase { state.withLock { $0.phase } }
    /// Why the mirror is broken, or why the pivot is undecided.
    var error: BlockError? { failure.withLock { $0 } }

    /// Which image made the pivot undecided, the first to refuse; nil when none has.
    var failedSide: MirrorSide? { refusal.withLock { $0 } }

    /// Hands an event to the state; false when it is not legal now.
    @discardableResult
    func handle(_ event: MirrorState.Event, because error: BlockError? = nil) -> Bool {
        if let error { failure.withLock { if $0 == nil { $0 = error } } }
        return state.withLock { $0.handle(event) }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        switch phase {
        case .dual:
            // Both hold the same; the destination is the one that is about to be alone.
            do throws(BlockError) {
                try unsafe destination.read(into: buffer, at: offset)
            } catch {
                try unsafe source.read(into: buffer, at: offset)
            }
        case .undecided: throw Self.undecidedError
        default: try unsafe source.read(into: buffer, at: offset)
        }
    }

    /// One change of content, in the form of what it does to a device within a part of the request's range.
    private typealias Change = (any BlockDevice, Range<UInt64>) throws(BlockError) -> Void

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        // SAFETY: the parts handed to the closure lie inside `offset ..< offset + data.count`.
        try change(offset..<offset + UInt64(data.count)) { device, part throws(BlockError) in
            let lower = Int(part.lowerBound - offset)
            let slice = unsafe UnsafeRawBufferPointer(
                rebasing: data[lower..<lower + Int(part.upperBound - part.lowerBound)])
            try unsafe device.write(slice, at: part.lowerBound)
        }
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try change(offset..<offset + length) { device, part throws(BlockError) in
            try device.writeZeroes(
                at: part.lowerBound, length: part.upperBound - part.lowerBound, mayUnmap: mayUnmap)
        }
    }

    private func change(_ range: Range<UInt64>, _ apply: Change) throws(BlockError) {
        locks.acquire(range)
        defer { locks.release(range) }
        switch phase {
        case .undecided: throw Self.undecidedError
        case .dual:
            try onBoth { device throws(BlockError) in try apply(device, range) }
        case .broken, .finished:
            try apply(source, range)
        case .copying, .synchronised:
            do throws(BlockError) {
                try apply(source, range)
            } catch {
                // What the source holds now is unknown: the destination must be made like it again.
                dirty.mark(range.lowerBound, range.upperBound - range.lowerBound)
                throw error
            }
            try repeatOnDestination(range, apply)
        }
    }

    /// Applies the change to the clean parts of the range at the destination; a failure there stays between us.
    private func repeatOnDestination(_ range: Range<UInt64>, _ apply: Change) throws(BlockError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let run = dirty.run(at: position, end: range.upperBound)
            if !run.dirty {
                do throws(BlockError) {
                    try apply(destination, position..<run.end)
                } catch {
                    dirty.mark(position, run.end - position)
                    handle(.destinationFailed, because: error)
                    return
                }
            }
            position = run.end
        }
    }

    func flush() throws(BlockError) {
        switch phase {
        case .undecided: throw Self.undecidedError
        case .dual: try onBoth { device throws(BlockError) in try device.flush() }
        default: try source.flush()
        }
    }

    /// Both or neither is acknowledged. The source goes first; whichever refuses makes the pivot undecided.
    private func onBoth(_ body: (any BlockDevice) throws(BlockError) -> Void) throws(BlockError) {
        var side = MirrorSide.source
        do throws(BlockError) {
            try body(source)
            side = .destination
            try body(destination)
        } catch {
            refusal.withLock { if $0 == nil { $0 = side } }
            handle(.oneSideFailed, because: error)
            throw Self.undecidedError
        }
    }
}
