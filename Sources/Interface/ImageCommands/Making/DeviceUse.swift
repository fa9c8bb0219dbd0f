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

    /// Where file systems, partition tables, volume managers, RAID and images have their marks.
    private static let head: UInt64 = 1 << 20
    private static let tail: UInt64 = 128 << 10

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
            let (head, tail) = (min(size, head), min(size, tail))
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

    /// What is on the device is no image any more: first and last sector become zeroes.
    static func clear(_ path: String) {
        guard let device = try? DiskImage.open(path: path, format: .raw, readOnly: false) else { return }
        for offset in [0, device.size - min(device.size, 512)] {
            try? device.writeZeroes(at: offset, length: min(device.size, 512), mayUnmap: false)
        }
        try? device.close()
    }
}
