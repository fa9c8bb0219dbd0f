import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A Unix socket whose clients are connected, each by a connection of its own, with what the toolstack of another pool has
/// at a path: a disk's export, a guest's memory. Programs that speak neither HTTP nor TLS get there through it.
///
/// Nothing is said to a server before it has shown the certificate that is expected. What clients send may be coded on its
/// way (`RelayCoding`); all that was read of a client is on its way before more is.
public final class PeerRelay: Sendable {
    private typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// A server that says nothing to the request for so long is not there.
    private static let patience = TimeAmount.seconds(30)
    private static let longestHead = 16 << 10

    private let listener: any Channel
    private let clients: Clients
    private let traffic: Traffic

    private init(listener: any Channel, clients: Clients, traffic: Traffic) {
        (self.listener, self.clients, self.traffic) = (listener, clients, traffic)
    }

    /// Whoever is connected, each served by a task of its own from the moment of being accepted on, also behind the end: SwiftNIO ends
    /// the process over a stream that was made and that nobody has run.
    private final class Clients: Sendable {
        private struct State {
            var isOver = false
            var last = 0
            var tasks: [Int: Task<Void, Never>] = [:]
        }

        private let state = Mutex(State())

        func begin(_ serve: @escaping @Sendable () async -> Void) {
            state.withLock { state in
                state.last += 1
                let number = state.last
                let task = Task {
                    await serve()
                    self.state.withLock { $0.tasks[number] = nil }
                }
                state.tasks[number] = task
                if state.isOver { task.cancel() }
            }
        }

        func end() -> [Task<Void, Never>] {
            let tasks = state.withLock { state in
                state.isOver = true
                return Array(state.tasks.values)
            }
            for task in tasks { task.cancel() }
            return tasks
        }
    }

    /// What has become of the connections of all clients.
    private final class Traffic: Sendable {
        let sent = Atomic<UInt64>(0)
        let isCoded = Mutex<Bool?>(nil)
    }

    /// Bytes that clients have sent to the other side, as they go over TLS: coded where it reads them so.
    public var sentBytes: UInt64 { traffic.sent.load(ordering: .relaxed) }
    /// Whether what clients send is coded, as the other side answered last. Nil: it has let no stream begin yet.
    public var isCoded: Bool? { traffic.isCoded.withLock { $0 } }

