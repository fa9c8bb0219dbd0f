import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// One client's connection: takes requests from NIO's decoder, one after another, and hands each to the router.
///
/// Calls that can be answered from memory are answered at once, on the event loop; all others in a task of their own.
/// While a request is being answered, later ones wait in the kernel's buffer, or as parts here when they came with it.
/// `ConnectionGroup` ends the connection when it waits too long for anything.
///
/// SAFETY of the Sendable conformance: everything but `eventLoop` is used on the event loop only; others get there by
/// `onLoop`.
final class HTTPConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// Between requests, or in the middle of a head.
        case head
        /// The head of a call is there, its body is not.
        case call(RequestHead, RPCEndpoint.Encoding)
        case answering(Exchange)
        /// The last answer is sent; what still comes is thrown away.
        case closing
        case closed
    }

    let eventLoop: any EventLoop
    let router: RequestRouter
    let group: ConnectionGroup
    let isTLS: Bool
    private let decoder: HTTPRequestDecoder
    var context: ChannelHandlerContext?
    var phase = Phase.head
    var inputIsClosed = false
    /// All that was to be said has been, with TLS its farewell, too.
    var hasParted = false
    /// What has been decoded and not been taken. Nothing more is read while there is any, so it is what one piece from the
    /// kernel held, or all that the kernel held when the client closed its side.
    private var parts = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 4)
    /// Why nothing can be read behind `parts`.
    private var malformed: (any Error)?
    private var callBody = ByteBuffer()
    /// The first byte has come.
    private var hasBegun = false
    private var isAdvancing = false
    private var needsFlush = false
    /// Bytes of streamed answers that the kernel has not taken yet, and who waits for it to take them.
    var inFlight = 0
    var writers: [CheckedContinuation<Void, any Error>] = []

    // The connection's place in its group.
    var waiting: Waiting?
    var waitingSince = NIODeadline.now()
    var before: HTTPConnection?
    var after: HTTPConnection?

    /// `decoder` is the one that takes this connection's requests apart.
    init(router: RequestRouter, group: ConnectionGroup, isTLS: Bool, decoder: HTTPRequestDecoder) {
        self.decoder = decoder
        eventLoop = group.eventLoop
        self.router = router
        self.group = group
        self.isTLS = isTLS
    }

    /// Runs `work` on the connection's event loop.
    func onLoop<T: Sendable>(_ work: @escaping @Sendable (HTTPConnection) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { done in
            eventLoop.execute { done.resume(with: Result { try work(self) }) }
        }
    }

    // MARK: - Events of the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelActive(context: ChannelHandlerContext) {
        guard group.admit(self) else {
            refuse(.serviceUnavailable, "all connections are at work; try again later")
            return
        }
        group.wait(self, for: .request)
        context.read()
    }

    /// Bytes have come. False: nobody reads them.
    func wants(_ piece: ByteBuffer) -> Bool {
        switch phase {
        case .closing, .closed: return false
        case .call, .answering: return true
        case .head: break
        }
        if !hasBegun {
            hasBegun = true
            // A handshake of TLS, whose client would not understand what is wrong with it as a request.
            if !isTLS, piece.getInteger(at: piece.readerIndex, as: UInt8.self) == 0x16 {
                refuse(.badRequest, "this port does not speak TLS")
                return false
            }
        }
        // RFC 9112 §2.2: old clients send an empty line behind a body, which is not the beginning of a request.
        if waiting == .request, piece.readableBytes > 2 || piece.readableBytesView.contains(where: { $0 > 0x20 }) {
            group.wait(self, for: .head)
        }
        return true
    }

    /// More than the smallest requests or chunks of one piece from the kernel or TLS make up.
    private static let mostParts = 16_384

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // When the client closes its side, all that the kernel holds comes unasked.
        guard parts.count < Self.mostParts else { return drop() }
        parts.append(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) { advance() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        if case .head = phase {
            group.wait(self, for: nextWait)
            advance()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed, !inputIsClosed else { return }
        inputIsClosed = true
        switch phase {
        case .head, .call, .answering: advance()
        // What is still on its way is sent first; `closeAfterAnswer` ends the connection then.
        // NIO's TLS, with half-closed sides, would wait five seconds more for the client's farewell, which this is.
        case .closing: if waiting == .linger { drop() } else if hasParted { abandon() }
        case .closed: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Requests that came before what cannot be read are answered first; `advance` follows.
        if error is HTTPParserError || error is ByteToMessageDecoderError
            || error is ByteToMessageDecoderError.PayloadTooLargeError
        {
            malformed = malformed ?? error
        } else if !(error is NIOWebSocketError) {
            // Of those the client is told by a frame, before NIO's handler ends the connection.
            drop()
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    private func end() {
        guard context != nil else { return }
        context = nil
        group.remove(self)
        if case .answering(let exchange) = phase {
            exchange.pipe?.finish(ConnectionGone())
            exchange.work?.cancel()
        }
        phase = .closed
        parts.removeAll()
        callBody = ByteBuffer()
        for writer in writers { writer.resume(throwing: ConnectionGone()) }
        writers = []
    }

    // MARK: - Requests

    /// Goes as far as what has been received allows.
    func advance() {
        guard !isAdvancing, context != nil else { return }
        isAdvancing = true
        while step() {}
        isAdvancing = false
        if needsFlush {
            needsFlush = false
            context?.flush()
            if case .head = phase, context?.channel.isWritable == false { group.wait(self, for: .reader) }
        }
        if wantsMore { context?.read() }
    }

    private var wantsMore: Bool {
        if case .closing = phase { return true }
        guard parts.isEmpty, malformed == nil, !inputIsClosed else { return false }
        return switch phase {
        case .head: context?.channel.isWritable == true
        case .call: true
        case .answering(let exchange):
            exchange.body == .coming && exchange.pipe?.isFull == false
                && (exchange.tunnel == nil || exchange.tunnelIsOpen)
        case .closing, .closed: false
        }
    }

    /// One step; false when there is nothing to do with what is there.
    private func step() -> Bool {
        switch phase {
        case .head: return takeHead()
        case .call(let head, let encoding): return gather(head, encoding)
        case .answering(let exchange): return feed(exchange)
        case .closing:
            parts.removeAll()
            return false
        case .closed: return false
        }
    }

    private func takeHead() -> Bool {
        // A client that does not take its answers gets no more of them.
        guard context?.channel.isWritable == true else { return false }
        guard let part = parts.popFirst() else {
            if let malformed, !inputIsClosed || !Self.isCutShort(malformed) {
                let answer = Malformed(malformed, limits: group.limits)
                refuse(answer?.status ?? .badRequest, answer?.reason ?? "\(malformed)")
            } else if inputIsClosed {
                // Half a request is answered by nothing; earlier answers may still be on their way.
                closeAfterAnswer()
            }
            return false
        }
        if case .head(let head) = part { begin(RequestHead(head)) }
        return true
    }

    /// The client closed its side in the middle of a request.
    private static func isCutShort(_ error: any Error) -> Bool { error as? HTTPParserError == .invalidEOFState }

    private func begin(_ head: RequestHead) {
        if let encoding = router.encoding(of: head) { return beginCall(head, encoding) }
        let hasBody = head.tunnel != nil || (head.framing != .none && head.framing != .length(0))
        let pipe =
            hasBody
            ? BodyPipe(capacity: group.limits.readAhead) { [self] in eventLoop.execute { self.advance() } } : nil
        let exchange = Exchange(head, pipe: pipe, body: .coming)
        phase = .answering(exchange)
        group.wait(self, for: patience(exchange))
        let request = Request(head: head, body: RequestBody(pipe: pipe), isLocal: router.isLocal)
        // Not cancelled with the connection: it notices by its reads and writes, and tells its task what happened.
        let router = router
        Task {
            do {
                try await router.respond(request, ResponseWriter(connection: self, exchange: exchange))
                eventLoop.execute { self.settle(exchange, nil) }
            } catch {
                eventLoop.execute { self.settle(exchange, error) }
            }
        }
    }

    // MARK: - Calls

    private func beginCall(_ head: RequestHead, _ encoding: RPCEndpoint.Encoding) {
        guard case .length(let length) = head.framing else {
            refuse(.internalServerError, "a call needs a Content-Length")
            return
        }
        guard length <= group.limits.callBody else {
            refuse(.contentTooLarge, "a call has at most \(group.limits.callBody) bytes")
            return
        }
        phase = .call(head, encoding)
        guard parts.isEmpty else { return }
        group.wait(self, for: .call)
        if head.expectsContinue, head.minorVersion == 1 { writeSoon(.head(ResponseHead.continue)) }
    }

    private func gather(_ head: RequestHead, _ encoding: RPCEndpoint.Encoding) -> Bool {
        switch parts.popFirst() {
        case .body(var piece):
            if callBody.readableBytes == 0 { callBody = piece } else { callBody.writeBuffer(&piece) }
            return true
        case .end:
            let body = [UInt8](buffer: callBody)
            callBody = ByteBuffer()
            take(call: head, encoding, body: body)
            return true
        case nil:
            if malformed != nil || inputIsClosed { drop() } else if waiting != .call { group.wait(self, for: .call) }
            return false
        case .head: return true
        }
    }

    private func take(call head: RequestHead, _ encoding: RPCEndpoint.Encoding, body: [UInt8]) {
        let rpc = router.rpc
        switch rpc.begin(head, body, as: encoding, isLocal: router.isLocal) {
        case .reply(let bytes):
            let isLast = !head.isKeepAlive || group.isStopping
            writeCall(bytes, as: encoding, minorVersion: head.minorVersion, isLast: isLast)
            next(isLast: isLast)
        case .notACall:
            let exchange = Exchange(head, body: .complete)
            phase = .answering(exchange)
            try? answer(exchange, .error(.internalServerError, "the request is not a call"))
        case .later(let call):
            let exchange = Exchange(head, body: .complete)
            phase = .answering(exchange)
            group.wait(self, for: patience(exchange))
            exchange.work = Task {
                do {
                    try await rpc.carryOut(call, ResponseWriter(connection: self, exchange: exchange))
                    eventLoop.execute { self.settle(exchange, nil) }
                } catch {
                    eventLoop.execute { self.settle(exchange, error) }
                }
            }
        }
    }

    // MARK: - Bodies

    /// Hands on what has come of the body. Requests that come before the answer stay where they are.
    private func feed(_ exchange: Exchange) -> Bool {
        guard exchange.body == .coming, exchange.pipe?.isFull != true else {
            if waiting != patience(exchange) { group.wait(self, for: patience(exchange)) }
            return false
        }
        switch parts.popFirst() {
        case .body(let piece):
            _ = exchange.pipe?.push(piece)
            if waiting == .upload { group.wait(self, for: .upload) }
        case .end:
            // That of a request for a tunnel has no body: what follows is.
            if exchange.tunnel == nil { end(exchange, .complete) }
        case nil:
            if inputIsClosed || malformed != nil {
                end(exchange, exchange.tunnelIsOpen && malformed == nil ? .complete : .broken)
            } else if waiting != patience(exchange) {
                group.wait(self, for: patience(exchange))
            }
            return false
        case .head: break
        }
        return true
    }

    private func end(_ exchange: Exchange, _ body: Exchange.Body) {
        exchange.body = body
        exchange.pipe?.finish(body == .broken ? ConnectionGone() : nil)
        group.wait(self, for: patience(exchange))
    }

    /// What the connection waits for while a request is answered.
    func patience(_ exchange: Exchange) -> Waiting? {
        if inFlight > group.limits.window { return .reader }
        if inputIsClosed, exchange.body != .coming { return .farewell }
        // A tunnel may be silent for ever, and a client need not wait for whoever takes its upload.
        guard exchange.body == .coming, exchange.tunnel == nil, let pipe = exchange.pipe, !pipe.isFull, parts.isEmpty
        else { return nil }
        return .upload
    }

    // MARK: - Tunnels

    var tunnelIsOpen: Bool {
        guard case .answering(let exchange) = phase else { return false }
        return exchange.tunnelIsOpen
    }

    /// A tunnel was asked for: what comes behind the request is not HTTP, and nobody knows yet what it is.
    var isOpeningTunnel: Bool {
        if case .answering(let exchange) = phase, exchange.tunnel != nil { return !exchange.tunnelIsOpen }
        return hasTunnelAhead
    }

    /// The request for a tunnel is among the parts.
    private var hasTunnelAhead: Bool {
        parts.contains { part in
            guard case .head(let head) = part else { return false }
            return RequestHead(head).tunnel != nil
        }
    }

    // MARK: - The end of an answer

    /// Takes the next request, or ends the connection.
    func next(isLast: Bool) {
        guard !isLast else { return closeAfterAnswer() }
        phase = .head
        group.wait(self, for: nextWait)
    }

    /// What a connection between requests waits for: the beginning of a head may have come with what was answered.
    private var nextWait: Waiting {
        guard parts.isEmpty, malformed == nil, let context else { return .request }
        // Whether the stream could end here. The decoder only says it; nothing in it changes, as no bytes are given to it.
        var nothing = ByteBuffer()
        do {
            _ = try decoder.decodeLast(context: context, buffer: &nothing, seenEOF: true)
            return .request
        } catch {
            return .head
        }
    }

    /// Answers a request that is not understood, and ends the connection: nobody knows where the next one begins.
    func refuse(_ status: HTTPResponse.Status, _ reason: String) {
        let answer = HTTPAnswer.error(status, reason)
        write(.head(ResponseHead.make(answer.status, answer.fields, minorVersion: 1, isLast: true)))
        writeSoon(.body(.byteBuffer(answer.body)))
        closeAfterAnswer()
    }

    /// Sent with what follows.
    func write(_ part: HTTPServerResponsePart) { context?.write(wrapOutboundOut(part), promise: nil) }

    /// Sent with the next flush, which `advance` does.
    func writeSoon(_ part: HTTPServerResponsePart) {
        write(part)
        if isAdvancing { needsFlush = true } else { context?.flush() }
    }
}
