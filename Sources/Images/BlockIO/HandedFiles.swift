import Glibc
import Synchronization

/// Files that somebody else has opened for this process, by the paths that they are asked for: what a process that may not
/// open them itself can still be given.
public enum HandedFiles {
    private static let files = Mutex<[String: [Int32]]>([:])

    /// `descriptor` stays the caller's, who keeps it open until `remove`.
    public static func add(_ path: String, _ descriptor: Int32) {
        files.withLock { $0[path, default: []].append(descriptor) }
    }

    public static func remove(_ path: String, _ descriptor: Int32) {
        files.withLock { files in
            let rest = (files[path] ?? []).filter { $0 != descriptor }
            files[path] = rest.isEmpty ? nil : rest
        }
    }

    /// As open(2) of a file that is there: a new descriptor of what was handed over as `path` for at least what `flags` ask,
    /// or what the system opens. The former shares its lock with others of the same handing over.
    static func open(_ path: String, _ flags: Int32) -> Int32 {
        let copy = files.withLock { files -> Int32 in
            guard let descriptor = files[path]?.last(where: { allows($0, flags) }) else { return -1 }
            return fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        }
        // SAFETY: Swift's own temporary C string.
        return copy >= 0 ? copy : unsafe Glibc.open(path, flags, 0o644)
    }

    private static func allows(_ descriptor: Int32, _ flags: Int32) -> Bool {
        if flags & (O_CREAT | O_TRUNC) != 0 { return false }
        let mode = fcntl(descriptor, F_GETFL)
        return mode >= 0 && (mode & O_ACCMODE == O_RDWR || mode & O_ACCMODE == flags & O_ACCMODE)
    }

    /// As `open`, for who is no part of the engine.
    public static func openForReading(_ path: String) -> Int32 {
        open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    }
}
