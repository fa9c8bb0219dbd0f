public import BlockIO
public import CoreTypes
import DiskImages

/// Copies the content of one device to another, doing work for allocated data only.
///
/// How it copies follows from what the devices are:
/// - Where both lie on one file system that can share blocks, runs of data are cloned and no byte moves.
/// - Into a local file through the page cache, one thread reads into a buffer that fits the processor's cache, looks for
///   zeroes there and writes: as fast as the kernel's own `copy_file_range`, which cannot leave zeroes out.
/// - Into a local file past the page cache, and to devices that are no local files, several threads move larger pieces,
///   because one request at a time leaves the storage idle.
public enum CopyEngine {
    public struct Options: Sendable {
        /// The destination reads as zeroes everywhere (it was just created): zero runs are skipped.
        public var destinationIsZero = false
        /// Threads that read and write; nil: what suits the devices. With one, the destination is filled in ascending
        /// order.
        public var threads: Int?
        /// Bytes moved by one read and one write, raised to a power of two; nil: what suits the devices.
        public var chunk: UInt64?
        /// Nobody reads the destination soon: where there is much to write, it goes past the page cache.
        public var bypassCache = false
        /// Share blocks with the source where the file system can. Needs a source that nobody writes.
        public var clones = true

        /// Store the data compressed, with a thread for each processor. For a destination that reads as zeroes everywhere
        /// and can hold compressed data.
        public var compresses = false

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
        let plan = try CopyPlan(source: source, skipsZeroes: options.destinationIsZero, cancellation: cancellation)
        progress.expect(plan.bytes)
        if options.compresses {
            guard options.destinationIsZero, let target = destination as? any CompressingDestination else {
                throw BlockError(.unsupported, "only a new image whose format can compress takes compressed data")
            }
            let job = CompressedCopyJob(
                plan: plan, source: source, destination: target, options: options, progress: progress,
                cancellation: cancellation)
            job.run()
            if let error = job.error { throw error }
            return try destination.flush()
        }
        if options.bypassCache, plan.bytes >= Options.worthBypassing, let bulk = destination as? any BulkDestination {
            bulk.bypassCache()
        }
        let job = CopyJob(
            plan: plan, source: source, destination: destination,
            manner: CopyManner(for: destination, options: options), options: options, progress: progress,
            cancellation: cancellation)
        job.run()
        if let error = job.error { throw error }
        try destination.flush()
    }

    /// Bytes that the extent map calls data.
    public static func allocatedBytes(
        of device: any BlockDevice, cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> UInt64 {
        var walk = HostExtentWalk(device, resolvingHoles: true)
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

/// Sizes and numbers of one copy.
struct CopyManner {
    var threads: Int
    /// At least the largest allocation unit when there are several threads: none is filled by two of them.
    var chunk: UInt64
    /// Zero runs of at least this many aligned bytes are not written as data.
    var granule: UInt64
    /// New space is placed first and filled then, so that several requests are under way.
    var places: Bool

    init(for destination: any BlockDevice, options: CopyEngine.Options) {
        let unit = min(max(destination.preferredAlignment, 4096), 65536)
        if let bulk = destination as? any BulkDestination, !bulk.bypassesCache {
            self.init(threads: 1, chunk: 256 << 10, granule: options.destinationIsZero ? 4096 : unit, places: false)
        } else {
            let isLocal = destination is any BulkDestination
            self.init(threads: isLocal ? 4 : 2, chunk: 2 << 20, granule: unit, places: isLocal)
        }
        threads = max(1, options.threads ?? threads)
        let wanted = min(max(4096, options.chunk ?? chunk), 64 << 20)
        chunk = threads > 1 ? max(wanted, destination.preferredAlignment) : wanted
        // Pieces end at multiples of it, found by masks.
        if chunk.nonzeroBitCount != 1 { chunk = 1 << UInt64(64 - chunk.leadingZeroBitCount) }
    }

    private init(threads: Int, chunk: UInt64, granule: UInt64, places: Bool) {
        self.threads = threads
        self.chunk = chunk
        self.granule = granule
        self.places = places
    }
}
