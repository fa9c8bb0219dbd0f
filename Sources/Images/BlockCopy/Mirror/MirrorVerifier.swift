import BlockIO
import CoreTypes
import Synchronization

/// Compares the two images of a mirror that is in sync.
struct MirrorVerifier {
    private static let chunk: UInt64 = 256 << 10

    let mirror: MirrorDevice
    /// Held shared for each piece, as by a request.
    let gate: ReadWriteLock
    let copier: MirrorCopier

    /// Waits of `pause` nanoseconds for a mirror that is not in sync, one after the other without a piece between them.
    private static let patience = 1000
    private static let pause: UInt64 = 10_000_000
    /// Comparisons that begin anew because the destination was lost meanwhile.
    private static let mostRounds = 10

    func run() throws(BlockError) -> UInt64 {
        for _ in 0..<Self.mostRounds {
            let generation = mirror.trust.withLock { $0.generation }
            let compared = try compareAll(in: generation)
            // What was compared before it was lost may have changed in it.
            if mirror.trust.withLock({ $0.compared(since: generation) }) { return compared }
        }
        throw BlockError(
            .io, "the mirror's destination is lost again and again, and cannot be compared; see to the way to it")
    }

    /// Ends early when the generation is over.
    private func compareAll(in generation: UInt64) throws(BlockError) -> UInt64 {
        let (ours, theirs) = (AlignedBuffer(count: Int(Self.chunk)), AlignedBuffer(count: Int(Self.chunk)))
        var position: UInt64 = 0
        var compared: UInt64 = 0
        var patience = Self.patience
        while position < mirror.dirty.size {
            if mirror.trust.withLock({ $0.generation }) != generation { return compared }
            let piece = position..<min(mirror.dirty.size, position + Self.chunk)
            do throws(BlockError) {
                compared += try compare(piece, ours, theirs)
            } catch {
                // What a guest has just made different is made alike by the copier, or by a destination that comes back.
                guard error.code == .busy, patience > 0, !mirror.controls.isPaused else { throw error }
                // How long a destination may say nothing is its connection's to know.
                if mirror.late.isEmpty { patience -= 1 }
                copier.sleep(nanoseconds: Self.pause)
                continue
            }
            patience = Self.patience
            position = piece.upperBound
        }
        return compared
    }

    private var mayRecover: Bool {
        mirror.controls.options.retryFor > 0 && !mirror.isDistrusted.load(ordering: .acquiring)
            && !copier.hasGivenUp.load(ordering: .relaxed)
    }

    private func compare(
        _ piece: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) -> UInt64 {
        gate.lockShared()
        defer { gate.unlock() }
        if copier.stopping.isCancelled { throw BlockError(.cancelled, "the mirror has ended while it was verified") }
        switch mirror.phase {
        case .synchronised, .joining, .dual: break
        case .broken where mayRecover: throw BlockError(.busy, "the mirror's destination is being tried again")
        case .broken: throw mirror.error ?? BlockError(.io, "the mirror is broken")
        default: throw Self.notSynchronised
        }
        // No guest waits for a peer because of this, unless it writes here all the time.
        for _ in 0..<Self.mostFreely {
            try begin(piece)
            var isAlike: Bool?
            do throws(BlockError) {
                isAlike = try readAndCompare(piece, ours, theirs)
            } catch {
                _ = mirror.pieces.remove(piece)
                throw error
            }
            mirror.locks.acquire(piece)
            let touched = mirror.pieces.remove(piece)
            mirror.locks.release(piece)
            if touched == nil { return try judge(isAlike == true, piece) }
        }
        // No write is half on one side while this is held.
        mirror.locks.acquire(piece)
        defer { mirror.locks.release(piece) }
        guard !mirror.dirty.run(at: piece.lowerBound, end: piece.upperBound).dirty else { throw Self.notSynchronised }
        return try judge(try readAndCompare(piece, ours, theirs), piece)
    }

    /// Attempts without the piece held.
    private static let mostFreely = 8

    private static var notSynchronised: BlockError {
        BlockError(.busy, "the mirror is not synchronised; wait and ask again")
    }

    /// Whoever writes to the piece from here on is noticed.
    private func begin(_ piece: Range<UInt64>) throws(BlockError) {
        mirror.locks.acquire(piece)
        defer { mirror.locks.release(piece) }
        guard !mirror.dirty.run(at: piece.lowerBound, end: piece.upperBound).dirty, mirror.pieces.add(piece) else {
            throw Self.notSynchronised
        }
    }

    private func judge(_ isAlike: Bool, _ piece: Range<UInt64>) throws(BlockError) -> UInt64 {
        if isAlike { return piece.upperBound - piece.lowerBound }
        let error = BlockError(
            .corrupt, "the destination does not hold what the source holds", offset: piece.lowerBound)
        mirror.distrust(because: error)
        throw error
    }

    private func readAndCompare(
        _ piece: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) -> Bool {
        let count = Int(piece.upperBound - piece.lowerBound)
        // SAFETY: both buffers hold a whole chunk and are this call's own.
        let (left, right) = unsafe (
            UnsafeMutableRawBufferPointer(rebasing: ours.bytes[0..<count]),
            UnsafeMutableRawBufferPointer(rebasing: theirs.bytes[0..<count])
        )
        try unsafe mirror.source.read(into: left, at: piece.lowerBound)
        do throws(BlockError) {
            try unsafe mirror.destination.read(into: right, at: piece.lowerBound)
        } catch {
            let isBroken = mirror.handle(.destinationFailed, because: error)
            if isBroken, mayRecover { throw BlockError(.busy, "the mirror's destination is being tried again") }
            throw error
        }
        return unsafe left.elementsEqual(right)
    }
}
