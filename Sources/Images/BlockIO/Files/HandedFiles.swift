import Glibc
import Synchronization

/// Files that somebody else has opened for this process, by the paths that they are asked for: what a process that may not
/// open them itself can still be given.
public enum HandedFiles {
    private struct Table {
        var files: [String: [Int32]] = [:]
        /// Why those were not handed over that somebody tried to.
        var failures: [String: Int32] = [:]
        var isSealed = false
    }

    private static let table = Mutex(Table())

    /// `descriptor` stays the caller's, who keeps it open until `remove`.
    public static func add(_ path: String, _ descriptor: Int32) {
        table.withLock {
            $0.files[path, default: []].append(descriptor)
            $0.failures[path] = nil
        }
    }

    /// Who would have handed over what is at `path` met this error number, which whoever asks for it here meets too.
    public static func addFailure(_ path: String, _ number: Int32) {
        table.withLock { $0.failures[path] = number }
    }

    public static func remove(_ path: String, _ descriptor: Int32) {
        table.withLock { table in
            let rest = (table.files[path] ?? []).filter { $0 != descriptor }
            table.files[path] = rest.isEmpty ? nil : rest
        }
    }

    /// From here on there is nothing but what is handed over: this process sees another file system than who asks it, and what
    /// it finds there under a path says nothing.
    public static func seal() { table.withLock { $0.isSealed = true } }

    static var isSealed: Bool { table.withLock { $0.isSealed } }

    /// As open(2) of a file that is there: a new descriptor of what was handed over as `path` for at least what `flags` ask,
    /// or what the system opens. The former shares its lock with others of the same handing over.
    public static func open(_ path: String, _ flags: Int32) -> Int32 {
        let (copy, failure) = table.withLock { table -> (Int32, Int32?) in
            if let descriptor = table.files[path]?.last(where: { allows($0, flags) }) {
                return (fcntl(descriptor, F_DUPFD_CLOEXEC, 0), nil)
            }
            return (-1, table.isSealed ? table.failures[path] ?? EACCES : nil)
        }
        if let failure {
            errno = failure
            return -1
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
