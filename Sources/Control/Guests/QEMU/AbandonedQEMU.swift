import CLinux
import Foundation

/// Ends a QEMU that is known only by the socket of its monitor: the daemon died between starting it and noting its id.
enum AbandonedQEMU {
    /// Tells who listens at `path` to quit and waits until it has, at most 5 s. Nobody listens: nothing happens.
    static func dismiss(monitor path: String) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                dismissBlocking(monitor: path)
                continuation.resume()
            }
        }
    }

    private static func dismissBlocking(monitor path: String) {
        let socket = unsafe path.withCString { unsafe gantry_unix_connect($0) }
        guard socket >= 0 else { return }
        defer { close(socket) }
        let words =
            QMPMessage.command("qmp_capabilities", arguments: nil, id: 1)
            + QMPMessage.command("quit", arguments: nil, id: 2)
        // SAFETY: both calls stay within the arrays given.
        _ = unsafe words.withUnsafeBytes { unsafe gantry_send(socket, $0.baseAddress, $0.count) }
        let deadline = gantry_now() + 5_000_000_000
        var chunk = [UInt8](repeating: 0, count: 4096)
        var set = [pollfd(fd: socket, events: Int16(POLLIN), revents: 0)]
        while gantry_now() < deadline {
            _ = unsafe poll(&set, 1, 100)
            guard set[0].revents != 0 else { continue }
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe gantry_receive(socket, $0.baseAddress, $0.count) }
            if count <= 0 { return }
        }
    }
}
