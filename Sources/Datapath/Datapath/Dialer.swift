import BlockIO
import CLinux
import CoreTypes
public import DatapathControl
import Foundation
import NBDTransport

/// A process that connects to one server, and to nothing else, each time a data path asks, which has neither the network nor
/// the right to open that server's socket. It outlives the toolstack and ends with the data path.
public enum Dialer {
    /// Answers on `channel`, a stream socket, until the other end closes it: a byte is answered by an error number (4 bytes, this
    /// machine's order) and, where that is 0, the connected socket.
    public static func run(_ image: ImageSpecification, channel: Int32) throws {
        guard let server = image.server else { throw BlockError(.unsupported, "'\(image.path)' is no export") }
        // Whoever started us waits for no more than this.
        let detached = gantry_detach()
        guard detached == 0 else { throw BlockError(call: "fork", errno: -detached) }
        gantry_ignore_sigpipe()
        // For sockets that are another user's. Without root it has less already.
        _ = gantry_keep_file_access()
        DatapathConfinement.apply()
        var byte: UInt8 = 0
        while true {
            // SAFETY: local variables, for the calls.
            let n = unsafe gantry_receive(channel, &byte, 1)
            if n == -Int64(EINTR) { continue }
            guard n == 1 else { return }
            let connected =
                switch server {
                case .unix(let path): unsafe gantry_unix_connect(path)
                case .tcp(let host, let port): unsafe gantry_tcp_connect(host, port)
                }
            var number = connected < 0 ? -connected : 0
            let length = MemoryLayout<Int32>.size
            let sent =
                connected < 0
                ? unsafe gantry_send(channel, &number, length)
                : unsafe gantry_send_files(channel, &number, length, [connected], 1)
            if connected >= 0 { close(connected) }
            guard sent == Int64(length) else { return }
        }
    }
}
