public import BlockIO
public import CoreTypes
import DiskImages

/// Copies the content of one device to another, doing work for allocated data only.
///
/// How it copies follows from what the devices are:
/// - Where both lie on one file system that can share blocks, runs of data are cloned and no byte moves.
/// - Into a local file through the page cache, one thread lets the kernel copy from file to file (`copy_file_range`) what
///   a few bytes of each piece tell to be no zeroes. Where all zeroes are looked for, and between files that the kernel
///   does not copy, it searches a mapping of the source's file and writes from there, which copies the bytes once, too.
///   What cannot be mapped, or is not in the page cache, is read into a buffer first.
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
        /// Share blocks with the source where the file system can. Needs a source that nobody writes. Without, the kernel
        /// may still share what it is told to copy.
        public var clones = true
        /// What becomes of zeroes that the source stores as data; compressed copies leave them out as whole clusters.
        public var zeroes = StoredZeroes.sample

        /// Store the data compressed, with a thread for each processor. For a destination that reads as zeroes everywhere
        /// and can hold compressed data.
        public var compresses = false

        /// What holds the copy back while it runs; nil: nothing. Not for compressed copies.
        public var pace: CopyPace?

        /// Bytes of data from which on the disk's own speed matters more than the cache's.
        static let worthBypassing: UInt64 = 32 << 20

        public init() {}
    }

    /// What a copy does with zeroes that are stored like data. What the source knows to be zeroes or a hole is none of them:
    /// it takes no space in a copy.
    public enum StoredZeroes: String, CaseIterable, Sendable {
        /// Leaves out what fills a whole aligned piece of 64 KiB, and what begins or ends one, by looking at a few bytes of
        /// each: as quick as a copy by the kernel, and never larger than the source. Where all bytes are looked at anyway
        /// (several threads, other file systems, sources that are no files) it is `search`.
        case sample
        /// Looks at every byte, and leaves out each page of zeroes.
        case search
        /// Leaves them where they are: what takes space in the source takes it in the copy.
        case keep
    }

    /// Copies all of `source` to the beginning of `destination`, which is at least as large, and flushes it. The rest of
    /// a larger destination is not touched. `progress` counts data bytes. `.cancelled` when `cancellation` is set, `.io`
    /// when a file of the source becomes shorter meanwhile; the destination's content is then undefined.
    public static func copy(
        from source: any BlockDevice, to destination: any BlockDevice, options: Options = Options(),
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        guard destination.size >= source.size else {
            throw BlockError(
                .outOfRange,
                "the destination has \(destination.size) bytes, the source \(source.size): make the destination larger")
        }
        let files = try SourceFiles(of: source)
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
            try files.checkLengths()
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
        try files.checkLengths()
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

    /// A file of the source has fewer bytes than when the copy began.
    static func cutShort(_ file: ImageFile) -> BlockError {
        BlockError(
            .io, "the file was cut short while it was copied; copy again when nobody changes it", path: file.path)
    }
}

/// The files of a source and how long they were: what one loses meanwhile reads as zeroes, which must not pass for content.
public struct SourceFiles: Sendable {
    private var lengths: [(file: ImageFile, length: UInt64)] = []

    /// Of a source that can be written, or has no files of its own, nothing is noted.
    public init(of source: any BlockDevice) throws(BlockError) {
        guard source.isReadOnly, let mapped = source as? any HostMappedDevice else { return }
        for file in mapped.hostFiles { lengths.append((file, try file.size())) }
    }

    /// Of what a new image is built on, while it is written.
    public init(below image: any BlockDevice) throws(BlockError) {
        // The first file is the image's own.
        for file in (image as? any HostMappedDevice)?.hostFiles.dropFirst() ?? [] {
            lengths.append((file, try file.size()))
        }
    }

    init(_ files: [ImageFile]) throws(BlockError) {
        for file in files { lengths.append((file, try file.size())) }
    }

    /// `.io` when one is shorter than it was.
    public func checkLengths() throws(BlockError) {
        for (file, length) in lengths where try file.size() < length { throw .cutShort(file) }
    }
}

/// Sizes and numbers of one copy.
struct CopyManner {
    var threads: Int
    /// At least the largest allocation unit when there are several threads: none is filled by two of them.
    var chunk: UInt64
    /// Bytes read by one call, and looked at before they are written; a power of two, at most a chunk.
    var buffer: UInt64
    /// Zero runs of at least this many aligned bytes are not written as data.
    var granule: UInt64
    /// New space is placed first and filled then, so that several requests are under way.
    var places: Bool
    /// One thread copies from file to file, by the kernel or from a mapping of the source.
    var maps: Bool
    let zeroes: CopyEngine.StoredZeroes

    init(for destination: any BlockDevice, options: CopyEngine.Options) {
        let unit = min(max(destination.preferredAlignment, 4096), 65536)
        if let bulk = destination as? any BulkDestination, !bulk.bypassesCache {
            // What the processor's cache holds, and its first table of addresses.
            self.init(
                threads: 1, chunk: 256 << 10, granule: options.destinationIsZero ? 4096 : unit, places: false,
                zeroes: options.zeroes)
            maps = true
        } else {
            let isLocal = destination is any BulkDestination
            // A new local file: what is not written of a cluster takes no space, and a chunk's clusters are one thread's.
            self.init(
                threads: isLocal ? 4 : 2, chunk: 2 << 20,
                granule: isLocal && options.destinationIsZero ? 4096 : unit, places: isLocal, zeroes: options.zeroes)
        }
        threads = max(1, options.threads ?? threads)
        maps = maps && threads == 1
        let wanted = min(max(4096, options.chunk ?? chunk), 64 << 20)
        chunk = threads > 1 ? max(wanted, destination.preferredAlignment) : wanted
        // Pieces end at multiples of it, found by masks.
        if chunk.nonzeroBitCount != 1 { chunk = 1 << UInt64(64 - chunk.leadingZeroBitCount) }
        buffer = chunk
        if maps { chunk = max(chunk, CopyJob.windowBytes) }
    }

    private init(
        threads: Int, chunk: UInt64, granule: UInt64, places: Bool, zeroes: CopyEngine.StoredZeroes
    ) {
        self.threads = threads
        self.chunk = chunk
        self.granule = granule
        self.places = places
        self.zeroes = zeroes
        buffer = chunk
        maps = false
    }
}
