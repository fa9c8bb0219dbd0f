import BlockIO
import CoreTypes

/// Compares the two images of a mirror that is in sync.
struct MirrorVerifier {
    private static let chunk: UInt64 = 256 << 10

    let mirror: MirrorDevice
    /// Held shared for each piece, as by a request.
    let gate: ReadWriteLock
    let stopping: CancellationFlag

    func run() throws(BlockError) -> UInt64 {
        let (ours, theirs) = (AlignedBuffer(count: Int(Self.chunk)), AlignedBuffer(count: Int(Self.chunk)))
        var position: UInt64 = 0
        var compared: UInt64 = 0
        while position < mirror.dirty.size {
            let piece = position..<min(mirror.dirty.size, position + Self.chunk)
            compared += try compare(piece, ours, theirs)
            position = piece.upperBound
        }
        return compared
    }

    private func compare(
        _ piece: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) -> UInt64 {
        gate.lockShared()
        defer { gate.unlock() }
        if stopping.isCancelled { throw BlockError(.cancelled, "the mirror has ended while it was verified") }
        switch mirror.phase {
        case .synchronised, .joining, .dual: break
        case .broken: throw mirror.error ?? BlockError(.io, "the mirror is broken")
        default: throw BlockError(.busy, "the mirror is not synchronised; wait and ask again")
        }
        // No write is half on one side while this is held.
        mirror.locks.acquire(piece)
        defer { mirror.locks.release(piece) }
        guard !mirror.dirty.run(at: piece.lowerBound, end: piece.upperBound).dirty else {
            throw BlockError(.busy, "the mirror is not synchronised; wait and ask again")
        }
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
            mirror.handle(.destinationFailed, because: error)
            throw error
        }
        if unsafe !left.elementsEqual(right) {
            let error = BlockError(
                .corrupt, "the destination does not hold what the source holds", offset: piece.lowerBound)
            mirror.distrust(because: error)
            throw error
        }
        return UInt64(count)
    }
}
