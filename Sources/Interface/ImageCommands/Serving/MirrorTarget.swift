import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import Glibc
import NBDTransport

/// The destination of a mirror: a new image, which gets its name when the pivot is prepared, or an empty one that is there.
final class MirrorTarget {
    let device: any BlockDevice
    private let pending: PendingFile?
    /// Connects to an export again; nil for images.
    let reopen: (@Sendable () throws(BlockError) -> any BlockDevice)?

    /// An export, all of which is overwritten.
    init(_ location: NBDLocation, text: String, connections: Int) throws(CommandFailure) {
        let open: @Sendable () throws(BlockError) -> any BlockDevice = { () throws(BlockError) in
            UnflushedExport(try NBDConnections(location, count: connections))
        }
        device = try doing("cannot mirror to \(text)") { () throws(BlockError) in try open() }
        reopen = open
        pending = nil
    }

    /// Opens `path`, or makes a new image of `size` bytes for it. An image that is there must be as large and hold no data:
    /// the mirror skips what is empty in the source.
    init(
        path: String, format: ImageFormat, size: UInt64, options: CreateOptions
    ) throws(CommandFailure) {
        let what = "cannot mirror to \(path)"
        reopen = nil
        // SAFETY: the C string lives for the call.
        if unsafe access(path, F_OK) != 0 {
            let file = try PendingFile(for: path)
            device = try doing(what) { () throws(BlockError) in
                try DiskImage.create(path: file.path, format: format, size: size, options: options)
            }
            pending = file
            return
        }
        let found = try doing(what) { () throws(BlockError) in
            try DiskImage.open(path: path, format: format, readOnly: false)
        }
        do throws(CommandFailure) {
            let held = try doing(what) { () throws(BlockError) in try CopyEngine.allocatedBytes(of: found) }
            if held > 0 {
                throw CommandFailure(
                    what, why: "it exists and holds \(ByteCount(held)) of data",
                    advice: RealPath.isRegularFile(path)
                        ? "another name, or removing it first"
                        : "another name, or a new image on it (gantry image create --overwrite)")
            }
        } catch {
            try? found.close()
            throw error
        }
        device = found
        pending = nil
    }

    /// Gives a new image its name.
    func publish() throws(BlockError) { try pending?.publish() }

    /// After the device was closed: removes a new image.
    func discard() { pending?.discard() }
}
