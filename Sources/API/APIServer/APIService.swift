import Foundation
import Glibc
import HummingbirdCore
public import Logging
public import Toolstack

/// The API of one toolstack on its addresses.
public final class APIService: Sendable {
    private let listeners: [Listener]
    private let dispatcher: Dispatcher
    /// `http://ADDR:PORT` with the real port; nil without a TCP address.
    public let httpURL: String?
    public let socketPath: String?

    /// Listens on the TCP address and the Unix socket; nil leaves one out. The socket has mode 0600 and, unless its
    /// folder is there already, a folder of mode 0700: whoever reaches it is the local superuser.
    public static func start(
        dispatcher: Dispatcher, transfers: any DiskTransfers, services: HostServices? = nil, http: HTTPAddress?,
        socket: String?, logger: Logger
    ) async throws -> APIService {
        var listeners: [Listener] = []
        var url: String?
        var routes = HTTPRoutes()
        if let services {
            HostEndpoints(dispatcher: dispatcher, services: services, logger: logger).register(in: &routes)
        }
        let allRoutes = routes
        func router(isLocal: Bool) -> RequestRouter {
            RequestRouter(
                rpc: RPCEndpoint(dispatcher: dispatcher),
                transfers: TransferEndpoint(dispatcher: dispatcher, transfers: transfers, logger: logger),
                routes: allRoutes,
                isLocal: isLocal, logger: logger)
        }
        do {
            if let socket {
                try prepareFolder(of: socket)
                listeners.append(
                    try await Listener.start(
                        .unixDomainSocket(path: socket), router: router(isLocal: true), logger: logger))
                guard unsafe chmod(socket, 0o600) == 0 else { throw CocoaError(.fileWriteNoPermission) }
            }
            if let http {
                let listener = try await Listener.start(
                    .hostname(http.host, port: http.port), router: router(isLocal: false), logger: logger)
                listeners.append(listener)
                url = HTTPAddress(host: http.host, port: listener.port ?? http.port).url
            }
        } catch {
            for listener in listeners { await listener.stop(patience: .zero) }
            throw error
        }
        return APIService(listeners: listeners, dispatcher: dispatcher, httpURL: url, socketPath: socket)
    }

    private init(listeners: [Listener], dispatcher: Dispatcher, httpURL: String?, socketPath: String?) {
        self.listeners = listeners
        self.dispatcher = dispatcher
        self.httpURL = httpURL
        self.socketPath = socketPath
    }

    /// Ends waiting calls, lets the others finish for `patience`, and closes all connections.
    public func stop(patience: Duration = .seconds(5)) async {
        dispatcher.stop()
        await withTaskGroup(of: Void.self) { group in
            for listener in listeners { group.addTask { await listener.stop(patience: patience) } }
        }
        if let socketPath { unsafe unlink(socketPath) }
    }

    private static func prepareFolder(of socket: String) throws {
        let folder = URL(fileURLWithPath: socket).deletingLastPathComponent().path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
