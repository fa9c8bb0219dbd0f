import NIOCore
import NIOHTTP1
import NIOPosix
import RPCCodec
import Synchronization
import XenAPIClient

/// A server that answers as it is told, also as no honest server does.
final class FakePeer: Sendable {
    struct Request: Sendable {
        let method: HTTPMethod
        let uri: String
        let body: [UInt8]

        /// The call in it, in either encoding; the JSON one with its id.
        var call: RPCCall? {
            if uri == "/jsonrpc" { return (try? JSONRPC.decodeRequest(body))?.call }
            return try? XMLRPC.decodeCall(body)
        }
    }

    enum Answer: Sendable {
        /// What the call returns, in the encoding that it came in.
        case value(WireValue)
        case failure([String])
        case http(Int, headers: [(String, String)] = [], body: [UInt8] = [])
        /// These bytes instead of an answer, then the end of the connection.
        case raw([UInt8])
        /// A head without a length, then these bytes again and again until the client goes.
        case endless([UInt8])
        /// These bytes, then nothing until the client goes.
        case stalled([UInt8])
        /// Nothing, until the client goes.
        case silence
    }

    let address: ServerAddress
    let port: Int
    private let channel: any Channel
    private let box: Box
    private let received = Mutex<[Request]>([])
    private let gone = Mutex(0)

    /// `answer` is asked on the event loop: it does not wait.
    init(
        host: String = "127.0.0.1", port: Int = 0, answer: @escaping @Sendable (Request, RPCCall?) -> Answer
    ) async throws {
        let box = Box()
        self.box = box
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline(withErrorHandling: false).flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Handler(box: box, answer: answer))
                }
            }
            .bind(host: host, port: port).get()
        self.port = channel.localAddress?.port ?? 0
        address = .tcp(host: host, port: self.port, tls: false)
        box.peer.withLock { $0 = self }
    }

    var requests: [Request] { received.withLock { $0 } }
    var calls: [String] { requests.compactMap { $0.call?.method } }
    /// Connections that clients closed while they waited for an answer.
    var abandoned: Int { gone.withLock { $0 } }

    func stop() async {
        try? await channel.close()
        box.peer.withLock { $0 = nil }
    }

    fileprivate func note(_ request: Request) { received.withLock { $0.append(request) } }
    fileprivate func noteAbandoned() { gone.withLock { $0 += 1 } }

    fileprivate final class Box: Sendable {
        let peer = Mutex<FakePeer?>(nil)
    }

    fileprivate final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let box: Box
        private let answer: @Sendable (Request, RPCCall?) -> Answer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []
        private var isSilent = false
        private var endless: ByteBuffer?

        init(box: Box, answer: @escaping @Sendable (Request, RPCCall?) -> Answer) {
            self.box = box
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let part): body += Array(part.readableBytesView)
            case .end:
                guard let head else { return }
                let request = Request(method: head.method, uri: head.uri, body: body)
                box.peer.withLock { $0 }?.note(request)
                send(answer(request, request.call), to: request, context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if isSilent { box.peer.withLock { $0 }?.noteAbandoned() }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) { writeMore(context) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func send(_ answer: Answer, to request: Request, _ context: ChannelHandlerContext) {
            switch answer {
            case .value(let value): reply(.success(value), to: request, context)
            case .failure(let error): reply(.failure(error), to: request, context)
            case .http(let status, let headers, let body): write(status, headers, body, context)
            case .raw(let bytes):
                // Past the encoder, which would make an answer of it.
                let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
                encoder?.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
                context.close(promise: nil)
            case .stalled(let bytes):
                let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
                encoder?.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
                isSilent = true
            case .endless(let bytes):
                var head = HTTPResponseHead(version: .http1_1, status: .ok)
                head.headers.add(name: "Transfer-Encoding", value: "chunked")
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                endless = ByteBuffer(bytes: bytes)
                writeMore(context)
            case .silence: isSilent = true
            }
        }

        private func writeMore(_ context: ChannelHandlerContext) {
            guard let endless else { return }
            while context.channel.isWritable, context.channel.isActive {
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(endless))), promise: nil)
            }
        }

        private func reply(_ reply: RPCReply, to request: Request, _ context: ChannelHandlerContext) {
            if request.uri == "/jsonrpc", let call = try? JSONRPC.decodeRequest(request.body) {
                return write(200, [("Content-Type", "application/json")], JSONRPC.encode(reply, to: call), context)
            }
            write(200, [("Content-Type", "text/xml")], XMLRPC.encode(reply), context)
        }

        private func write(
            _ status: Int, _ headers: [(String, String)], _ body: [UInt8], _ context: ChannelHandlerContext
        ) {
            var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status))
            for (name, value) in headers { head.headers.add(name: name, value: value) }
            head.headers.add(name: "Content-Length", value: String(body.count))
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// A session with a peer that logs everybody in as `OpaqueRef:session` and answers other calls as `answer` says.
func withPeer(
    _ options: XenAPISession.Options = XenAPISession.Options(),
    answer: @escaping @Sendable (FakePeer.Request, RPCCall?) -> FakePeer.Answer,
    _ body: (XenAPISession, FakePeer) async throws -> Void
) async throws {
    let peer = try await FakePeer { request, call in
        switch call?.method {
        case "session.login_with_password": .value(.string("OpaqueRef:session"))
        case "session.logout": .value(.void)
        default: answer(request, call)
        }
    }
    do {
        try await XenAPISession.with(at: peer.address, user: "root", password: "p", options: options) { session in
            try await body(session, peer)
        }
    } catch {
        await peer.stop()
        throw error
    }
    await peer.stop()
}
