import BlockIO
import DatapathControl
import Glibc

/// Keeps the images of an SR's folder as they are while a chain of them is opened: whoever changes their structures, which
/// others have open or may open, holds the folder alone meanwhile, for a moment. Folders that are no SR's have no such lock.
enum FolderHold {
    static func shared<T>(folderOf path: String, _ body: () throws(BlockError) -> T) throws(BlockError) -> T {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
        let marker = ImageSpecification.folderMarker
        let descriptor = HandedFiles.openForReading(folder + marker)
        // One that is there, and that this process may not open, holds for it all the same.
        if descriptor < 0, errno == EACCES { throw BlockError(call: "open", errno: EACCES, path: folder + marker) }
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
