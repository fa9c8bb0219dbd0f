import BlockIO
import CLinux
import CoreTypes
import DiskImages
import Glibc

/// A temporary file without a name in the folder of an image: room is taken where the image is, and nothing can be left
/// behind, however this process ends.
final class UnnamedFile {
    private let descriptor: Int32
    /// A path that opens the same file again, as long as this object lives.
    var path: String { "/proc/self/fd/\(descriptor)" }

    /// In the folder that holds `image`.
    init(beside image: String) throws(BlockError) {
        let folder = image.lastIndex(of: "/").map { String(image[..<$0]) } ?? "."
        // SAFETY: the C string lives for the call.
        descriptor = unsafe folder.withCString { unsafe gantry_open_unnamed($0) }
        guard descriptor >= 0 else { throw BlockError(call: "open(O_TMPFILE)", errno: -descriptor, path: folder) }
    }

    deinit { close(descriptor) }

    /// Copies the whole stream into the file.
    func fill(from stream: Int32) throws(BlockError) {
        let buffer = AlignedBuffer(count: 1 << 20)
        while true {
            let count = try ByteStream.read(stream, into: buffer)
            if count == 0 { return }
            // SAFETY: what was just read.
            try unsafe ByteStream.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<count]), to: descriptor)
        }
    }

    /// Makes the file an empty image, lets `body` fill it and closes it.
    func withTarget(
        format: ImageFormat, size: UInt64, _ body: (any BlockDevice) throws(BlockError) -> Void
    ) throws(BlockError) {
        let target = try DiskImage.format(path: path, format: format, size: size, options: CreateOptions())
        do throws(BlockError) {
            try body(target)
        } catch {
            try? target.close()
            throw error
        }
        try target.close()
    }

    /// Writes the whole file to the stream.
    func drain(to stream: Int32) throws(BlockError) {
        if lseek(descriptor, 0, SEEK_SET) < 0 { throw BlockError(call: "lseek", errno: errno) }
        let buffer = AlignedBuffer(count: 1 << 20)
        while true {
            let count = try ByteStream.read(descriptor, into: buffer)
            if count == 0 { return }
            // SAFETY: what was just read.
            try unsafe ByteStream.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<count]), to: stream)
        }
    }
}
