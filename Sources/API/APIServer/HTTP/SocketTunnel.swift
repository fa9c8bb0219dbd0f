import HTTPTypes
import NIOCore
import NIOPosix

/// Passes bytes between a granted tunnel and a connected socket of this machine, until either side ends, in order or not:
/// that ends the other.
struct SocketTunnel {
    private let descriptor: Int32

    /// Owns the descriptor; to be served.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func serve(_ input: RequestBody, _ writer: ResponseWriter, _ answer: HTTPResponse) async throws {
        let socket = try await Self.adopt(descriptor)
        // The answer begins inside: a client that is gone already must not leave the socket unclosed.
        try await socket.executeThenClose { fromSocket, toSocket in
            let body = try await writer.writeHead(answer)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await Self.move(input, toSocket) }
                group.addTask { try? await Self.move(fromSocket, body) }
                await group.next()
                group.cancelAll()
            }
            try? await body.finish()
        }
    }

    private static func move(
        _ input: RequestBody, _ socket: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for try await piece in input { try await socket.write(piece) }
    }

    private static func move(
        _ socket: NIOAsyncChannelInboundStream<ByteBuffer>, _ output: ResponseBodyWriter
    ) async throws {
        var output = output
        for try await piece in socket { try await output.write(piece) }
    }

    /// Takes the connected socket over, in any outcome.
    private static func adopt(_ descriptor: Int32) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .withConnectedSocket(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }
}
