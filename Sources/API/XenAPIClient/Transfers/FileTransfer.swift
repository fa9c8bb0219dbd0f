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
    /// Where the file is made and how it is called until it is whole; nil when it has its name from the beginning.
    private let making: Making?
    private let descriptor: Int32
    private let isOwned: Bool

    private struct Making {
        /// The folder, open as a place only: it may be one that can be written and not be read.
        let folder: Int32
        /// Nil: the file has no name at all, and goes with the process.
        let working: String?
        let name: String
    }

    /// Longest name of a file on Linux, bytes.
    private static let longestName = 255
    /// O_PATH, which the module Glibc leaves out; the same on all machines that Swift runs on.
    private static let placeOnly: Int32 = 0o10_000_000
    /// O_TMPFILE, which the module leaves out, too.
    private static let nameless: Int32 = 0o20_000_000 | O_DIRECTORY

    /// Opens `path` to be read.
    init(reading path: String) throws(TransferFileError) {
        self.path = path
        making = nil
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
            (making, descriptor) = (nil, 1)
            return
        }
        let cut = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let name = String(path[cut...])
        let place = cut == path.startIndex ? "." : String(path[..<cut])
        let folder = unsafe open(place, Self.placeOnly | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.failure(path) }
        // Said before anything is received; `publish` makes sure of it.
        var status = stat()
        let isTaken = unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
        guard !isTaken, errno == ENOENT else {
            let failure = isTaken ? Self.failure(path, EEXIST) : Self.failure(path)
            close(folder)
            throw failure
        }
        // A process that is killed leaves nothing of a file without a name.
        var working: String?
        var made = unsafe openat(folder, ".", Self.nameless | O_WRONLY | O_CLOEXEC, 0o600)
        if made >= 0, unsafe access(Self.way(to: made), F_OK) != 0 {
            // Nothing leads from it to a name here.
            close(made)
            made = -1
        }
        if made < 0 {
            let chosen = Self.workingName(name)
            made = unsafe openat(folder, chosen, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            working = chosen
        }
        guard made >= 0 else {
            let failure = Self.failure(path)
            close(folder)
            throw failure
        }
        making = Making(folder: folder, working: working, name: name)
        descriptor = made
    }

    private static func way(to descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    /// The name of a file, marked as unfinished; as much of it as there is room for, in whole characters.
    private static func workingName(_ name: String) -> String {
        let end = ".\(UInt32.random(in: 0...UInt32.max)).part"
        var start = Substring(name)
        while start.utf8.count + end.utf8.count > longestName { start.removeLast() }
        return start + end
    }

    /// Gives a new file, which is whole now, its own name, once its content is on stable storage. Nothing is replaced. When
    /// this fails there is no file of that name.
    func publish() throws(TransferFileError) {
        guard let making else { return }
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        guard let working = making.working else {
            let way = Self.way(to: descriptor)
            guard unsafe linkat(AT_FDCWD, way, making.folder, making.name, AT_SYMLINK_FOLLOW) == 0 else {
                throw Self.failure(path)
            }
            return try settle(making)
        }
        if unsafe linkat(making.folder, working, making.folder, making.name, 0) == 0 {
            _ = unsafe unlinkat(making.folder, working, 0)
        } else {
            // File systems without links: nobody else should be making this file, so that it is looked for first will do.
            guard errno == EPERM || errno == ENOTSUP || errno == ENOSYS else { throw Self.failure(path) }
            guard unsafe faccessat(making.folder, making.name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 else {
                throw Self.failure(path, EEXIST)
            }
            guard unsafe renameat(making.folder, working, making.folder, making.name) == 0 else {
                throw Self.failure(path)
            }
        }
        try settle(making)
    }

    /// The new name is durable, or goes.
    private func settle(_ making: Making) throws(TransferFileError) {
        if let error = nameIsStored(in: making.folder) {
            _ = unsafe unlinkat(making.folder, making.name, 0)
            throw Self.failure(path, error)
        }
    }

    /// Brings the new name onto stable storage; the error number when that failed.
    private func nameIsStored(in folder: Int32) -> Int32? {
        let readable = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard readable >= 0 else {
            // A folder that we may write and not read: everything is synced instead. Linux waits until that is done.
            sync()
            return nil
        }
        defer { close(readable) }
        return fsync(readable) == 0 || errno == EINVAL ? nil : errno
    }

    deinit {
        if let making { close(making.folder) }
        if isOwned, descriptor >= 0 { close(descriptor) }
    }

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
    func remove() {
        if let making, let working = making.working { _ = unsafe unlinkat(making.folder, working, 0) }
    }

    private static func failure(_ path: String, _ error: Int32 = errno) -> TransferFileError {
        TransferFileError(path: path, reason: unsafe String(cString: strerror(error)))
    }
}
