import CLinux
import DatapathControl
import Glibc
import Synchronization

/// A connection within this process: `near` is given to QEMU, `far` is read and written here, on threads that may wait.
final class SocketPair: Sendable {
    private let ends: Mutex<(near: Int32, far: Int32)>

    init() throws {
        var made: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        // SAFETY: socketpair fills the two elements.
        guard unsafe socketpair(AF_UNIX, kind, 0, &made) == 0 else {
            throw DatapathClient.Failure(code: "io", message: "a pair of sockets could not be made: error \(errno)")
        }
        ends = Mutex((near: made[0], far: made[1]))
    }

    var near: Int32 { ends.withLock { $0.near } }

    /// QEMU has its own now: the connection ends when it closes that.
    func closeNear() {
        ends.withLock { ends in
            if ends.near >= 0 { close(ends.near) }
            ends.near = -1
        }
    }

    /// The end on this side becomes the caller's, who closes it.
    func takeFar() -> Int32 {
        ends.withLock { ends in
            defer { ends.far = -1 }
            return ends.far
        }
    }

    /// Ends the connection for whoever reads or writes, on both sides.
    func cut() { ends.withLock { _ = shutdown($0.far, Int32(SHUT_RDWR)) } }

    /// Up to `limit` bytes, as many unless the other end has closed; empty then.
    func read(limit: Int) async -> [UInt8] {
        await onThread { [self] in
            let far = ends.withLock { $0.far }
            var bytes = [UInt8](repeating: 0, count: limit)
            var filled = 0
            while filled < limit {
                // SAFETY: receives behind what is filled, at most the rest.
                let count = unsafe bytes.withUnsafeMutableBytes {
                    unsafe gantry_receive(far, $0.baseAddress.map { unsafe $0 + filled }, limit - filled)
                }
                if count == -Int64(EINTR) { continue }
                if count <= 0 { break }
                filled += Int(count)
            }
            bytes.removeLast(limit - filled)
            return bytes
        }
    }

    /// False when the other end has closed.
    func write(_ bytes: [UInt8]) async -> Bool {
        await onThread { [self] in
            let far = ends.withLock { $0.far }
            var sent = 0
            while sent < bytes.count {
                // SAFETY: inside the array.
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe gantry_send(far, $0.baseAddress.map { unsafe $0 + sent }, bytes.count - sent)
                }
                if count == -Int64(EINTR) { continue }
                if count <= 0 { return false }
                sent += Int(count)
            }
            return true
        }
    }

    deinit {
        let last = ends.withLock { $0 }
        if last.near >= 0 { close(last.near) }
        if last.far >= 0 { close(last.far) }
    }
}
