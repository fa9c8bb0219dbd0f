import BlockCopy
public import BlockIO
import CLinux
public import CoreTypes
public import DatapathControl
import DiskImages
import Foundation

/// Moves a disk's content between an image file and a byte stream (an upload or a download), in a process of its own:
/// what a stranger uploaded is parsed here, and cancelling is killing.
public enum ImageTransfer {
    /// Reads a stream in `streamFormat` and writes its content to the image. The stream may be shorter than the disk:
    /// the rest is left as it was for raw, and is part of the virtual size for the others. `.outOfRange` when it is
    /// larger. The formats that need seeking are kept in an unnamed file beside the image while they are read.
    public static func receive(
        from stream: Int32, streamFormat: ImageFormat, into image: ImageSpecification
    ) throws(BlockError) {
        let device = try open(image, readOnly: false)
        do throws(BlockError) {
            if streamFormat == .raw {
                try receiveRaw(from: stream, into: device)
            } else {
                let spool = try UnnamedFile(beside: image.path)
                try spool.fill(from: stream)
                let source = try DiskImage.open(path: spool.path, format: streamFormat, readOnly: true)
                guard source.size <= device.size else {
                    throw BlockError(
                        .outOfRange,
                        "the uploaded image has \(source.size) bytes and the disk only \(device.size): resize the disk first"
                    )
                }
                try CopyEngine.copy(from: source, to: device)
                try source.close()
            }
            try device.flush()
        } catch {
            try? device.close()
            throw error
        }
        try device.close()
    }

    /// Writes the image's content to the stream in `streamFormat`.
    public static func send(
        _ image: ImageSpecification, to stream: Int32, streamFormat: ImageFormat
    ) throws(BlockError) {
        let device = try open(image, readOnly: true)
        if streamFormat == .raw {
            try sendRaw(device, to: stream)
        } else {
            let spool = try UnnamedFile(beside: image.path)
            try spool.withTarget(format: streamFormat, size: device.size) { target throws(BlockError) in
                var options = CopyEngine.Options()
                options.destinationIsZero = true
                // One thread allocates in ascending order: stream readers expect blocks to ascend.
                options.threads = 1
                try CopyEngine.copy(from: device, to: target, options: options)
            }
            try spool.drain(to: stream)
        }
        try device.close()
    }

    private static func open(_ image: ImageSpecification, readOnly: Bool) throws(BlockError) -> any BlockDevice {
        guard let format = ImageFormat(parsing: image.format) else {
            throw BlockError(.unsupported, "'\(image.format)' is not an image format; expected raw, vhd or qcow2")
        }
        return try DiskImage.open(path: image.path, format: format, readOnly: readOnly)
    }

    private static func receiveRaw(from stream: Int32, into device: any BlockDevice) throws(BlockError) {
        let buffer = AlignedBuffer(count: 1 << 20)
        let granule = 65536
        var offset: UInt64 = 0
        while true {
            let count = try ByteStream.read(stream, into: buffer)
            if count == 0 { return }
            guard offset + UInt64(count) <= device.size else {
                throw BlockError(
                    .outOfRange, "the upload is longer than the disk of \(device.size) bytes: resize the disk first")
            }
            var start = 0
            while start < count {
                let end = min(count, start + granule)
                // SAFETY: the slice lies inside what was just read into this function's own buffer.
                let piece = unsafe UnsafeRawBufferPointer(rebasing: buffer.bytes[start..<end])
                if unsafe isZero(piece) {
                    try device.writeZeroes(at: offset, length: UInt64(piece.count), mayUnmap: true)
                } else {
                    try unsafe device.write(piece, at: offset)
                }
                offset += UInt64(piece.count)
                start = end
            }
        }
    }

    private static func sendRaw(_ device: any BlockDevice, to stream: Int32) throws(BlockError) {
        let buffer = AlignedBuffer(count: 1 << 20)
        var offset: UInt64 = 0
        while offset < device.size {
            let count = unsafe Int(min(UInt64(buffer.bytes.count), device.size - offset))
            // SAFETY: at most the buffer's own size.
            let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<count])
            try unsafe device.read(into: piece, at: offset)
            try unsafe ByteStream.write(UnsafeRawBufferPointer(piece), to: stream)
            offset += UInt64(count)
        }
    }
}
