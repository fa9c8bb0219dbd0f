import Foundation
import Glibc
public import Logging
public import Toolstack

/// Where an `APIService` listens; what is nil is left out.
public struct APIListeners: Sendable {
    public var http: HTTPAddress?
    public var https: HTTPAddress?
    /// Folder of `certificate.pem` and `key.pem`, which are made when they are not there. Needed for `https`.
    public var certificateFolder: String?
    /// Unix socket whose clients are the local superuser.
    public var socket: String?

    public init(
        http: HTTPAddress? = nil, https: HTTPAddress? = nil, certificateFolder: String? = nil, socket: String? = nil
    ) {
        self.http = http
        self.https = https
        self.certificateFolder = certificateFolder
        self.socket = socket
    }
}

/// The API of one toolstack on its addresses.
public final class APIService: Sendable {
    private let listeners: [Listener]
    private let dispatcher: Dispatcher
    private let identity: TLSIdentity?
    /// `http://ADDR:PORT` with the real port; nil without a TCP address.
    public let httpURL: String?
    /// The same with `https`.
    public let httpsURL: String?
    public let socketPath: String?

    /// Listens on the addresses. The socket has mode 0600 and, unless its folder is there already, a folder of mode
    /// 0700: whoever reaches it is the local superuser. Throws when an address cannot be had or the certificate not used.
    public static func start(
        dispatcher: Dispatcher, transfers: any DiskTransfers, services: HostServices? = nil, on places: APIListeners,
        logger: Logger
    ) async throws -> APIService {
        try await start(
            dispatcher: dispatcher, transfers: transfers, services: services, on: places, limits: HTTPLimits(),
            logger: logger)
    }

    /// The same with other limits than a daemon has.
    static func start(
        dispatcher: Dispatcher, transfers: any DiskTransfers, services: HostServices? = nil, on places: APIListeners,
        limits: HTTPLimits, logger: Logger
    ) async throws -> APIService {
        var listeners: [Listener] = []
        var (httpURL, httpsURL): (String?, String?)
        var identity: TLSIdentity?
        let descriptors = FileDescriptors.raise().forConnections
        let local = ConnectionBudget(min(limits.localConnections, descriptors / 8))
        let remote = ConnectionBudget(min(limits.connections, descriptors - descriptors / 8))
        let transferEndpoint = TransferEndpoint(dispatcher: dispatcher, transfers: transfers, logger: logger)
        var routes = HTTPRoutes()
        transferEndpoint.register(in: &routes)
        DatabaseEndpoint(transfers: transferEndpoint).register(in: &routes)
        MachineEndpoint(transfers: transferEndpoint).register(in: &routes)
        WelcomePage.register(in: &routes)
        if let services {
            HostEndpoints(dispatcher: dispatcher, services: services, logger: logger).register(in: &routes)
        }
        func router(isLocal: Bool) -> RequestRouter {
            RequestRouter(
                rpc: RPCEndpoint(dispatcher: dispatcher), routes: routes, isLocal: isLocal, logger: logger)
        }
        do {
            if let socket = places.socket {
                try prepareFolder(of: socket)
                listeners.append(
                    try await Listener.start(
                        .unixSocket(path: socket), router: router(isLocal: true), tls: nil, limits: limits,
                        budget: local))
                guard unsafe chmod(socket, 0o600) == 0 else { throw CocoaError(.fileWriteNoPermission) }
            }
            if let http = places.http {
                let listener = try await Listener.start(
                    .tcp(http), router: router(isLocal: false), tls: nil, limits: limits, budget: remote)
                listeners.append(listener)
                httpURL = HTTPAddress(host: http.host, port: listener.port ?? http.port).url("http")
            }
            if let https = places.https {
                guard let folder = places.certificateFolder else { throw CocoaError(.fileNoSuchFile) }
                let tls = try TLSIdentity(folder: folder, listeningOn: https.host)
                let listener = try await Listener.start(
                    .tcp(https), router: router(isLocal: false), tls: tls, limits: limits, budget: remote)
                listeners.append(listener)
                identity = tls
                httpsURL = HTTPAddress(host: https.host, port: listener.port ?? https.port).url("https")
            }
        } catch {
            for listener in listeners { await listener.stop(patience: .zero) }
            throw error
        }
        return APIService(
            listeners: listeners, dispatcher: dispatcher, identity: identity, httpURL: httpURL, httpsURL: httpsURL,
            socketPath: places.socket)
    }

    private init(
        listeners: [Listener], dispatcher: Dispatcher, identity: TLSIdentity?, httpURL: String?, httpsURL: String?,
        socketPath: String?
    ) {
        self.listeners = listeners
        self.dispatcher = dispatcher
        self.identity = identity
        self.httpURL = httpURL
        self.httpsURL = httpsURL
        self.socketPath = socketPath
    }

    /// Reads the certificate and its key again; new connections have them. Throws, and changes nothing, when they cannot
    /// be used.
    public func reloadCertificate() throws { try identity?.reload() }

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
