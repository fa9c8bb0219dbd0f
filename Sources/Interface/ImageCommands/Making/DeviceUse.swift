import BlockIO
import CoreTypes
import DiskImages
import Glibc

/// A new image on a block device: which, and whether what the device holds may go.
struct DeviceUse {
    let format: ImageFormat
    let overwrites: Bool

    init(_ format: ImageFormat, overwrites: Bool) {
        self.format = format
        self.overwrites = overwrites
    }

    /// Throws unless the block device at `path` may take a new image as `use` says.
    static func check(_ path: String, _ use: DeviceUse?, _ what: String) throws(CommandFailure) {
        guard let use, use.format != .raw else {
            throw CommandFailure(
                what, why: "a block device is a raw disk as it is, of its own size",
                advice: "gantry image convert -n, which writes into what is there, or qcow2 or vhd as the format")
        }
        // The kernel gives a device that is mounted, or a part of another one, to nobody so.
        // SAFETY: Swift's own temporary C string.
        let descriptor = unsafe open(path, O_RDONLY | O_EXCL | O_CLOEXEC)
        if descriptor < 0, errno == EBUSY {
            throw CommandFailure(
                what, why: "the block device is mounted, or a part of another one", advice: "stopping what uses it")
        }
        if descriptor >= 0 { _ = close(descriptor) }
        if use.overwrites { return }
        let isEmpty = try doing(what) { () throws(BlockError) in
            let device = try DiskImage.open(path: path, format: .raw, readOnly: true)
            defer { try? device.close() }
            let size = device.size
            let (head, tail) = (min(size, DeviceMarks.head), min(size, DeviceMarks.tail))
            if try !isZeroes(device, at: 0, length: head) { return false }
            return try isZeroes(device, at: size - tail, length: tail)
        }
        guard isEmpty else {
            throw CommandFailure(
                what, why: "the block device is not empty", advice: "--overwrite, if what it holds may be lost")
        }
    }

    private static func isZeroes(
        _ device: any BlockDevice, at offset: UInt64, length: UInt64
    ) throws(BlockError) -> Bool {
        if length == 0 { return true }
        let buffer = AlignedBuffer(count: Int(length))
        // SAFETY: the buffer's own bytes, while it lives.
        try unsafe device.read(into: buffer.bytes, at: offset)
        return unsafe isZero(UnsafeRawBufferPointer(buffer.bytes))
    }

    /// What is on the device is no image any more, nor anything that was there before.
    static func clear(_ path: String) {
        guard let device = try? DiskImage.open(path: path, format: .raw, readOnly: false) else { return }
        let (head, tail) = (min(device.size, DeviceMarks.head), min(device.size, DeviceMarks.tail))
        try? device.writeZeroes(at: 0, length: head, mayUnmap: false)
        try? device.writeZeroes(at: device.size - tail, length: tail, mayUnmap: false)
        try? device.close()
    }

    /// The first sector, by which it is known whether anything was written.
    static func firstSector(_ path: String) -> [UInt8]? {
        guard let device = try? DiskImage.open(path: path, format: .raw, readOnly: true) else { return nil }
        defer { try? device.close() }
        let buffer = AlignedBuffer(count: 512)
        // SAFETY: the buffer's own bytes, while it lives.
        guard device.size >= 512, (try? unsafe device.read(into: buffer.bytes, at: 0)) != nil else { return nil }
        return unsafe Array(buffer.bytes)
    }
}
