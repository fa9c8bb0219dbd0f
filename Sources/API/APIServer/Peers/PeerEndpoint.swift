import APITypes
import HTTPTypes
import Logging
import NIOCore
import Toolstack

/// What the toolstacks of other pools ask of this one while a machine comes here: `POST /services/xenops/moves/ID/VERB`
/// with JSON both ways, and `CONNECT /services/xenops/moves/ID/disk/UUID`, after whose answer the connection is the NBD
/// export of a disk that is being filled, or `…/ID/memory`, where it goes to a QEMU that waits for a guest (`MemoryCoding`
/// says how it may be written). To begin a move needs a session; all that follows needs the secret that was told then, since
/// sessions end with the toolstack.
struct PeerEndpoint: Sendable {
    let login: RequestLogin
    let arrivals: Arrivals
    let logger: Logger
    private let streams = Count()
    private let descriptions = Count()

    private static let path = "/services/xenops/moves"
    /// What is taken of whoever has neither a session nor the secret of a move.
    private static let longestOrder = 4 << 10
    /// Bodies of the others that are taken at once.
    private static let mostDescriptions = 64
    /// Disks being filled at once, four connections each.
    private static let mostStreams = 1024

    init(login: RequestLogin, arrivals: Arrivals, logger: Logger) {
        (self.login, self.arrivals, self.logger) = (login, arrivals, logger)
    }

    func register(in routes: inout HTTPRoutes) {
        routes.on(.post, Self.path) { routed, writer in try await answer(routed, writer) }
        routes.on(.connect, Self.path) { routed, writer in try await fill(routed, writer) }
    }

    private func answer(_ routed: RoutedRequest, _ writer: ResponseWriter) async throws {
        let words = Self.words(routed)
        guard words.count == 2 else { throw HTTPFailure(.notFound, "there is no \(routed.arguments.path)") }
        let isFirst = ["check", "offer", "probe"].contains(words[1])
        let hasSession = try await hasSession(routed, isNeeded: isFirst)
        // Who they are is known before much is taken from them.
        var isTrusted = isFirst
        if !isFirst { isTrusted = await arrivals.knows(id: words[0], secret: Self.secret(routed)) }
        let body = try await body(of: routed, isTrusted: isTrusted)
        let (named, sessions) = (routed.arguments.identity("session_id"), login.dispatcher.sessions)
        let told = await arrivals.answer(
            words[1], id: words[0], secret: Self.secret(routed), body: Array(body.readableBytesView),
            hasSession: hasSession
        ) { named.map { !sessions.exists(Ref($0)) } ?? false }
        try await HTTPAnswer(.ok, contentType: "application/json", body: told).write(writer)
    }

    private func body(of routed: RoutedRequest, isTrusted: Bool) async throws -> ByteBuffer {
        if isTrusted, !descriptions.enter(most: Self.mostDescriptions) {
            throw HTTPFailure(
                .serviceUnavailable, "\(Self.mostDescriptions) machines are being described; try again later")
        }
        defer { if isTrusted { descriptions.leave() } }
        let longest = isTrusted ? Arrivals.longestBody : Self.longestOrder
        var body = ByteBuffer()
        for try await piece in routed.request.body {
            guard body.readableBytes + piece.readableBytes <= longest else {
                throw HTTPFailure(.contentTooLarge, "more than \(longest) bytes")
            }
            body.writeImmutableBuffer(piece)
        }
        return body
    }

    /// Whether the caller has a session with the right to it. One that is no more is an error only where one is needed; one that is
    /// there and could not be looked at always is: who has a session says other things than who has none.
    private func hasSession(_ routed: RoutedRequest, isNeeded: Bool) async throws -> Bool {
        let named = routed.arguments.identity("session_id")
        if !isNeeded, named == nil { return false }
        do {
            return try await login.admit(routed, to: "post_services_xenops") { _ in true }
        } catch {
            if isNeeded { throw error }
            let isDenied = (error as? HTTPFailure)?.status == .forbidden
            if !isDenied, let named, login.dispatcher.sessions.exists(Ref(named)) {
                throw HTTPFailure(.serviceUnavailable, "the session cannot be looked at now; try again later")
            }
            return false
        }
    }

    private func fill(_ routed: RoutedRequest, _ writer: ResponseWriter) async throws {
        let words = Self.words(routed)
        let isMemory = words.count == 2 && words[1] == "memory"
        guard isMemory || words.count == 3 && words[1] == "disk" else {
            throw HTTPFailure(.notFound, "there is no \(routed.arguments.path)")
        }
        guard streams.enter(most: Self.mostStreams) else {
            throw HTTPFailure(.serviceUnavailable, "\(Self.mostStreams) streams are in use; try again later")
        }
        defer { streams.leave() }
        let descriptor: Int32
        do {
            descriptor =
                isMemory
                ? try await arrivals.connectMemory(id: words[0], secret: Self.secret(routed))
                : try await arrivals.connect(id: words[0], secret: Self.secret(routed), disk: words[2])
        } catch {
            logger.info("a stream is refused", metadata: ["path": "\(routed.arguments.path)", "error": "\(error)"])
            throw HTTPFailure(.forbidden, "\(error)")
        }
        let (tunnel, answer) = Self.grant(descriptor, isMemory: isMemory, routed.request.head)
        try await tunnel.serve(routed.request.body, writer, answer)
    }

    /// The stream, as the request wants it where that is known, and the answer, which says so.
    static func grant(
        _ descriptor: Int32, isMemory: Bool, _ head: RequestHead, knowsCodings: Bool = MemoryCoding.isKnown
    ) -> (tunnel: SocketTunnel, answer: HTTPResponse) {
        var answer = HTTPResponse(status: .ok)
        guard isMemory, knowsCodings, head[MemoryCoding.field] == MemoryCoding.zstd,
            let name = HTTPField.Name(MemoryCoding.field)
        else { return (SocketTunnel(descriptor), answer) }
        answer.headerFields[name] = MemoryCoding.zstd
        return (SocketTunnel(descriptor, decompresses: true), answer)
    }

    /// What follows the path.
    private static func words(_ routed: RoutedRequest) -> [String] {
        routed.arguments.path.dropFirst(path.count).split(separator: "/").map(String.init)
    }

    private static func secret(_ routed: RoutedRequest) -> String { routed.request.head["x-gantry-move"] ?? "" }
}
