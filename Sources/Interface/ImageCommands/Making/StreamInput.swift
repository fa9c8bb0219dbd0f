import BlockIO
import CoreTypes
import DiskImages
import Glibc

// What can and cannot be read from or written to a pipe: docs/image-pipes.md.

/// SRC where it is a stream: standard input, or a file that is compressed as a whole.
struct StreamInput {
    let source: String
    let format: DeclaredFormat
    let compression: StreamCompression?
    /// What the image in the stream builds on, open.
    let parent: StreamReadOptions.Parent?
    /// What a VHDX or VMDK in it may build on.
    let imports: ImportPolicy
    /// What the disk must have; nil: what the stream says, or its length.
    let size: UInt64?
    let limit: UInt64?
    /// Where what must wait is kept.
    let spillFolder: String
    let progress: Bool
    let cancellation: CancellationFlag

    /// The file, where it is one.
    var files: [String] { source == "-" ? [] : [source] }

    var streamFormat: StreamFormat {
        switch format {
        case .image(let format): return StreamFormat(format)
        case .importOnly(.vhdx): return .vhdx
        case .importOnly(.vmdk): return .vmdk
        }
    }

    /// Bytes of an image of a disk within the limit: all of it, with its tables, and as much again. The disk itself is measured by
    /// who reads the image.
    private var largestImage: UInt64? { limit.map { min($0, 1 << 60) * 2 + (64 << 20) } }

    /// - Parameter largest: bytes of the largest disk that there is a place for.
    func options(largest: UInt64) -> StreamReadOptions {
        var options = StreamReadOptions()
        options.largestVirtualSize = limit ?? largest
        options.rawSize = size
        options.parent = parent
        options.imports = imports
        if let largestImage { options.largestSpill = largestImage }
        options.spillFolder = spillFolder
        return options
    }

    /// Opens the source, reads it and shows how far it is.
    @discardableResult
    func reading<T>(
        _ body: (any ByteSource, ProgressCounter) throws(BlockError) -> T
    ) throws(BlockError) -> T {
        var descriptor: Int32 = 0
        if source != "-" {
            // SAFETY: Swift's own temporary C string.
            descriptor = unsafe open(source, O_RDONLY | O_CLOEXEC)
            if descriptor < 0 { throw BlockError(call: "open", errno: errno, path: source) }
        }
        defer { if source != "-" { _ = close(descriptor) } }
        let plain = DescriptorSource(descriptor, cancellation: cancellation)
        let content: any ByteSource
        if let compression {
            let most = (streamFormat == .raw ? limit : largestImage) ?? FormatCapabilities.largestRaw
            content = try compression.decompressed(plain, limits: DecompressionLimits(outputBytes: most))
        } else {
            content = plain
        }
        let counter = ProgressCounter()
        return try ProgressDisplay.during("reading", shown: progress, counter: counter) { () throws(BlockError) in
            try body(content, counter)
        }
    }

    /// Reads all of it into a file without a name, for what must read the disk in any order or more than once: a device for
    /// reading, which takes that file with it when it is closed.
    /// - Parameters:
    ///   - largest: bytes of the largest disk that there is a place for.
    ///   - snapshot: the one that is meant; nil: the disk as it is.
    ///   - policy: finds the parents of an image of which a snapshot is meant.
    func unpacked(
        largest: UInt64, snapshot: SnapshotSelector?, policy: OpenPolicy
    ) throws(BlockError) -> any BlockDevice {
        let device = try reading { (source, counter) throws(BlockError) in
            try DiskImage.unpackStream(
                from: source, as: streamFormat, options: options(largest: largest), snapshot: snapshot,
                policy: policy, progress: counter, cancellation: cancellation)
        }
        if let size, size.roundedUp(to: 512) != device.size {
            try? device.close()
            throw BlockError(.invalidImage, "the disk in the stream has \(device.size) bytes, not \(size)")
        }
        DeviceNotes.tell(device, source)
        return device
    }
}
