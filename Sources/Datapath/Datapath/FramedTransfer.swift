import BlockIO
import CoreTypes
import DiskImages

/// The framing of a raw import of which only parts are sent: `[offset: u64, length: u32, data…]`, little endian, in any order,
/// ended by a frame of offset 0 and length 0. What no frame covers is not part of the stream. Source: `chunked` of XenAPI's
/// `import_raw_vdi`, as vhd-tool sends and receives it.
struct FrameHeader: Hashable {
    static let size = 12

    let offset: UInt64
    let length: UInt32

    var isLast: Bool { offset == 0 && length == 0 }

    /// The fields of the first `size` bytes; nil when there are fewer.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count >= Self.size else { return nil }
        offset = Self.littleEndian(bytes.prefix(8))
        length = UInt32(truncatingIfNeeded: Self.littleEndian(bytes.dropFirst(8).prefix(4)))
    }

    private static func littleEndian(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Writes frames where they say, and nothing else.
enum FramedTransfer {
    private static let pieceSize = 1 << 20

    /// Reads frames to the last one and the stream's end. `.outOfRange` for one that reaches past the device,
    /// `.invalidImage` for a stream that ends before the last frame or goes on behind it; the frames before are written.
    static func receive(from source: any ByteSource, into device: any BlockDevice) throws(BlockError) {
        let buffer = AlignedBuffer(count: pieceSize)
        while true {
            // SAFETY: a part of the buffer, which outlives the call.
            let head = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<FrameHeader.size])
            try unsafe fill(head, from: source)
            guard let frame = unsafe FrameHeader(head), !frame.isLast else { break }
            try device.checkRange(frame.offset, UInt64(frame.length))
            var (position, left) = (frame.offset, Int(frame.length))
            while left > 0 {
                // SAFETY: as above.
                let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<min(left, pieceSize)])
                try unsafe fill(piece, from: source)
                try unsafe device.write(UnsafeRawBufferPointer(piece), at: position)
                position += UInt64(piece.count)
                left -= piece.count
            }
        }
        // SAFETY: one byte of the buffer.
        guard try unsafe source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<1])) == 0 else {
            throw BlockError(.invalidImage, "there are bytes after the last frame")
        }
    }

    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from source: any ByteSource
    ) throws(BlockError) {
        var count = 0
        while count < buffer.count {
            // SAFETY: the rest of the caller's buffer.
            let read = try unsafe source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            guard read > 0 else {
                throw BlockError(
                    .disconnected, "the stream ends before its last frame, which has offset 0 and length 0")
            }
            count += read
        }
    }
}
