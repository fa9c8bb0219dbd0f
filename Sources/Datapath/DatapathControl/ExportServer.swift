import CLinux
import CoreTypes
import Glibc

/// Where the server of an export listens.
public enum ExportServer: Hashable, Sendable {
    case unix(path: String)
    case tcp(host: String, port: UInt16)

    /// What it is called where only one of them is meant: the path, or `host:port`.
    public var name: String {
        switch self {
        case .unix(let path): path
        case .tcp(let host, let port): "\(host):\(port)"
        }
    }

    init(_ location: NBDLocation) {
        switch location {
        case .tcp(let host, let port, _): self = .tcp(host: host, port: port)
        case .unix(let socket, _): self = .unix(path: socket)
        case .secured(let inner, _, _): self.init(inner)
        }
    }
}

extension ImageSpecification {
    /// Nil for a file, and for an export whose text is wrong.
    public var server: ExportServer? {
        switch format {
        case Self.nbd: NBDAddress(parsing: path).map { .unix(path: $0.socket) }
        case Self.remote: NBDLocation(parsing: path).map(ExportServer.init)
        default: nil
        }
    }

    /// Starts a process that connects to the export's server, and to nothing else, whenever it is asked on the socket that this
    /// returns, which is the caller's; it ends with the last copy of that. `program`: the path of gantry-datapath.
    public func dial(with program: String) throws -> Int32 {
        var (near, far): (Int32, Int32) = (-1, -1)
        // SAFETY: the call fills the two integers.
        let paired = unsafe gantry_socket_pair(&near, &far)
        guard paired == 0 else { throw Self.failure("a pair of sockets", paired) }
        defer { close(far) }
        let arguments = ["gantry-datapath", "dial", "--image", path, "--format", format]
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        // SAFETY: the array ends with nil and lives until the call returns; the child has its own copy then.
        let pid = unsafe gantry_spawn(program, &pointers, nil, far, -1, -1, true)
        guard pid > 0 else {
            close(near)
            throw Self.failure(program, pid)
        }
        // It goes on in a child of its own, which is nobody's to wait for.
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return near
    }

    private static func failure(_ what: String, _ status: Int32) -> DatapathClient.Failure {
        DatapathClient.Failure(
            code: "io", message: "cannot start \(what): \(unsafe String(cString: strerror(-status)))")
    }
}

extension DatapathRequest {
    /// The export that the data path has to connect to for it.
    var export: ImageSpecification? {
        switch self {
        case .mirrorStart(let image, _, _, _), .resume(let image): image.server == nil ? nil : image
        default: nil
        }
    }
}
