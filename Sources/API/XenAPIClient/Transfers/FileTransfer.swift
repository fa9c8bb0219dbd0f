// SAFETY: the unsafe uses pass whole, live buffers and NUL-terminated strings to system calls.
import Glibc
import NIOCore
import NIOPosix

/// A file's content as a sequence of buffers, read on the blocking pool when asked for.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let file: OpenFile
    let length: UInt64
    let onProgress: @Sendable (_ done: UInt64, _ total: UInt64) -> Void

    private static let chunk = 1 << 20

    func makeAsyncIterator() -> Iterator { Iterator(chunks: self) }

    struct Iterator: AsyncIteratorProtocol {
        let chunks: FileChunks
        var position: UInt64 = 0

        mutating func next() async throws -> ByteBuffer? {
            guard position < chunks.length else { return nil }
            let wanted = Int(Swift.min(UInt64(FileChunks.chunk), chunks.length - position))
            let offset = position
            let file = chunks.file
            let buffer = try await NIOThreadPool.singleton.runIfActive { try file.read(wanted, at: offset) }
            position += UInt64(buffer.readableBytes)
            chunks.onProgress(position, chunks.length)
            return buffer
        }
    }
}

/// A local file of a transfer. Closed when the last user lets go of it.
final class OpenFile: Sendable {
    let path: String
    /// The name that the file has until it is whole; nil when it has its own from the beginning.
    private let working: String?
    private let descriptor: Int32
    private let isOwned: Bool

    /// Opens `path` to be read.
    init(reading path: String) throws(TransferFileError) {
        self.path = path
        working = nil
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        isOwned = true
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    /// Makes the file that `publish` will call `path`, readable by its owner only; nothing of that name may exist. An empty
    /// path is standard output.
    init(creating path: String) throws(TransferFileError) {
        self.path = path.isEmpty ? "standard output" : path
        isOwned = !path.isEmpty
        guard !path.isEmpty else {
            (working, descriptor) = (nil, 1)
            return
        }
        // Said before anything is received; `publish` makes sure of it.
        var status = stat()
        guard unsafe lstat(path, &status) != 0 else {
            throw TransferFileError(path: path, reason: unsafe String(cString: strerror(EEXIST)))
        }
        let name = "\(path).\(UInt32.random(in: 0...UInt32.max)).part"
        working = name
        descriptor = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    /// Gives a new file, which is whole now, its own name, once its content is on stable storage. Nothing is replaced.
    func publish() throws(TransferFileError) {
        guard let working else { return }
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        if unsafe link(working, path) == 0 {
            _ = unsafe unlink(working)
        } else {
            // File systems without links: nobody else should be making this file, so that it is looked for first will do.
            guard errno == EPERM || errno == ENOTSUP || errno == ENOSYS else { throw Self.failure(path) }
            guard unsafe access(path, F_OK) != 0 else {
                throw TransferFileError(path: path, reason: unsafe String(cString: strerror(EEXIST)))
            }
            guard unsafe rename(working, path) == 0 else { throw Self.failure(path) }
        }
        let folder = path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
        let parent = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw Self.failure(folder) }
        defer { close(parent) }
        guard fsync(parent) == 0 || errno == EINVAL else { throw Self.failure(folder) }
    }

    deinit { if isOwned, descriptor >= 0 { close(descriptor) } }

    /// Bytes in the file; a block device answers with its capacity.
    func size() throws(TransferFileError) -> UInt64 {
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw Self.failure(path) }
        return UInt64(end)
    }

    /// Exactly `count` bytes at `offset`; a file that has become shorter is an error.
    func read(_ count: Int, at offset: UInt64) throws(TransferFileError) -> ByteBuffer {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { to in
                unsafe pread(descriptor, to.baseAddress?.advanced(by: done), count - done, off_t(offset) + off_t(done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw Self.failure(path) }
            guard got > 0 else { throw TransferFileError(path: path, reason: "became shorter while it was read") }
            done += got
        }
        let buffer = ByteBuffer(bytes: bytes)
        return buffer
    }

    func write(_ buffer: ByteBuffer) throws(TransferFileError) {
        var rest = buffer.readableBytesView[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            guard written >= 0 else {
                if errno == EINTR { continue }
                throw Self.failure(path)
            }
            rest = rest.dropFirst(written)
        }
    }

    /// Removes a file that was not published from its folder.
    func remove() { if let working { _ = unsafe unlink(working) } }

    private static func failure(_ path: String) -> TransferFileError {
        TransferFileError(path: path, reason: unsafe String(cString: strerror(errno)))
    }
}
