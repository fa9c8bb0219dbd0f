import Glibc
import Synchronization

/// The names of this process's files that are not complete yet: what an end that comes at once takes along.
enum TemporaryFiles {
    private static let names = Mutex<Set<String>>([])

    static func add(_ path: String) { names.withLock { _ = $0.insert(path) } }
    static func remove(_ path: String) { names.withLock { _ = $0.remove(path) } }

    /// `publish` gives the file its final name: an end that comes meanwhile waits, and finds it kept or still to be taken along.
    static func keeping<Failure: Error>(_ path: String?, _ publish: () throws(Failure) -> Void) throws(Failure) {
        try names.withLock { (names) throws(Failure) in
            try publish()
            if let path { names.remove(path) }
        }
    }

    /// None may be added from here on: the process is about to end.
    static func removeAll() {
        names.withLock { names in
            // SAFETY: Swift's own temporary C strings.
            for name in names { _ = unsafe unlink(name) }
            names.removeAll()
        }
    }
}
