import Glibc
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// Answers that come from other tasks, and the ways a connection ends.
extension HTTPConnection {
    /// The exchange is the one that is being answered and the client is there.
    private func require(_ exchange: Exchange) throws {
        guard context != nil, case .answering(let current) = phase, current === exchange else { throw ConnectionGone() }
    }

    func sendContinue(for exchange: Exchange) throws {
        try require(exchange)
        guard exchange.minorVersion == 1, case .none = exchange.answer else { return }
        writeSoon(.head(ResponseHead.continue))
    }

    func answer(_ exchange: Exchange, _ answer: HTTPAnswer) throws {
        try require(exchange)
        if answer.fields[.connection]?.lowercased() == "close" { exchange.isKeepAlive = false }
        let isLast = !mayFollow(exchange)
        write(
            .head(
                ResponseHead.make(
                    answer.status, answer.fields, minorVersion: exchange.minorVersion, isLast: isLast)))
        writeSoon(.body(.byteBuffer(exchange.isHeadOnly ? ByteBuffer() : answer.body)))
        finish(exchange)
    }

    /// The answer to a call.
    func answer(_ exchange: Exchange, _ body: [UInt8], as encoding: RPCEndpoint.Encoding) throws {
        try require(exchange)
        writeCall(body, as: encoding, minorVersion: exchange.minorVersion, isLast: !mayFollow(exchange))
        finish(exchange)
    }

    func writeCall(_ body: [UInt8], as encoding: RPCEndpoint.Encoding, minorVersion: Int, isLast: Bool) {
        let head = ResponseHead.ofCall(
            contentType: encoding.contentType, length: body.count, minorVersion: minorVersion, isLast: isLast)
        write(.head(head))
        writeSoon(.body(.byteBuffer(ByteBuffer(bytes: body))))
    }

    func beginStream(_ exchange: Exchange, _ response: HTTPResponse, length: Int64?) throws {
        try require(exchange)
        guard case .none = exchange.answer else { throw ConnectionGone() }
        var fields = response.headerFields
        if fields[.connection]?.lowercased() == "close" { exchange.isKeepAlive = false }
        let opens = exchange.isGranted(by: response.status)
        let isChunked = length == nil && exchange.minorVersion == 1 && !opens
        if let length {
            fields[.contentLength] = String(length)
        } else if isChunked {
            fields[.transferEncoding] = "chunked"
        } else {
            exchange.isKeepAlive = false
        }
        let isLast = !exchange.isKeepAlive || group.isStopping
        if isLast { exchange.isKeepAlive = false }
        exchange.answer = .streaming(isChunked: isChunked, left: length)
        writeSoon(
            .head(
                ResponseHead.make(
                    response.status, fields, minorVersion: exchange.minorVersion, isLast: isLast && !opens)))
        if opens { try open(exchange) }
    }

