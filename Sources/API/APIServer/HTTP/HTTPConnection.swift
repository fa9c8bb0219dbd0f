import HTTPTypes
import NIOCore

/// One client's connection: takes requests from the bytes, one after another, and hands each to the router.
///
/// Calls that can be answered from memory are answered at once, on the event loop; all others in a task of their own.
/// While a request is being answered, later ones wait in the kernel's buffer. `ConnectionGroup` ends the connection
/// when it waits too long for anything.
///
/// SAFETY of the Sendable conformance: everything but `eventLoop` is used on the event loop only; others get there by
/// `onLoop`.
final class HTTPConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Between requests, or in the middle of a head.
        case head
        /// The head of a call is there, its body is not.
        case call(RequestHead, RPCEndpoint.Encoding, length: Int)
        case answering(Exchange)
        /// The last answer is sent; what still comes is thrown away.
        case closing
        case closed
    }

    let eventLoop: any EventLoop
    let router: RequestRouter
    let group: ConnectionGroup
    let isTLS: Bool
    var context: ChannelHandlerContext?
    var phase = Phase.head
    var inputIsClosed = false
    private var received = ByteBuffer()
    /// Bytes of `received` that hold no end of a head.
    private var scanned = 0
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

    init(router: RequestRouter, group: ConnectionGroup, isTLS: Bool) {
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

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = unwrapInboundIn(data)
        if case .closing = phase { return }
        // Only what the kernel held when the client closed its side comes unasked.
        guard received.readableBytes <= 2 * group.limits.readAhead else { return drop() }
        if received.readableBytes == 0 {
            received = piece
            scanned = 0
        } else {
            received.writeBuffer(&piece)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { advance() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        if case .head = phase {
            group.wait(self, for: .request)
            advance()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed, !inputIsClosed else { return }
        inputIsClosed = true
        switch phase {
        case .head, .call: advance()
        case .answering(let exchange):
            advance()
            guard case .answering(let current) = phase, current === exchange else { return }
            if exchange.bodyLeft > 0 { exchange.pipe?.finish(exchange.bodyLeft == .max ? nil : ConnectionGone()) }
            if inFlight == 0 { group.wait(self, for: .farewell) }
        case .closing: drop()
        case .closed: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { drop() }

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
        received = ByteBuffer()
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
        switch phase {
        case .head: context?.channel.isWritable == true
        case .call, .closing: true
        case .answering(let exchange): exchange.bodyLeft > 0 && exchange.pipe?.isFull == false
        case .closed: false
        }
    }

    /// One step; false when there is nothing to do with what is there.
    private func step() -> Bool {
        switch phase {
        case .head: return takeHead()
        case .call(let head, let encoding, let length):
            guard received.readableBytes >= length else {
                if inputIsClosed { drop() }
                return false
            }
            take(call: head, encoding, body: received.readBytes(length: length) ?? [])
            return true
        case .answering(let exchange): return feed(exchange)
        case .closing:
            received = ByteBuffer()
            return false
        case .closed: return false
        }
    }

    private func takeHead() -> Bool {
        // A client that does not take its answers gets no more of them.
        guard context?.channel.isWritable == true else { return false }
        guard let length = headLength() else {
            if received.getInteger(at: received.readerIndex, as: UInt8.self) == 0x16 {
                // A handshake of TLS, whose client would wait for an answer as long as a head may take.
                refuse(.badRequest, "this port does not speak TLS")
                return false
            }
            let isTooLong = received.readableBytes > group.limits.head
            if isTooLong {
                refuse(.requestHeaderFieldsTooLarge, "a request head has at most \(group.limits.head) bytes")
            } else if inputIsClosed {
                // Earlier answers may still be on their way.
                closeAfterAnswer()
            } else if received.readableBytes > 0, waiting == .request {
                group.wait(self, for: .head)
            }
            return false
        }
        guard length <= group.limits.head else {
            refuse(.requestHeaderFieldsTooLarge, "a request head has at most \(group.limits.head) bytes")
            return false
        }
        let bytes = received.readBytes(length: length) ?? []
        scanned = 0
        do throws(RequestHead.Malformed) {
            begin(try RequestHead(bytes))
            return true
        } catch {
            refuse(error.status == 431 ? .requestHeaderFieldsTooLarge : .badRequest, error.reason)
            return false
        }
    }

    /// The bytes of the head at the front of `received`, its empty line included.
    private func headLength() -> Int? {
        if scanned == 0 { skipEmptyLines() }
        let view = received.readableBytesView
        var position = view.startIndex + max(0, scanned - 3)
        while let feed = view[position...].firstIndex(of: 0x0A) {
            var next = feed + 1
            if next < view.endIndex, view[next] == 0x0D { next += 1 }
            guard next < view.endIndex else { break }
            if view[next] == 0x0A { return next + 1 - view.startIndex }
            position = feed + 1
        }
        scanned = received.readableBytes
        return nil
    }

    private func skipEmptyLines() {
        while let byte: UInt8 = received.getInteger(at: received.readerIndex), byte == 0x0D || byte == 0x0A {
            received.moveReaderIndex(forwardBy: 1)
        }
    }

    private func begin(_ head: RequestHead) {
        if let encoding = router.encoding(of: head) { return beginCall(head, encoding) }
        let body: Int64 =
            switch head.framing {
            case .none, .coded: head.method == "CONNECT" ? .max : 0
            case .length(let length): length
            }
        let pipe: BodyPipe? =
            body == 0
            ? nil
            : BodyPipe(capacity: group.limits.readAhead) { [self] in
                eventLoop.execute { self.advance() }
            }
        let exchange = Exchange(
            head, pipe: pipe, bodyLeft: body, isKeepAlive: head.isKeepAlive && head.framing != .coded && body != .max)
        phase = .answering(exchange)
        // A tunnel may be silent for ever.
        group.wait(self, for: pipe == nil || body == .max ? nil : .upload)
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
        phase = .call(head, encoding, length: Int(length))
        guard received.readableBytes < length else { return }
        group.wait(self, for: .call)
        if head.expectsContinue, head.minorVersion == 1 {
            var buffer = ByteBuffer()
            buffer.writeStaticString(ResponseHead.continue)
            writeSoon(buffer)
        }
    }

    private func take(call head: RequestHead, _ encoding: RPCEndpoint.Encoding, body: [UInt8]) {
        scanned = 0
        let rpc = router.rpc
        switch rpc.begin(head, body, as: encoding, isLocal: router.isLocal) {
        case .reply(let bytes):
            let isLast = !head.isKeepAlive || group.isStopping
            writeCall(bytes, as: encoding, minorVersion: head.minorVersion, isLast: isLast)
            next(isLast: isLast)
        case .notACall:
            let exchange = Exchange(head, isKeepAlive: head.isKeepAlive)
            phase = .answering(exchange)
            try? answer(exchange, .error(.internalServerError, "the request is not a call"))
        case .later(let call):
            let exchange = Exchange(head, isKeepAlive: head.isKeepAlive)
            phase = .answering(exchange)
            group.wait(self, for: inputIsClosed ? .farewell : nil)
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

    /// Hands on what has come of the body. Requests that come before the answer stay where they are.
    private func feed(_ exchange: Exchange) -> Bool {
        guard let pipe = exchange.pipe, exchange.bodyLeft > 0, received.readableBytes > 0, !pipe.isFull else {
            return false
        }
        let length = Int(min(exchange.bodyLeft, Int64(received.readableBytes)))
        guard let piece = received.readSlice(length: length) else { return false }
        if exchange.bodyLeft != .max { exchange.bodyLeft -= Int64(length) }
        _ = pipe.push(piece)
        if exchange.bodyLeft == 0 {
            pipe.finish()
            if waiting == .upload { group.wait(self, for: nil) }
        } else if inFlight == 0, exchange.bodyLeft != .max {
            group.wait(self, for: .upload)
        }
        return true
    }

    // MARK: - The end of an answer

    /// Takes the next request, or ends the connection.
    func next(isLast: Bool) {
        guard !isLast else { return closeAfterAnswer() }
        phase = .head
        scanned = 0
        group.wait(self, for: .request)
    }

    /// Answers a request that is not understood, and ends the connection: nobody knows where the next one begins.
    func refuse(_ status: HTTPResponse.Status, _ reason: String) {
        let answer = HTTPAnswer.error(status, reason)
        var buffer = ByteBuffer()
        ResponseHead.write(answer.status, answer.fields, minorVersion: 1, isLast: true, to: &buffer)
        buffer.writeImmutableBuffer(answer.body)
        writeSoon(buffer)
        closeAfterAnswer()
    }

    /// Written with the next flush, which `advance` does.
    func writeSoon(_ buffer: ByteBuffer) {
        guard let context else { return }
        context.write(wrapOutboundOut(buffer), promise: nil)
        if isAdvancing { needsFlush = true } else { context.flush() }
    }
}
