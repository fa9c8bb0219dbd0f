import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Takes the place of HTTP's decoder and encoder when a `CONNECT` was granted: bytes are bodies, both ways.
final class ByteTunnel: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(.body(unwrapInboundIn(data))))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .body(.byteBuffer(let piece)): context.write(wrapOutboundOut(piece), promise: promise)
        // Nothing, in its turn.
        case .head, .body, .end: context.write(wrapOutboundOut(ByteBuffer()), promise: promise)
        }
    }
}

/// The same for a WebSocket, between NIO's decoder and encoder of frames and the connection: what is in a client's frames
/// of data is a body, every piece of the answer is a binary frame, and the answer's end closes the socket in order.
final class WebSocketTunnel: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = WebSocketFrame

    /// The longest frame that is taken, bytes.
    static let longestFrame = 1 << 20

    /// The word of the close frame, once it is on its way.
    private var farewell: EventLoopFuture<Void>?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        // RFC 6455 §5.1: whoever does not mask is no client.
        case _ where frame.maskKey == nil: end(context, .protocolError)
        case .connectionClose: end(context, .normalClosure)
        case .binary, .text, .continuation:
            context.fireChannelRead(wrapInboundOut(.body(frame.unmaskedData)))
        // RFC 6455 §5.5.3: only the newest need be answered; one that cannot be sent yet is left out.
        case .ping where context.channel.isWritable && farewell == nil:
            let pong = WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)
            context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
        case .ping, .pong: break
        // Of the other kinds nobody knows yet what they will be.
        default: end(context, .protocolError)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .body(.byteBuffer(let piece)) where farewell == nil:
            context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .binary, data: piece)), promise: promise)
        case .head, .body: promise?.fail(ChannelError.outputClosed)
        case .end: close(context, .normalClosure, promise)
        }
    }

    /// Nothing more comes from the client.
    private func end(_ context: ChannelHandlerContext, _ code: WebSocketErrorCode) {
        close(context, code, nil)
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func close(
        _ context: ChannelHandlerContext, _ code: WebSocketErrorCode, _ promise: EventLoopPromise<Void>?
    ) {
        if farewell == nil {
            var data = ByteBuffer()
            data.write(webSocketErrorCode: code)
            let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
            farewell = context.writeAndFlush(wrapOutboundOut(frame))
        }
        farewell?.cascade(to: promise)
    }
}
