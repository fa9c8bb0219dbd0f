import BlockIO
import CoreTypes
import DiskImages
import Glibc
import Synchronization

/// Fills a new image with compressed clusters: a thread for each processor takes pieces of whole clusters in ascending
/// order, reads them, leaves out clusters of zeroes and lets the image compress and store the rest.
final class CompressedCopyJob: Sendable {
    private struct State {
        var plan: CopyPlan
        /// Everything before this is taken.
        var position: UInt64 = 0
        var error: BlockError?
    }

    private let source: any BlockDevice
    private let destination: any CompressingDestination
    private let unit: UInt64
    private let chunk: UInt64
    private let threads: Int
    private let progress: ProgressCounter
    private let cancellation: CancellationFlag
    private let state: Mutex<State>

    init(
        plan: CopyPlan, source: any BlockDevice, destination: any CompressingDestination,
        options: CopyEngine.Options, progress: ProgressCounter, cancellation: CancellationFlag
    ) {
        self.source = source
        self.destination = destination
        unit = max(destination.compressionUnit, 512)
        chunk = max(1 << 20, unit)
        threads = max(1, options.threads ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        self.progress = progress
        self.cancellation = cancellation
        state = Mutex(State(plan: plan))
    }

    var error: BlockError? { state.withLock { $0.error } }

    func run() {
        let workers = (1..<threads).map { index in
            WorkerThread("compress-\(index)") { self.work() }
        }
        work()
        for worker in workers { worker.join() }
    }

    private func work() {
        let buffer = AlignedBuffer(count: Int(chunk))
        do throws(BlockError) {
            while let piece = try take() {
                if cancellation.isCancelled { throw .stopped }
                // SAFETY: a piece is at most a chunk long.
                let bytes = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: buffer.bytes[0..<Int(piece.range.upperBound - piece.range.lowerBound)])
                try unsafe source.read(into: bytes, at: piece.range.lowerBound)
                try unsafe store(UnsafeRawBufferPointer(bytes), at: piece.range.lowerBound)
                progress.add(piece.data)
            }
        } catch {
            state.withLock { if $0.error == nil { $0.error = error } }
        }
    }

    /// The next range of whole units (or up to the end of the disk) that have data, and how many bytes of it are data.
    private func take() throws(BlockError) -> (range: Range<UInt64>, data: UInt64)? {
        try state.withLock { state throws(BlockError) -> (range: Range<UInt64>, data: UInt64)? in
            if state.error != nil { return nil }
            var piece: Range<UInt64>?
            var data: UInt64 = 0
            var limit: UInt64 = 0
            while var extent = try state.plan.next() {
                guard extent.kind == .data else { continue }
                let start = piece?.lowerBound ?? max(extent.offset.roundedDown(to: unit), state.position)
                if piece == nil { limit = start.roundedDown(to: chunk) + chunk }
                let reached = piece?.upperBound ?? start
                if extent.offset >= min(limit, max(reached, start + 1).roundedUp(to: unit) ?? limit), piece != nil {
                    state.plan.putBack(extent)
                    break
                }
                let end = min(extent.end, limit)
                if end > extent.offset { data += end - extent.offset }
                piece = start..<max(reached, end)
                if extent.end > limit {
                    extent.length = extent.end - limit
                    extent.offset = limit
                    state.plan.putBack(extent)
                    break
                }
            }
            guard let piece else { return nil }
            let end = min(piece.upperBound.roundedUp(to: unit) ?? piece.upperBound, limit, source.size)
            state.position = end
            return (piece.lowerBound..<end, data)
        }
    }

    /// Stores runs of units that are not zero.
    private func store(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        // SAFETY: all ranges end at or before the buffer's count.
        let step = Int(unit)
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count,
                unsafe !isZero(UnsafeRawBufferPointer(rebasing: bytes[end..<min(end + step, bytes.count)]))
            {
                end = min(end + step, bytes.count)
            }
            if end > start {
                try unsafe destination.writeCompressed(
                    UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: offset + UInt64(start))
            }
            // The unit at `end` is zero, or there is none.
            start = end + step
        }
    }
}
