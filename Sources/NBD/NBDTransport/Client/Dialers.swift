import CLinux
import Glibc
import Synchronization

/// Ways to servers that this process may not connect to itself: for each a socket whose other end belongs to a process that
/// connects to that server, and to nothing else, each time it is asked (`Dialer` of the data path).
public enum Dialers {
    private final class Line: Sendable {
        let descriptor: Int32
        let turn = Mutex(())
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    private static let lines = Mutex<[String: Line]>([:])

    /// Takes over `descriptor`. `place`: the path of a Unix socket, or `host:port`.
    public static func add(_ place: String, _ descriptor: Int32) {
        // What it replaces is closed outside of the lock.
        _ = lines.withLock { $0.updateValue(Line(descriptor), forKey: place) }
    }

    /// The process at its other end ends with this.
    public static func remove(_ place: String) {
        // Closed outside of the lock.
        _ = lines.withLock { $0.removeValue(forKey: place) }
    }

    /// The process at the other end of each ends with this.
    public static func removeAll() {
        _ = lines.withLock { lines in
            defer { lines = [:] }
            return lines
        }
    }

    /// A connected socket, -errno, or nil when there is no such way: then the caller connects by itself.
    static func connect(_ place: String) -> Int32? {
        guard let line = lines.withLock({ $0[place] }) else { return nil }
        return line.turn.withLock { _ in
            var byte: UInt8 = 1
            // SAFETY: a local byte, and local variables that the call fills.
            let sent = unsafe gantry_send(line.descriptor, &byte, 1)
            if sent != 1 { return sent < 0 ? Int32(sent) : -ECONNREFUSED }
            var number: Int32 = 0
            var (file, count): (Int32, Int32) = (-1, 0)
            while true {
                let n = unsafe gantry_receive_files(
                    line.descriptor, &number, MemoryLayout<Int32>.size, &file, 1, &count)
                if n == -Int64(EINTR) { continue }
                if n == Int64(MemoryLayout<Int32>.size), number == 0, count == 1 { return file }
                if count == 1 { close(file) }
                return n == Int64(MemoryLayout<Int32>.size) && number > 0 ? -number : -ECONNREFUSED
            }
        }
    }
}
