import BlockIO
import CoreTypes

/// An image whose parts must be read out of order, from a stream: all of it goes to an unnamed file first, which takes as much
/// space as the stream is long, less its zeroes, and is then read as any other.
struct SpooledStreamReader {
    let format: ImportFormat
    let options: StreamReadOptions
    let progress: ProgressCounter
    let cancellation: CancellationFlag

    /// Bytes of the disk.
    func read(_ source: PrefixedSource, into destination: StreamDestination) throws(BlockError) -> UInt64 {
        let device = try open(source)
        defer { try? device.close() }
        progress.expectMore(device.size)
        var options = options
        options.isWhole()
        let writer = try SparseWriter(
            destination, size: device.size, options: options, cancellation: cancellation)
        try writer.copy(device, progress: progress, cancellation)
        return device.size
    }

    /// The disk, for reading; the file goes with it.
    func open(_ source: PrefixedSource) throws(BlockError) -> any BlockDevice {
        try checkHead(source.head)
        let spool = StreamSpool(
            format: format.rawValue, options: options, progress: progress, cancellation: cancellation)
        let file = try spool.keep(source)
        var policy = options.imports
        policy.largestVirtualSize = min(policy.largestVirtualSize, options.largestVirtualSize)
        do throws(BlockError) {
            return try DiskImage.openImport(
                file: file, format: format, context: ImportContext(policy: policy, isFromStream: true))
        } catch {
            file.close()
            if error.code == .denied, policy.parents == .refused, error.message.contains("needs a parent") {
                throw BlockError(
                    .denied,
                    "the stream is a \(format.rawValue.uppercased()) on a parent, which is not followed; name the parent "
                        + "explicitly")
            }
            throw error
        }
    }

    /// What is certainly no image in one piece is refused before the rest of the stream has come.
    private func checkHead(_ head: [UInt8]) throws(BlockError) {
        switch format {
        case .vhdx:
            guard VHDXHeader.isMarked(head) else {
                throw BlockError(.invalidImage, "not a VHDX: the stream does not begin with the mark vhdxfile")
            }
        case .vmdk:
            if VMDKDescriptor.isMarked(head) {
                throw BlockError(
                    .denied,
                    "the stream is a VMDK descriptor, whose disk is in other files, and a stream cannot name them: give the "
                        + "descriptor as a file")
            }
            try VMDKImage.refuseForeign(head)
            let header = try VMDKSparseHeader(head)
            let most = options.largestVirtualSize
            // Some writers round it up to whole grains, and the descriptor, which comes later, does not.
            guard header.capacity <= most || header.capacity - most < header.grainBytes else {
                throw BlockError(
                    .limitExceeded, "the image claims \(header.capacity) bytes; \(most) are allowed here")
            }
        }
    }
}
