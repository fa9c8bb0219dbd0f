import BlockIO
import CoreTypes

/// A raw stream, or a fixed VHD, which is one with a footer behind it.
struct RawStreamReader {
    let options: StreamReadOptions
    let progress: ProgressCounter
    let cancellation: CancellationFlag

    /// Whole pieces of this many bytes are written, so that a writer that compares sees all of one.
    private static let unit = 65536
    /// A geometry is less than the size field by less than this: the largest cylinder has 16 × 255 sectors.
    private static let cylinder: UInt64 = 4 << 20

    /// Bytes of the disk.
    func read(
        _ source: any ByteSource, into destination: StreamDestination, footer: Bool
    ) throws(BlockError) -> UInt64 {
        let tail = footer ? VHDFooter.size : 0
        // Virtual PC before 2004 left out the footer's last byte, which is 0.
        let announced = source.expectedLength.map { $0 - min($0, UInt64(footer && $0 % 512 == 511 ? tail - 1 : tail)) }
        let writer: SparseWriter
        switch destination {
        case .device(let device, let isFresh):
            if let size = options.rawSize, size > device.size { throw SparseWriter.tooLarge(size, device) }
            writer = SparseWriter(growingInto: device, isFresh: isFresh)
        case .make(let make):
            if let size = options.rawSize ?? announced {
                writer = try SparseWriter(destination, size: size, options: options, cancellation: cancellation)
            } else if let size = options.provisionalSize {
                writer = SparseWriter(growingInto: try make(size), isFresh: true)
            } else {
                throw BlockError(
                    .unsupported,
                    "\(footer ? "a fixed VHD" : "a raw image") in a pipe does not say how large the disk is: say it")
            }
        }
        if let total = announced ?? options.rawSize { progress.expect(total) }
        // The data of a fixed VHD may be longer than its disk.
        let behind = footer ? Self.cylinder : 0
        let most = min(options.rawSize ?? writer.size, options.largestVirtualSize)
        let buffer = AlignedBuffer(count: (1 << 20) + Self.unit + tail)
        /// Bytes at the beginning of the buffer that are no whole piece yet, or may be the footer; and bytes of the disk so far.
        var held = 0
        var length: UInt64 = 0
        while true {
            if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
            // SAFETY: all slices end at most at `held + count`, which is at most the buffer's size.
            let count = try unsafe source.readFully(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[held..<held + (1 << 20)]))
            if count == 0 { break }
            let ready = max(held + count - tail, 0) / Self.unit * Self.unit
            try unsafe put(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<ready]), at: &length, most, behind, writer)
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<(held + count - ready)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[ready..<held + count]))
            held += count - ready
        }
        let rest = max(held - tail, 0)
        // SAFETY: as above.
        try unsafe put(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<rest]), at: &length, most, behind, writer)
        var end = unsafe Array(buffer.bytes[rest..<held])
        if footer, end.count == tail, length % 512 == 511 {
            // The first of what was kept is the disk's last byte.
            try unsafe put(
                UnsafeRawBufferPointer(rebasing: buffer.bytes[rest..<rest + 1]), at: &length, most, behind, writer)
            end = end.dropFirst() + [0]
        }
        let disk = footer ? try checkFooter(end, length) : length
        // What was passed over was no part of the disk after all.
        if options.rawSize == nil, disk > most { throw tooLong(most, writer) }
        if let size = options.rawSize, size != disk {
            if disk > size { throw tooLong(size, writer) }
            throw BlockError(.invalidImage, "the stream holds \(disk) bytes of the disk and should hold \(size)")
        }
        return disk
    }

    /// Writes what follows in the stream, and moves `length`: `most` bytes, behind which `behind` more are passed over.
    private func put(
        _ bytes: UnsafeRawBufferPointer, at length: inout UInt64, _ most: UInt64, _ behind: UInt64,
        _ writer: SparseWriter
    ) throws(BlockError) {
        let count = UInt64(bytes.count)
        let room = most - min(most, length)
        guard count <= room + (behind - (length - min(most, length))) else { throw tooLong(most, writer) }
        // SAFETY: at most the bytes that there are.
        try unsafe writer.write(UnsafeRawBufferPointer(rebasing: bytes[..<Int(min(count, room))]), at: length)
        length += count
        progress.add(count)
    }

    private func tooLong(_ most: UInt64, _ writer: SparseWriter) -> BlockError {
        if most == writer.size {
            return BlockError(
                .outOfRange, "the stream is longer than the disk of \(most) bytes: resize the disk first")
        }
        return BlockError(.limitExceeded, "the stream is longer than the \(most) bytes that are allowed here")
    }

    private func checkFooter(_ bytes: [UInt8], _ length: UInt64) throws(BlockError) -> UInt64 {
        let footer: VHDFooter
        do throws(BlockError) {
            footer = try VHDFooter(checking: bytes)
        } catch {
            throw BlockError(
                .invalidImage,
                "not a VHD, or cut off: the stream neither begins with the footer of a dynamic one nor ends with the"
                    + " footer of a fixed one (\(error.message))")
        }
        guard footer.kind == .fixed else {
            throw BlockError(
                .corrupt,
                "the copy of the footer at the beginning of the VHD is damaged, so it cannot be read as a stream")
        }
        guard footer.currentSize == length, footer.virtualSize <= length else {
            throw BlockError(
                .corrupt, "the VHD has \(length) bytes of data and says that the disk has \(footer.currentSize)")
        }
        // One that was being enlarged has its old footer among what comes after its size from before.
        return footer.growsFrom ?? footer.virtualSize
    }
}