    /// Makes the connection what the request asked for.
    private func open(_ exchange: Exchange) throws {
        guard let context else { return }
        let pipeline = context.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        let encoder = try pipeline.handler(type: HTTPResponseEncoder.self)
        let intake = try pipeline.handler(type: HTTPIntake.self)
        switch exchange.tunnel {
        case .bytes: try pipeline.addHandler(ByteTunnel(), position: .after(decoder))
        case .webSocket:
            try pipeline.addHandlers(
                [
                    ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WebSocketTunnel.longestFrame)),
                    WebSocketFrameEncoder(), WebSocketProtocolErrorHandler(), WebSocketTunnel(),
                ], position: .after(decoder))
        case nil: return
        }
        pipeline.removeHandler(encoder, promise: nil)
        // It hands on what it has and did not read, and then comes what was held back before it.
        let removed = eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(intake, eventLoop: eventLoop)
        removed.futureResult.whenComplete { _ in
            exchange.tunnelIsOpen = true
            bound.value.release()
            self.advance()
        }
        pipeline.removeHandler(decoder, promise: removed)
    }

    /// Sends a piece; `taken` goes on when there is room for another one.
    func send(_ piece: ByteBuffer, for exchange: Exchange, _ taken: CheckedContinuation<Void, any Error>) {
        guard let context, case .answering(let current) = phase, current === exchange,
            case .streaming(let isChunked, let left) = exchange.answer
        else { return taken.resume(throwing: ConnectionGone()) }
        let count = piece.readableBytes
        guard count > 0, !exchange.isHeadOnly else { return taken.resume() }
        if let left {
            guard Int64(count) <= left else { return taken.resume(throwing: ConnectionGone()) }
            exchange.answer = .streaming(isChunked: isChunked, left: left - Int64(count))
        }
        inFlight += count
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in self.taken(count) }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))), promise: written)
        guard inFlight > group.limits.window else { return taken.resume() }
        writers.append(taken)
        group.wait(self, for: .reader)
    }

    /// The kernel has taken so many bytes.
    private func taken(_ count: Int) {
        inFlight -= count
        guard context != nil else { return }
        // Whoever takes something has all the time again for what is left.
        if waiting == .reader, case .answering(let exchange) = phase { group.wait(self, for: patience(exchange)) }
        guard inFlight <= group.limits.window, !writers.isEmpty else { return }
        let waiting = writers
        writers = []
        for writer in waiting { writer.resume() }
    }

    func endStream(_ exchange: Exchange) throws {
        try require(exchange)
        guard case .streaming(let isChunked, let left) = exchange.answer else { throw ConnectionGone() }
        guard left ?? 0 == 0 || exchange.isHeadOnly else {
            // Less than was promised: whoever counts notices, and nobody waits for the rest.
            reset()
            return
        }
        // The encoder ends chunks; there is nothing to say behind other bodies.
        if isChunked, !exchange.isHeadOnly { writeSoon(.end(nil)) }
        finish(exchange)
    }

    /// What should have answered is done. An answer that is not complete breaks the connection off.
    func settle(_ exchange: Exchange, _ error: (any Error)?) {
        exchange.work = nil
        guard context != nil, case .answering(let current) = phase, current === exchange else { return }
        switch exchange.answer {
        case .none: try? answer(exchange, .error(.internalServerError, "the request failed"))
        case .streaming: reset()
        case .done: break
        }
    }

    private func mayFollow(_ exchange: Exchange) -> Bool {
        exchange.isKeepAlive && exchange.body == .complete && !group.isStopping
    }

    private func finish(_ exchange: Exchange) {
        exchange.answer = .done
        if exchange.body == .coming { exchange.pipe?.finish(ConnectionGone()) }
        next(isLast: !mayFollow(exchange))
        advance()
    }

    // MARK: - Ends

    /// Ends the connection when everything written has been taken. A client that still sends is listened to for a
    /// moment: to close with unread bytes would destroy the answer on its way.
    func closeAfterAnswer() {
        guard let context else { return }
        // Nothing, or the last word of a tunnel, done after all that went before.
        let last: HTTPServerResponsePart = tunnelIsOpen ? .end(nil) : .body(.byteBuffer(ByteBuffer()))
        phase = .closing
        group.wait(self, for: inputIsClosed ? .farewell : .reader)
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in
            guard let context = self.context else { return }
            if self.isTLS || self.inputIsClosed || !self.group.mayLinger {
                self.hasParted = true
                context.close(promise: nil)
                if self.inputIsClosed { self.abandon() }
            } else {
                self.group.wait(self, for: .linger)
                context.close(mode: .output, promise: nil)
                context.read()
            }
        }
        context.writeAndFlush(wrapOutboundOut(last), promise: written)
    }

    /// Ends the connection now.
    func drop() {
        guard let context else { return }
        group.wait(self, for: nil)
        context.close(promise: nil)
    }

    /// Ends the connection so that the client knows that something is missing: TCP's reset, with no word of TLS before.
    func reset() {
        guard let context else { return }
        group.wait(self, for: nil)
        // Done at once, since this is the event loop.
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        abandon()
    }

    /// Ends the connection at once, also below TLS, whose farewell would wait for the client.
    func abandon() {
        guard let context else { return }
        group.wait(self, for: nil)
        let tls = isTLS ? try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) : nil
        (tls ?? context).close(promise: nil)
    }

    func expire(_ waiting: Waiting) {
        switch waiting {
        case .head, .call:
            refuse(.requestTimeout, "the request did not come within its time")
        case .upload:
            guard case .answering(let exchange) = phase else { return drop() }
            exchange.isKeepAlive = false
            exchange.pipe?.finish(UploadStalled())
        case .reader: reset()
        case .request, .farewell, .linger: drop()
        }
    }

    /// The service ends: what is being answered may be completed.
    func stopWhenDone() {
        switch phase {
        case .head: drop()
        case .call, .answering, .closing, .closed: break
        }
    }
}

/// Nothing came for longer than `HTTPLimits.uploadStall`.
struct UploadStalled: Error, CustomStringConvertible {
    var description: String { "the client stopped sending" }
}
