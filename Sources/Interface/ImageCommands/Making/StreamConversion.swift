import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import Glibc

/// An image read from a stream, or a compressed file, into an image file.
struct StreamConversion {
    let what: String
    let input: StreamInput
    /// Paths of what SRC is read from besides: parents, extents.
    let sourceFiles: [String]
    let target: String
    let format: ImageFormat
    let options: CreateOptions
    /// Finds the ancestors of a new image that gets a parent; opens one that is there.
    let policy: OpenPolicy
    /// What a block device holds may go.
    let overwrites: Bool
    let cancellation: CancellationFlag

    /// The size of a new image for a stream that does not say how large its disk is; it is cut to the right one in the
    /// end. Tables for so much cost 32 MiB at most.
    private static let provisional: UInt64 = 8 << 40

    /// Bytes of the largest disk that a new image can have.
    static func largestDisk(_ format: ImageFormat, _ options: CreateOptions) -> UInt64 {
        format == .qcow2
            ? FormatCapabilities.largestQCOW2(clusterSize: options.clusterSize, hasExtendedL2: options.extendedL2)
            : FormatCapabilities.of(format).maximumSize
    }

    private var largest: UInt64 { Self.largestDisk(format, options) }

    /// Makes a new image, which gets its name when all is done.
    func make() throws(CommandFailure) {
        let pending = try PendingFile(
            for: target, besides: sourceFiles + input.files,
            device: DeviceUse(format, overwrites: overwrites))
        let made = OpenedImage()
        let length = try doing(what) { () throws(BlockError) -> UInt64 in
            do throws(BlockError) {
                let length = try input.reading { (source, counter) throws(BlockError) in
                    try receive(source, pending, made, counter)
                }
                // What lies behind the disk in an image that is too large goes, whatever it shows.
                try made.differing?.finish(
                    length: length.roundedUp(to: 512) ?? length, cancellation: cancellation)
                try made.below?.checkLengths()
                try made.close()
                return length
            } catch {
                try? made.close()
                throw error
            }
        }
        try doing(what) { () throws(BlockError) in
            let rounded = length.roundedUp(to: 512) ?? length
            // A device has its own size.
            if rounded < made.asked, format != .raw || RealPath.kind(pending.path) != S_IFBLK {
                // What a fixed VHD holds behind its disk was written, too, and goes with the rest.
                try DiskImage.resize(
                    path: pending.path, format: format, to: rounded, shrink: true, policy: pending.policy)
            }
            if cancellation.isCancelled { throw BlockError(.cancelled, "interrupted") }
            try pending.publish()
        }
    }

    /// Writes into the image that is there.
    func fill() throws(CommandFailure) {
        for path in sourceFiles + input.files { try RealPath.refuseSame(path, target, what) }
        try doing(what) { () throws(BlockError) in
            let output = try Conversion.existing(target, format, policy)
            do throws(BlockError) {
                try input.reading { (source, counter) throws(BlockError) in
                    try DiskImage.readStream(
                        from: source, as: input.streamFormat, options: input.options(largest: largest),
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
        if input.size == nil, source.expectedLength == nil {
            let largest = min(largest, Self.provisional)
            provisional = min(largest, input.limit ?? largest)
        }
        var reading = input.options(largest: largest)
        reading.provisionalSize = provisional
        let destination = StreamDestination.make { [provisional] (bytes) throws(BlockError) in
            let isProvisional = mayNotTellSize && bytes == provisional
            if isProvisional, options.preallocation != .off {
                throw BlockError(
                    .unsupported,
                    "space is reserved for a disk of a known size: say it with --size, or leave preallocation out")
            }
            if isProvisional, options.dataFileIsRaw {
                throw BlockError(
                    .unsupported,
                    "a raw data file needs a disk of a known size: say it with --size, or leave data_file_raw out")
            }
            let device = try pending.create(format: format, size: bytes, options: options, policy: policy)
            made.device = device
            made.asked = bytes
            if options.parent == nil { return device }
            made.below = try SourceFiles(below: device)
            let differing = DifferingDestination(over: device)
            made.differing = differing
            return differing
        }
        let length = try DiskImage.readStream(
            from: source, as: input.streamFormat, options: reading, into: destination, progress: counter,
            cancellation: cancellation)
        if let size = input.size, size != length {
            throw BlockError(.invalidImage, "the disk in the stream has \(length) bytes, not \(size)")
        }
        return length
    }

    /// Of the disk's; fixed VHDs tell it too late.
    private var mayNotTellSize: Bool { [.raw, .vhd].contains(input.streamFormat) }
}

/// The new image while its stream is read.
private final class OpenedImage {
    var device: (any BlockDevice)?
    /// Writes to it where it gets a parent.
    var differing: DifferingDestination?
    /// The files below it, with which the disk is compared: what one loses meanwhile reads as zeroes.
    var below: SourceFiles?
    /// Bytes that it was made with, which may be more than the disk has.
    var asked: UInt64 = 0

    func close() throws(BlockError) {
        let open = device
        device = nil
        try open?.close()
    }
}
