import BlockIO
import CLinux
import Glibc

/// A temporary file without a name for bytes of a stream whose meaning is not known yet, each at its place in the stream.
/// It goes with this object, however the process ends.
final class SpillFile {
    private let file: ImageFile

    init(_ options: StreamReadOptions) throws(BlockError) { file = try Self.open(options) }

    /// The file itself. Nothing ever makes it durable.
    /// - Parameter name: what errors call it; nil: its folder.
    static func open(_ options: StreamReadOptions, as name: String? = nil) throws(BlockError) -> ImageFile {
        let folder = options.spillFolder ?? "."
        let descriptor: Int32
        if let made = options.spillFile {
            descriptor = fcntl(made, F_DUPFD_CLOEXEC, 0)
            if descriptor < 0 { throw BlockError(call: "fcntl(F_DUPFD)", errno: errno, path: folder) }
        } else {
            descriptor = try make(in: folder)
        }
        return try ImageFile(
            descriptor: descriptor, path: name ?? folder, isReadOnly: false, locking: false, isUnpublished: true)
    }

    /// A new one; the descriptor is the caller's.
    static func make(in folder: String) throws(BlockError) -> Int32 {
        // SAFETY: the C string lives for the call.
        var descriptor = unsafe folder.withCString { unsafe gantry_open_unnamed($0) }
        if descriptor == -EOPNOTSUPP || descriptor == -EISDIR { descriptor = Self.openNamed(in: folder) }
        guard descriptor >= 0 else { throw BlockError(call: "open(O_TMPFILE)", errno: -descriptor, path: folder) }
        return descriptor
    }

    /// Where the file system makes no files without a name: one whose name is gone at once. Descriptor or -errno.
    private static func openNamed(in folder: String) -> Int32 {
        var name = Array((folder + "/.gantry-stream-XXXXXX").utf8CString)
        // SAFETY: a C string of this function's own, which both calls leave as long as it is.
        return unsafe name.withUnsafeMutableBufferPointer { name in
            guard let base = name.baseAddress else { return -EINVAL }
            let descriptor = unsafe mkstemp(base)
            if descriptor < 0 { return -errno }
            unsafe unlink(base)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            return descriptor
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe file.write(bytes, at: offset)
    }

    /// Zeroes where nothing was written.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe file.read(into: buffer, at: offset)
    }

    deinit { file.close() }
}