    /// Listens on a new Unix socket of mode 0600. `path` is what the other side is asked for with CONNECT, `fields` go with
    /// it. `coding`: of what clients send, where the other side knows it. `endsWithin`: what is on its way, and an end in order, have so
    /// long once a connection is to end.
    public static func listen(
        onUnixSocket socket: String, to peer: PeerConnection, path: String, fields: [(name: String, value: String)],
        coding: RelayCoding? = nil, endsWithin patience: Duration = .milliseconds(500)
    ) async throws -> PeerRelay {
        let authority = peer.host.contains(":") ? "[\(peer.host)]:\(peer.port)" : "\(peer.host):\(peer.port)"
        let lines =
            ["CONNECT \(path) HTTP/1.1", "Host: \(authority)"]
            + (fields + [coding?.field].compactMap { $0 }).map { "\($0.name): \($0.value)" }
        let head = lines.joined(separator: "\r\n") + "\r\n\r\n"
        let (traffic, clients) = (Traffic(), Clients())
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .childChannelOption(.recvAllocator, value: buffers)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let client = try Stream(wrappingChannelSynchronously: channel)
                    clients.begin { try? await Self.serve(client, peer, head, coding, patience, traffic) }
                }
            }
            .bind(unixDomainSocketPath: socket, cleanupExistingSocketFile: true).get()
        guard unsafe chmod(socket, 0o600) == 0 else {
            try? await listener.close()
            throw Refused(answer: "the socket's mode cannot be set")
        }
        return PeerRelay(listener: listener, clients: clients, traffic: traffic)
    }

    private static let buffers = AdaptiveRecvByteBufferAllocator(
        minimum: 4 << 10, initial: 64 << 10, maximum: 512 << 10)

    /// Cuts the connections and ends.
    public func close() async {
        let served = clients.end()
        try? await listener.close()
        for task in served { await task.value }
    }

    /// Cancelled, the client's connection ends at once, whatever the other side says: its end in order may take a while.
    private static func serve(
        _ client: Stream, _ peer: PeerConnection, _ head: String, _ coding: RelayCoding?, _ patience: Duration,
        _ traffic: Traffic
    ) async throws {
        let near = client.channel
        try await withTaskCancellationHandler {
            try await pass(client, peer, head, coding, patience, traffic)
        } onCancel: {
            near.close(promise: nil)
        }
    }

    private static func pass(
        _ client: Stream, _ peer: PeerConnection, _ head: String, _ coding: RelayCoding?, _ patience: Duration,
        _ traffic: Traffic
    ) async throws {
        try await client.executeThenClose { fromClient, toClient in
            try Task.checkCancellation()
            let far = try await connect(peer, endsWithin: patience)
            try await far.executeThenClose { fromFar, toFar in
                try await toFar.write(ByteBuffer(string: head))
                // One iterator for both: what came behind the answer's head is the first of the stream.
                var source = fromFar.makeAsyncIterator()
                let (answer, first) = try await granted(&source, far.channel)
                let used = coding.flatMap { answer.says($0.field) ? $0 : nil }
                traffic.isCoded.withLock { $0 = used != nil }
                if first.readableBytes > 0 { try await toClient.write(first) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        // Whichever side ends, in order or not, ends the other.
                        try? await send(fromClient, toFar, used, traffic)
                        try? await far.channel.close()
                    }
                    while let piece = try await source.next() { try await toClient.write(piece) }
                    group.cancelAll()
                }
            }
        }
    }

    /// Returns when the client ends. Each piece is on its way, and can be read there, before the next one is looked at.
    private static func send(
        _ pieces: NIOAsyncChannelInboundStream<ByteBuffer>, _ far: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ coding: RelayCoding?, _ traffic: Traffic
    ) async throws {
        func write(_ piece: ByteBuffer) async throws {
            guard piece.readableBytes > 0 else { return }
            try await far.write(piece)
            traffic.sent.wrappingAdd(UInt64(piece.readableBytes), ordering: .relaxed)
        }
        guard let encoder = try coding?.makeEncoder() else {
            for try await piece in pieces { try await write(piece) }
            return
        }
        for try await piece in pieces {
            var coded = ByteBuffer()
            // SAFETY: both pieces of memory live for the calls that they are handed to.
            try unsafe piece.withUnsafeReadableBytes { bytes in
                try unsafe encoder.encode(bytes) { unsafe _ = coded.writeBytes($0) }
            }
            try await write(coded)
        }
        var last = ByteBuffer()
        try unsafe encoder.finish { unsafe _ = last.writeBytes($0) }
        try await write(last)
    }

    /// Reads the answer's head. Returns it and what came behind it; throws unless the stream was granted.
    private static func granted(
        _ source: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ channel: any Channel
    ) async throws -> (RelayAnswer, ByteBuffer) {
        let watch = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
        defer { watch.cancel() }
        var all = ByteBuffer()
        while true {
            guard var piece = try await source.next() else { throw Refused(answer: "nothing") }
            all.writeBuffer(&piece)
            let view = all.readableBytesView
            if let end = view.firstRange(of: Array("\r\n\r\n".utf8)) {
                let answer = RelayAnswer(head: view[..<end.lowerBound])
                guard answer.isGranted else { throw Refused(answer: answer.line) }
                return (answer, ByteBuffer(bytes: view[end.upperBound...]))
            }
            guard all.readableBytes < longestHead else { throw Refused(answer: "too long a head") }
        }
    }

    private static func connect(_ peer: PeerConnection, endsWithin limit: Duration) async throws -> Stream {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // By the callback below alone.
        configuration.certificateVerification = .noHostnameVerification
        // The other side may take no part in it, and a guest may stand meanwhile.
        configuration.shutdownTimeout = .milliseconds(Int64(limit / .milliseconds(1)))
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
