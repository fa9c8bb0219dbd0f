public import BlockIO
public import CoreTypes
import Synchronization

/// Copies the content of one device to another, doing work for allocated data only.
public enum CopyEngine {
    public struct Options: Sendable {
        /// The destination reads as zeroes everywhere (it was just created): zero runs are skipped.
        public var destinationIsZero = false
        /// Threads that read and write. Two keep both sides busy; more only contend for the destination's allocator.
        public var threads = 2
        /// Bytes moved by one read and one write.
        public var chunk: UInt64 = 2 << 20
        /// Nobody reads the destination soon: where there is much to write, it goes past the page cache.
        public var bypassCache = false

        /// Bytes of data from which on the disk's own speed matters more than the cache's.
        static let worthBypassing: UInt64 = 32 << 20

        public init() {}
    }

    /// Copies all of `source` to the beginning of `destination`, which is at least as large, and flushes it. The rest of
    /// a larger destination is not touched. `progress` counts data bytes. `.cancelled` when `cancellation` is set; the
    /// destination's content is then undefined.
    public static func copy(
        from source: any BlockDevice, to destination: any BlockDevice, options: Options = Options(),
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        guard destination.size >= source.size else {
            throw BlockError(
                .outOfRange,
                "the destination has \(destination.size) bytes, the source \(source.size): make the destination larger")
        }
        let bytes = try allocatedBytes(of: source, cancellation: cancellation)
        progress.expect(bytes)
        if options.bypassCache, bytes >= Options.worthBypassing, let bulk = destination as? any BulkDestination {
            bulk.bypassCache()
        }
        let job = CopyJob(
            source: source, destination: destination, options: options, progress: progress, cancellation: cancellation)
        let workers = (1..<max(1, options.threads)).map { index in
            WorkerThread("copy-\(index)") { job.work() }
        }
        job.work()
        for worker in workers { worker.join() }
        if let error = job.error { throw error }
        try destination.flush()
    }

    /// Bytes that the extent map calls data.
    public static func allocatedBytes(
        of device: any BlockDevice, cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> UInt64 {
        var walk = ExtentWalk(device: device)
        var sum: UInt64 = 0
        while let extent = try walk.next() {
            if cancellation.isCancelled { throw .stopped }
            if extent.kind == .data { sum += extent.length }
        }
        return sum
    }
}

extension BlockError {
    static let stopped = BlockError(.cancelled, "the copy was cancelled")
}

/// The extents of a whole device, one after another, in bounded memory.
struct ExtentWalk {
    let device: any BlockDevice
    private var batch: [Extent] = []
    private var index = 0
    private var position: UInt64 = 0
    private static let window: UInt64 = 1 << 30

    init(device: any BlockDevice) { self.device = device }

    mutating func next() throws(BlockError) -> Extent? {
        if index == batch.count {
            if position >= device.size { return nil }
            batch.removeAll(keepingCapacity: true)
            index = 0
            try device.appendExtents(to: &batch, at: position, length: min(Self.window, device.size - position))
            guard let last = batch.last, last.end > position else {
                throw BlockError(.io, "the extent map does not advance", offset: position)
            }
            position = last.end
        }
        defer { index += 1 }
        return batch[index]
    }
}

/// The work shared by the threads of one copy: each takes the next piece, in ascending order, until none is left.
private final class CopyJob: Sendable {
    private struct Plan {
        var walk: ExtentWalk
        var extent: Extent?
        var error: BlockError?
    }

    private let source: any BlockDevice
    private let destination: any BlockDevice
    private let options: CopyEngine.Options
    private let progress: ProgressCounter
    private let cancellation: CancellationFlag
    private let plan: Mutex<Plan>
    /// Zero runs of at least this many aligned bytes are not written as data.
    private let granule: Int

    init(
        source: any BlockDevice, destination: any BlockDevice, options: CopyEngine.Options, progress: ProgressCounter,
        cancellation: CancellationFlag
    ) {
        self.source = source
        self.destination = destination
        self.options = options
        self.progress = progress
        self.cancellation = cancellation
        plan = Mutex(Plan(walk: ExtentWalk(device: source), extent: nil, error: nil))
        granule = Int(min(max(destination.preferredAlignment, 4096), 65536))
    }

    var error: BlockError? { plan.withLock { $0.error } }

    func work() {
        let buffer = AlignedBuffer(count: Int(options.chunk))
        do throws(BlockError) {
            while let piece = try nextPiece() {
                if cancellation.isCancelled { throw .stopped }
                if piece.kind == .data {
                    try move(piece, buffer: buffer)
                    progress.add(piece.length)
                } else if !options.destinationIsZero {
                    try destination.writeZeroes(at: piece.offset, length: piece.length, mayUnmap: true)
                }
            }
        } catch {
            plan.withLock { if $0.error == nil { $0.error = error } }
        }
    }

    /// Cuts the next piece off the extent map; data pieces end on multiples of the chunk. Nil at the end or after an
    /// error of another thread.
    private func nextPiece() throws(BlockError) -> Extent? {
        try plan.withLock { plan throws(BlockError) -> Extent? in
            if plan.error != nil { return nil }
            var found = plan.extent
            plan.extent = nil
            if found == nil { found = try plan.walk.next() }
            guard var extent = found else { return nil }
            if extent.kind == .data {
                let boundary = extent.offset.roundedDown(to: options.chunk) + options.chunk
                if extent.end > boundary {
                    plan.extent = Extent(
                        offset: boundary, length: extent.end - boundary, kind: extent.kind, depth: extent.depth)
                    extent.length = boundary - extent.offset
                }
            }
            return extent
        }
    }

    /// Reads a data piece and writes what is not zero.
    private func move(_ piece: Extent, buffer: AlignedBuffer) throws(BlockError) {
        // SAFETY: a piece is at most a chunk long, which is the size of this thread's own buffer.
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<Int(piece.length)])
        try unsafe source.read(into: bytes, at: piece.offset)
        var start = 0
        while start < bytes.count {
            let misaligned = Int((piece.offset + UInt64(start)) % UInt64(granule))
            var end = min(bytes.count, start + granule - misaligned)
            let zero = unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            while end < bytes.count {
                let next = min(bytes.count, end + granule)
                if unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[end..<next])) != zero { break }
                end = next
            }
            let offset = piece.offset + UInt64(start)
            if !zero {
                try unsafe destination.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: offset)
            } else if !options.destinationIsZero {
                try destination.writeZeroes(at: offset, length: UInt64(end - start), mayUnmap: true)
            }
            start = end
        }
    }
}
