import Glibc
import HTTPTypes
import Logging
import Synchronization
import Toolstack

/// `CONNECT /console` with `uuid=` or `ref=` of a console or a VM: after the answer the connection is a guest's console,
/// byte by byte: RFB (RFC 6143) for its screen, plain text for its serial port. `GET /console` is the same for viewers in
/// browsers: the bytes are in the binary frames of a WebSocket.
struct ConsoleEndpoint: Sendable {
    let login: RequestLogin
    let consoles: ConsoleAccess
    let logger: Logger
    private let count = ConsoleCount()

    /// Consoles in use at once.
    static let most = 256

    init(login: RequestLogin, consoles: ConsoleAccess, logger: Logger) {
        self.login = login
        self.consoles = consoles
        self.logger = logger
    }

    func register(in routes: inout HTTPRoutes) {
        routes.on(.connect, "/console") { routed, writer in
            try await serve(routed, to: "connect_console", writer) { HTTPResponse(status: .ok) }
        }
        routes.on(.get, "/console") { routed, writer in
            try await serve(routed, to: "connect_console_ws", writer) {
                try WebSocketHandshake(routed.request).response
            }
        }
    }

    /// `grant` makes the head of the answer, or throws `HTTPFailure`.
    private func serve(
        _ routed: RoutedRequest, to path: String, _ writer: ResponseWriter,
        grant: () throws -> HTTPResponse
    ) async throws {
        let (ref, uuid) = (routed.arguments["ref"], routed.arguments["uuid"])
        let target = RequestTarget(["console", "VM"], ref: ref, uuid: uuid)
        let (descriptor, answer) = try await login.admit(routed, to: path, audited: target) { _ in
            let answer = try grant()
            // Behind the log-in: strangers take nobody's place.
            guard count.enter() else {
                throw HTTPFailure(.serviceUnavailable, "\(Self.most) consoles are in use; try again later")
            }
            do { return (try consoles.connect(ref: ref, uuid: uuid), answer) } catch {
                count.leave()
                throw error
            }
        }
        defer { count.leave() }
        try await SocketTunnel(descriptor).serve(routed.request.body, writer, answer)
    }
}

/// How many consoles are in use.
private final class ConsoleCount: Sendable {
    private let value = Atomic<Int>(0)

    func enter() -> Bool {
        if value.wrappingAdd(1, ordering: .relaxed).newValue <= ConsoleEndpoint.most { return true }
        leave()
        return false
    }

    func leave() { value.wrappingSubtract(1, ordering: .relaxed) }
}
