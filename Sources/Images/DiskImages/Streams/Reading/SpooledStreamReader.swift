import BlockIO
import CoreTypes

/// An image whose parts must be read out of order, from a stream: all of it goes to an unnamed file first, which takes as much
/// space as the stream is long, less its zeroes, and is then read as any other.
struct SpooledStreamReader {
    let format: ImportFormat
    let options: StreamReadOptions
    let progress: ProgressCounter
    let cancellation: CancellationFlag

    /// Zeroes are looked for in pieces of this many bytes, and left out.
    private static let piece = 64 << 10

    /// Bytes of the disk.
    func read(_ source: PrefixedSource, into destination: StreamDestination) throws(BlockError) -> UInt64 {
        try checkHead(source.head)
        let file = try spool(source)
        var policy = options.imports
        policy.largestVirtualSize = min(policy.largestVirtualSize, options.largestVirtualSize)
        let device: any BlockDevice
        do throws(BlockError) {
            device = try DiskImage.openImport(
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
        defer { try? device.close() }
        progress.expectMore(device.size)
        var options = options
        options.isWhole()
        let writer = try SparseWriter(
            destination, size: device.size, options: options, cancellation: cancellation)
        try writer.copy(device, progress: progress, cancellation)
        return device.size
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

    private func spool(_ source: PrefixedSource) throws(BlockError) -> ImageFile {
        guard options.spillFolder != nil || options.spillFile != nil else {
            throw BlockError(
                .unsupported,
                "this \(format.rawValue) image must be read out of order, and there is no place to keep the stream")
        }
        if let length = source.expectedLength { progress.expect(length) }
        let file = try SpillFile.open(options, as: "the stream")
        do throws(BlockError) {
            let buffer = AlignedBuffer(count: 1 << 20)
            var length: UInt64 = 0
            while true {
                if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
                // SAFETY: the buffer's own bytes, as many as were read.
                let count = try unsafe source.readFully(into: buffer.bytes)
                if count == 0 { break }
                guard UInt64(count) <= options.largestSpill - min(length, options.largestSpill) else {
                    throw BlockError(
                        .limitExceeded, "the stream is longer than the \(options.largestSpill) bytes that may be kept")
                }
                try unsafe store(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]), in: file, at: length)
                length += UInt64(count)
                progress.add(UInt64(count))
            }
            try file.truncate(to: length)
            return file
        } catch {
            file.close()
            throw error
        }
    }

    private func store(_ bytes: UnsafeRawBufferPointer, in file: ImageFile, at offset: UInt64) throws(BlockError) {
        var start = 0
        while start < bytes.count {
            // SAFETY: start < end <= count.
            let end = min(start + Self.piece, bytes.count)
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if unsafe !isZero(part) { try unsafe file.write(part, at: offset + UInt64(start)) }
            start = end
        }
    }
}
