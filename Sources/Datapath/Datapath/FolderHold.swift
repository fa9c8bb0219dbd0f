import BlockIO
import Glibc

/// Keeps the images of an SR's folder as they are while a chain of them is opened: whoever changes their structures, which
/// others have open or may open, holds the folder alone meanwhile, for a moment. Folders that are no SR's have no such lock.
enum FolderHold {
    /// The file that all who work on an SR's folder lock.
    private static let marker = ".gantry-sr"

    static func shared<T>(folderOf path: String, _ body: () throws(BlockError) -> T) throws(BlockError) -> T {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
        let descriptor = unsafe open(folder + marker, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return try body() }
        defer {
            // Closing alone is not enough: a child process between its fork and exec shares the lock.
            flock(descriptor, LOCK_UN)
            close(descriptor)
        }
        while flock(descriptor, LOCK_SH) != 0 {
            if errno == EINTR { continue }
            throw BlockError(call: "flock", errno: errno, path: folder + marker)
        }
        return try body()
    }
}
