import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A server on one address.
struct Listener: Sendable {
    enum Place: Sendable {
        case tcp(HTTPAddress)
        case unixSocket(path: String)
    }

    private let channel: any Channel
    private let groups: [ConnectionGroup]
    /// The TCP port that was bound; nil for Unix sockets.
    var port: Int? { channel.localAddress?.port }

    /// Connections that the kernel holds until they are accepted.
    private static let backlog: Int32 = 4096

    /// Binds and listens; throws when that is not possible.
    static func start(
        _ place: Place, router: RequestRouter, tls: TLSIdentity?, limits: HTTPLimits, budget: ConnectionBudget
    ) async throws -> Listener {
        let threads = MultiThreadedEventLoopGroup.singleton
        let loops = Array(threads.makeIterator())
        let groups = loops.map { ConnectionGroup(eventLoop: $0, limits: limits, budget: budget) }
        var byLoop: [ObjectIdentifier: ConnectionGroup] = [:]
        for group in groups { byLoop[ObjectIdentifier(group.eventLoop)] = group }
        let groupOfLoop = byLoop
        var isTCP = false
        if case .tcp = place { isTCP = true }
        var bootstrap = ServerBootstrap(group: threads)
            .serverChannelOption(.backlog, value: backlog)
            .childChannelOption(.autoRead, value: false)
            // A client may close its side as soon as it has asked.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(low: limits.window / 2, high: limits.window)
            )
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    guard let group = groupOfLoop[ObjectIdentifier(child.eventLoop)] else {
                        throw ChannelError.operationUnsupported
                    }
                    let pipeline = child.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.current)) }
                    try pipeline.addHandlers(handlers(router: router, group: group, isTLS: tls != nil))
                }
            }
        if isTCP {
            bootstrap = bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // What a client that has vanished would have, a QEMU that waits for a guest's memory say, is not kept for it.
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE)), value: 10)
                .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)), value: 5)
                .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)), value: 4)
        }
        let channel: any Channel
        switch place {
        case .tcp(let address): channel = try await bootstrap.bind(host: address.host, port: address.port).get()
        case .unixSocket(let path):
            channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
        return Listener(channel: channel, groups: groups)
    }

    /// HTTP is read and written by NIO: llhttp takes requests apart and says what is none.
    private static func handlers(
        router: RequestRouter, group: ConnectionGroup, isTLS: Bool
    ) -> [any ChannelHandler] {
        let limits = group.limits
        // It keeps what it has not read: blanks before a value, the first bytes of a tunnel.
        let decoder = HTTPRequestDecoder(
            leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits.decoding)
        let connection = HTTPConnection(router: router, group: group, isTLS: isTLS, decoder: decoder)
        // Bodies are framed by their answers, which know more than the encoder.
        var writing = HTTPResponseEncoder.Configuration()
        writing.automaticallySetFramingHeaders = false
        return [
            HTTPIntake(connection), HTTPResponseEncoder(configuration: writing),
            ByteToMessageHandler(decoder, maximumBufferSize: limits.undecoded),
            connection,
        ]
    }

    /// Takes no more connections, lets requests under way end for `patience`, and then breaks them off.
    func stop(patience: Duration) async {
        try? await channel.close().get()
        await withTaskGroup(of: Void.self) { work in
            for group in groups {
                work.addTask {
                    let empty = try? await group.eventLoop.submit { group.beginStop() }.get()
                    await withTaskGroup(of: Void.self) { race in
                        race.addTask { try? await empty?.get() }
                        race.addTask { try? await Task.sleep(for: patience) }
                        await race.next()
                        // Ends the wait for what does not end by itself.
                        try? await group.eventLoop.submit { group.endStop() }.get()
                        race.cancelAll()
                    }
                }
            }
        }
    }
}
