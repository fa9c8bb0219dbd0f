import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import Glibc
import NBDTransport
import Synchronization

/// The destination of a mirror: a new image, which gets its name when the pivot is prepared, or an empty one that is there.
final class MirrorTarget {
    let device: any BlockDevice
    private let pending: PendingFile?
    /// Connects to an export again; nil for images.
    let reopen: (@Sendable () throws(BlockError) -> any BlockDevice)?
    /// The export as it was reached last.
    private let export = Reached()
    /// One that says nothing for so long is lost, and tried again; as in a data path.
    private static let silence = 30.0

    /// An export, all of which is overwritten.
    init(_ location: NBDLocation, text: String, connections: Int) throws(CommandFailure) {
        let open: @Sendable () throws(BlockError) -> any BlockDevice = { () throws(BlockError) in
            UnflushedExport(try NBDConnections(location, count: connections, answerSeconds: Self.silence))
        }
        device = try doing("cannot mirror to \(text)") { () throws(BlockError) in try open() }
        reopen = open
        pending = nil
        _ = export.adopt(device)
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
            // Whatever comes to have the name before the pivot is somebody else's.
            let file = try PendingFile(exclusive: path, device: DeviceUse(format, overwrites: false))
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

    /// What takes the destination's place when it is reached again.
    var adopt: @Sendable (any BlockDevice) -> any BlockDevice { { [export] in export.adopt($0) } }

    /// Nothing else can take its place any more: it is waited for however long it takes.
    func becomeTheDisk() { export.device.withLock { $0?.waitForEver() } }

    /// Gives a new image its name.
    func publish() throws(BlockError) { try pending?.publish() }

    /// After the device was closed: removes a new image.
    func discard() { pending?.discard() }
}

/// An export, by what it was reached last.
private final class Reached: Sendable {
    let device = Mutex<UnflushedExport?>(nil)

    func adopt(_ next: any BlockDevice) -> any BlockDevice {
        device.withLock { $0 = next as? UnflushedExport }
        return next
    }
}
