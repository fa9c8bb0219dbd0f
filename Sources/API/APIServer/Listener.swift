import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// A server on one address.
struct Listener: Sendable {
    private let server: Server<HTTP1Channel>
    private let running: Task<Void, any Error>
    /// The TCP port that was bound; nil for Unix sockets.
    let port: Int?

    /// Binds and listens; throws when that is not possible.
    static func start(_ address: BindAddress, router: RequestRouter, logger: Logger) async throws -> Listener {
        let (bound, report) = AsyncStream.makeStream(of: Int?.self)
        let server = Server(
            childChannelSetup: HTTP1Channel(
                responder: { request, writer, _ in try await router.respond(request, writer) },
                configuration: .init(additionalChannelHandlers: [HTTPVersionInstaller()])),
            configuration: .init(address: address),
            onServerRunning: { channel in
                report.yield(channel.localAddress?.port)
                report.finish()
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let running = Task {
            defer { report.finish() }
            try await server.run()
        }
        for await port in bound { return Listener(server: server, running: running, port: port) }
        try await running.value
        throw CancellationError()
    }

    /// Takes no more connections, lets requests under way end for `patience`, and then breaks them off.
    func stop(patience: Duration) async {
        let deadline = Task {
            try await Task.sleep(for: patience)
            running.cancel()
        }
        try? await server.shutdownGracefully()
        _ = await running.result
        deadline.cancel()
    }
}
