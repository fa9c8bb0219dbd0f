import BlockIO
import CoreTypes
import DiskImages
import Glibc

/// A new file under a temporary name beside its destination. Nobody finds a half-written image under the name they
/// asked for: it appears there, complete and durable, by one rename, or not at all.
final class PendingFile {
    // SAFETY (whole type): C strings live for the call they are given to; `stat` is a local variable.

    /// Where to write.
    let path: String
    /// Where it will be; symbolic links are followed.
    let destination: String
    /// The file that will be replaced, kept locked until then so that it is in nobody's use.
    private let replaced: ImageFile?
    /// The new file once more, from before anything was written until it is durable: a descriptor that is open all the
    /// time learns of every failure to write.
    private var unsynced: ImageFile?
    private var isNamed = false
    private var isSettled = false

    /// `destination` may be a regular file, which the new one replaces in the end. Throws when it is something else, when
    /// it is in use, or when it is the file `source`.
    init(for destination: String, besides source: String? = nil) throws(CommandFailure) {
        let real = RealPath.of(destination) ?? destination
        let what = "cannot write \(destination)"
        self.destination = real
        var status = stat()
        if unsafe stat(real, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CommandFailure(
                    what, why: "it exists and is not a regular file", advice: "-n, which writes into what is there")
            }
            var other = stat()
            if let source, unsafe stat(source, &other) == 0, other.st_dev == status.st_dev,
                other.st_ino == status.st_ino
            {
                throw CommandFailure(what, why: "it is the source itself", advice: "another name")
            }
            replaced = try doing(what) { () throws(BlockError) in try ImageFile(path: real, access: .readWrite) }
        } else {
            replaced = nil
        }
        // A name of its own, not the destination's with something added: that could become too long.
        path = "\(Self.folder(of: real))/.gantry-\(String(UInt64.random(in: 0...UInt64.max), radix: 16)).partial"
    }

    /// Makes an image here that syncs nothing while it is written: `publish` makes all of it durable at once.
    func create(
        format: ImageFormat, size: UInt64, options: CreateOptions
    ) throws(BlockError) -> any BlockDevice {
        let device = try DiskImage.create(
            path: path, format: format, size: size, options: options, isUnpublished: true)
        do throws(BlockError) {
            unsynced = try ImageFile(path: path, access: .readWrite, locking: false)
            return device
        } catch {
            try? device.close()
            throw error
        }
    }

    /// Gives the file its name, durably. What `create` made must be closed, anything else flushed. May be asked again
    /// after a failure.
    func publish() throws(BlockError) {
        if !isNamed {
            // Before the rename: a crash must not leave the name with a file that is not complete.
            try unsynced?.sync()
            unsynced?.close()
            unsynced = nil
            guard unsafe rename(path, destination) == 0 else {
                throw BlockError(call: "rename", errno: errno, path: destination)
            }
            isNamed = true
            replaced?.close()
        }
        // Opened for its folder only: whoever wrote it may have it open, and locked.
        let file = try ImageFile(path: destination, access: .readOnly, locking: false)
        defer { file.close() }
        try file.syncFolder()
        isSettled = true
    }

    /// Removes what was written, unless it has replaced another file. Nothing happens after `publish`.
    func discard() {
        if isSettled { return }
        isSettled = true
        if !isNamed {
            _ = unsafe unlink(path)
        } else if replaced == nil {
            _ = unsafe unlink(destination)
        }
        replaced?.close()
    }

    deinit { discard() }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
