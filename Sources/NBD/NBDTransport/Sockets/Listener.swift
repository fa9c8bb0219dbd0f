import BlockIO
import CLinux
import Glibc
import Synchronization

/// A listening socket and the thread that accepts on it.
final class Listener: Sendable {
    private let descriptor: Int32
    private let path: String?
    /// Device and inode of the socket file, so that `stop` removes no other server's.
    private let identity: [UInt64]?
    private let thread = Mutex<WorkerThread?>(nil)

    init(descriptor: Int32, path: String?) {
        self.descriptor = descriptor
        self.path = path
        identity = path.flatMap(Self.identity)
    }

    /// Starts accepting; each new socket goes to `admit`, which owns it.
    func run(_ admit: @escaping @Sendable (Int32) -> Void) {
        let descriptor = descriptor
        let started = WorkerThread("nbd-listen") {
            while true {
                let accepted = gantry_accept(descriptor)
                if accepted >= 0 {
                    admit(accepted)
                    continue
                }
                switch -accepted {
                case EINTR, ECONNABORTED, EPROTO:
                    continue
                case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                    // The process is short of descriptors or memory; clients wait in the backlog meanwhile.
                    usleep(20_000)
                default:
                    return
                }
            }
        }
        thread.withLock { $0 = started }
    }

    /// Ends the thread, closes the socket and removes its file.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        Glibc.close(descriptor)
        if let path, let identity, Self.identity(path) == identity { unsafe unlink(path) }
    }

    private static func identity(_ path: String) -> [UInt64]? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }
}
