import NIOCore
import NIOHTTP1

/// Answers HTTP/1.0 clients in HTTP/1.0: no chunked bodies, and the connection ends with the response. The layers above
/// know HTTP/1.1 only, so this sits between them and the parser.
///
/// SAFETY: a channel's handlers run on its event loop only.
final class HTTPVersionHandler: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var version = HTTPVersion.http1_1

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        version = head.version
        // What Hummingbird looks at to decide whether another request may follow.
        if !head.isKeepAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), version.major == 1, version.minor == 0 else {
            return context.write(data, promise: promise)
        }
        head.version = version
        head.headers.replaceOrAdd(name: "connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}

/// Puts the handler above into its place, which is not one that the server's own configuration reaches.
final class HTTPVersionInstaller: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    func handlerAdded(context: ChannelHandlerContext) {
        do {
            let pipeline = context.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(HTTPVersionHandler(), position: .after(decoder))
        } catch {
            context.fireErrorCaught(error)
        }
    }
}
