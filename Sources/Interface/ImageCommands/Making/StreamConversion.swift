import BlockIO
import CoreTypes
import DiskImages
import Glibc

// What can and cannot be read from or written to a pipe: docs/image-pipes.md.

/// An image read from a stream, or a compressed file, into an image file.
struct StreamConversion {
    let what: String
    /// What the image in the stream builds on, open.
    let parent: StreamReadOptions.Parent?
    /// What a VHDX or VMDK in it may build on.
    let imports: ImportPolicy
    /// Paths of what SRC is read from besides: parents, extents.
    let sourceFiles: [String]
    let source: String
    let sourceFormat: DeclaredFormat
    let compression: StreamCompression?
    let target: String
    let format: ImageFormat
    let options: CreateOptions
    /// What the disk must have; nil: what the stream says, or its length.
    let size: UInt64?
    let limit: UInt64?
    let progress: Bool
    /// What a block device holds may go.
    let overwrites: Bool
    let cancellation: CancellationFlag

    /// The size of a new image for a stream that does not say how large its disk is; it is cut to the right one in the
    /// end. Tables for so much cost 32 MiB at most.
    private static let provisional: UInt64 = 8 << 40

    /// Bytes of the largest disk that the new image can have.
    private var largest: UInt64 {
        format == .qcow2
            ? FormatCapabilities.largestQCOW2(clusterSize: options.clusterSize, hasExtendedL2: options.extendedL2)
            : FormatCapabilities.of(format).maximumSize
    }

    /// Makes a new image, which gets its name when all is done.
    func make() throws(CommandFailure) {
        let pending = try PendingFile(
            for: target, besides: sourceFiles + (source == "-" ? [] : [source]),
            device: DeviceUse(format, overwrites: overwrites))
        let made = OpenedImage()
        let length = try doing(what) { () throws(BlockError) -> UInt64 in
            do throws(BlockError) {
                let length = try reading { (source, counter) throws(BlockError) in
                    try receive(source, pending, made, counter)
                }
                try made.close()
                return length
            } catch {
                try? made.close()
                throw error
            }
        }
        try doing(what) { () throws(BlockError) in
            if made.isProvisional {
                // What a fixed VHD holds behind its disk was written, too, and goes with the rest.
                let rounded = length.roundedUp(to: 512) ?? length
                try DiskImage.resize(
                    path: pending.path, format: format, to: rounded, shrink: true, policy: pending.policy)
            }
            if cancellation.isCancelled { throw BlockError(.cancelled, "interrupted") }
            try pending.publish()
        }
    }

    /// Writes into the image that is there.
    func fill() throws(CommandFailure) {
        for path in sourceFiles + (source == "-" ? [] : [source]) { try RealPath.refuseSame(path, target, what) }
        try doing(what) { () throws(BlockError) in
            let output = try DiskImage.open(path: target, format: format, readOnly: false)
            do throws(BlockError) {
                try reading { (source, counter) throws(BlockError) in
                    try DiskImage.readStream(
                        from: source, as: streamFormat, options: readOptions,
                        into: .device(output, isFresh: false), progress: counter, cancellation: cancellation)
                }
                try output.flush()
            } catch {
                try? output.close()
                throw error
            }
            try output.close()
        }
    }

    private func receive(
        _ source: any ByteSource, _ pending: PendingFile, _ made: OpenedImage, _ counter: ProgressCounter
    ) throws(BlockError) -> UInt64 {
        // A raw stream or a fixed VHD of unknown length goes into an image that is certainly large enough.
        var provisional: UInt64?
        if size == nil, source.expectedLength == nil {
            let largest = min(largest, Self.provisional)
            provisional = min(largest, limit ?? largest)
        }
        var reading = readOptions
        reading.provisionalSize = provisional
        let destination = StreamDestination.make { [provisional] (bytes) throws(BlockError) in
            made.isProvisional = mayNotTellSize && bytes == provisional
            if made.isProvisional, options.preallocation != .off {
                throw BlockError(
                    .unsupported,
                    "space is reserved for a disk of a known size: say it with --size, or leave preallocation out")
            }
            if made.isProvisional, options.dataFileIsRaw {
                throw BlockError(
                    .unsupported,
                    "a raw data file needs a disk of a known size: say it with --size, or leave data_file_raw out")
            }
            let device = try pending.create(format: format, size: bytes, options: options)
            made.device = device
            return device
        }
        let length = try DiskImage.readStream(
            from: source, as: streamFormat, options: reading, into: destination, progress: counter,
            cancellation: cancellation)
        if let size, size != length {
            throw BlockError(.invalidImage, "the disk in the stream has \(length) bytes, not \(size)")
        }
        return length
    }

    private var streamFormat: StreamFormat {
        switch sourceFormat {
        case .image(let format): return StreamFormat(format)
        case .importOnly(.vhdx): return .vhdx
        case .importOnly(.vmdk): return .vmdk
        }
    }

    /// Of the disk's; fixed VHDs tell it too late.
    private var mayNotTellSize: Bool { [.raw, .vhd].contains(streamFormat) }

    private var readOptions: StreamReadOptions {
        var options = StreamReadOptions()
        options.largestVirtualSize = limit ?? largest
        options.rawSize = size
        options.parent = parent
        options.imports = imports
        // What a stream of a disk within the limit may have out of order: all of it, with its tables, and as much again.
        if let limit { options.largestSpill = min(limit, 1 << 60) * 2 + (64 << 20) }
        options.spillFolder = RealPath.spillFolder(for: target)
        return options
    }

    /// Opens the source, reads it and shows how far it is.
    @discardableResult
    private func reading(
        _ body: (any ByteSource, ProgressCounter) throws(BlockError) -> UInt64
    ) throws(BlockError) -> UInt64 {
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
            let most = limit ?? FormatCapabilities.largestRaw
            content = try compression.decompressed(plain, limits: DecompressionLimits(outputBytes: most))
        } else {
            content = plain
        }
        let counter = ProgressCounter()
        return try ProgressDisplay.during("reading", shown: progress, counter: counter) { () throws(BlockError) in
            try body(content, counter)
        }
    }
}

/// The new image while its stream is read.
private final class OpenedImage {
    var device: (any BlockDevice)?
    /// Larger than it shall be.
    var isProvisional = false

    func close() throws(BlockError) {
        let open = device
        device = nil
        try open?.close()
    }
}
