import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// A Unix socket whose clients are connected, each by a connection of its own, with what the toolstack of another pool has
/// at a path: a disk's export, a guest's memory. Programs that speak neither HTTP nor TLS get there through it.
///
/// Nothing is said to a server before it has shown the certificate that is expected.
public final class PeerRelay: Sendable {
    private typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// A server that says nothing to the request for so long is not there.
    private static let patience = TimeAmount.seconds(30)
    private static let longestHead = 16 << 10

    private let listener: any Channel
    private let work: Task<Void, Never>

    private init(listener: any Channel, work: Task<Void, Never>) { (self.listener, self.work) = (listener, work) }

    /// Listens on a new Unix socket of mode 0600. `path` is what the other side is asked for with CONNECT, `fields` go with
    /// it.
    public static func listen(
        onUnixSocket socket: String, to peer: PeerConnection, path: String, fields: [(name: String, value: String)]
    ) async throws -> PeerRelay {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .childChannelOption(.recvAllocator, value: buffers)
            .bind(unixDomainSocketPath: socket, cleanupExistingSocketFile: true) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Stream(wrappingChannelSynchronously: channel)
                }
            }
        guard unsafe chmod(socket, 0o600) == 0 else {
            try? await server.channel.close()
            throw Refused(answer: "the socket's mode cannot be set")
        }
        let authority = peer.host.contains(":") ? "[\(peer.host)]:\(peer.port)" : "\(peer.host):\(peer.port)"
        let lines = ["CONNECT \(path) HTTP/1.1", "Host: \(authority)"] + fields.map { "\($0.name): \($0.value)" }
        let head = lines.joined(separator: "\r\n") + "\r\n\r\n"
        let work = Task<Void, Never> {
            _ = try? await server.executeThenClose { clients in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await client in clients {
                        group.addTask { try? await Self.serve(client, peer, head) }
                    }
                }
            }
        }
        return PeerRelay(listener: server.channel, work: work)
    }

    private static let buffers = AdaptiveRecvByteBufferAllocator(
        minimum: 4 << 10, initial: 64 << 10, maximum: 512 << 10)

    /// Cuts the connections and ends.
    public func close() async {
        work.cancel()
        try? await listener.close()
        await work.value
    }

    /// Cancelled, the client's connection ends at once, whatever the other side says: its end in order may take a while.
    private static func serve(_ client: Stream, _ peer: PeerConnection, _ head: String) async throws {
        let near = client.channel
        try await withTaskCancellationHandler {
            try await pass(client, peer, head)
        } onCancel: {
            near.close(promise: nil)
        }
    }

    private static func pass(_ client: Stream, _ peer: PeerConnection, _ head: String) async throws {
        try await client.executeThenClose { fromClient, toClient in
            let far = try await connect(peer)
            try await far.executeThenClose { fromFar, toFar in
                try await toFar.write(ByteBuffer(string: head))
                // One iterator for both: what came behind the answer's head is the first of the stream.
                var source = fromFar.makeAsyncIterator()
                let first = try await granted(&source, far.channel)
                if first.readableBytes > 0 { try await toClient.write(first) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        // Whichever side ends, in order or not, ends the other.
                        do { for try await piece in fromClient { try await toFar.write(piece) } } catch {}
                        try? await far.channel.close()
                    }
                    while let piece = try await source.next() { try await toClient.write(piece) }
                    group.cancelAll()
                }
            }
        }
    }

    /// Reads the answer's head. Returns what came behind it; throws unless the stream was granted.
    private static func granted(
        _ source: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ channel: any Channel
    ) async throws -> ByteBuffer {
        let watch = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        defer { watch.cancel() }
        var all = ByteBuffer()
        while true {
            guard var piece = try await source.next() else { throw Refused(answer: "nothing") }
            all.writeBuffer(&piece)
            let view = all.readableBytesView
            if let end = view.firstRange(of: Array("\r\n\r\n".utf8)) {
                let line = String(decoding: view.prefix { $0 != 0x0D }, as: UTF8.self)
                guard line.split(separator: " ").dropFirst().first == "200" else { throw Refused(answer: line) }
                return ByteBuffer(bytes: view[end.upperBound...])
            }
            guard all.readableBytes < longestHead else { throw Refused(answer: "too long a head") }
        }
    }

    private static func connect(_ peer: PeerConnection) async throws -> Stream {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // By the callback below alone.
        configuration.certificateVerification = .noHostnameVerification
        let context = try NIOSSLContext(configuration: configuration)
        let expected = peer.fingerprint
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelOption(.recvAllocator, value: buffers)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A host that vanishes is given up after half a minute, whether or not something is sent to it.
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE)), value: 10)
            .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)), value: 5)
            .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)), value: 4)
            .channelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)), value: 30_000)
            .connectTimeout(patience)
            .connect(host: peer.host, port: peer.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = try NIOSSLClientHandler(
                        context: context, serverHostname: nil,
                        customVerificationCallback: { certificates, verdict in
                            let shown = certificates.first.flatMap { try? CertificateFingerprint(of: $0) }
                            verdict.succeed(shown == expected ? .certificateVerified : .failed)
                        })
                    try channel.pipeline.syncOperations.addHandler(tls)
                    return try Stream(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// The other side does not let the stream begin.
    struct Refused: Error {
        let answer: String
    }
}
