import NIOCore

/// What comes before the decoder: sees the bytes of a connection as they are, throws away those that nobody wants any
/// more, and holds back those behind a request for a tunnel until it is open, so that the decoder does not get them.
final class HTTPIntake: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: HTTPConnection
    private var held: [ByteBuffer] = []
    private var holdsEnd = false
    private var context: ChannelHandlerContext?

    init(_ connection: HTTPConnection) { self.connection = connection }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = unwrapInboundIn(data)
        guard connection.wants(piece) else { return }
        // Not asked for: what the kernel held when the client closed its side, or more of it over TLS.
        if connection.isOpeningTunnel { held.append(piece) } else { context.fireChannelRead(data) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if connection.isOpeningTunnel, event as? ChannelEvent == .inputClosed {
            holdsEnd = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Hands on what was held back.
    func release() {
        guard let context else { return }
        let pieces = held
        held = []
        for piece in pieces { context.fireChannelRead(wrapInboundOut(piece)) }
        if holdsEnd {
            holdsEnd = false
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }
}
