import APITypes
public import RPCCodec
import Synchronization

/// A session with a server, over XML-RPC or JSON-RPC. Calls may be made from any task, at the same time.
///
/// `login` opens it; `logout` ends it and closes the connections. ``with(at:user:password:certificates:options:_:)`` does
/// both around a closure.
public final class XenAPISession: XenAPICaller {
    /// What the session is now; another after the coordinator moved or the session was opened anew.
    struct Link: Sendable {
        let transport: HTTPTransport
        let ref: String
        let count: Int
    }

    private struct State {
        var link: Link
        var renewal: Task<Link, any Error>?
        /// Of former coordinators: calls under way may still use them.
        var retired: [HTTPTransport] = []
        var isOver = false
    }

    private let state: Mutex<State>
    private let credentials: Credentials?
    let options: Options
    let certificates: CertificatePolicy

    private init(_ link: Link, _ credentials: Credentials?, _ certificates: CertificatePolicy, _ options: Options) {
        state = Mutex(State(link: link))
        self.credentials = options.reconnects ? credentials : nil
        self.certificates = certificates
        self.options = options
    }

    /// The server that the session is with: the coordinator, when it was logged in at another host.
    public var address: ServerAddress { link.transport.address }
    /// The reference that stands for this session in calls and URLs.
    public var ref: String { link.ref }
    /// How many times the session was opened.
    public var loginCount: Int { link.count }

    var link: Link { state.withLock { $0.link } }

    /// Logs in. Over a Unix socket the server takes any user and password. `certificates`: what TLS servers must show.
    /// Throws `APIError` when it refuses and `ConnectionError` when it cannot be asked.
    public static func login(
        at address: ServerAddress, user: String, password: String, certificates: CertificatePolicy = .system,
        options: Options = Options()
    ) async throws -> XenAPISession {
        let credentials = Credentials(user: user, password: password)
        let transport = HTTPTransport(address, certificates: certificates, options: options)
        do {
            let opened = try await Coordinator.open(credentials, at: transport, certificates, options)
            let link = Link(transport: opened.transport, ref: opened.ref, count: 1)
            if opened.transport !== transport { await transport.close() }
            return XenAPISession(link, credentials, certificates, options)
        } catch {
            await transport.close()
            throw error
        }
    }

    /// A session that somebody else opened, as programs get it that a server starts. It is never opened anew, and `close`
    /// leaves it to its owner.
    public static func attached(
        to ref: String, at address: ServerAddress, certificates: CertificatePolicy = .system,
        options: Options = Options()
    ) -> XenAPISession {
        let transport = HTTPTransport(address, certificates: certificates, options: options)
        return XenAPISession(Link(transport: transport, ref: ref, count: 1), nil, certificates, options)
    }

    /// Logs in, runs `body` and logs out, whatever happens.
    public static func with<Result>(
        at address: ServerAddress, user: String, password: String, certificates: CertificatePolicy = .system,
        options: Options = Options(), _ body: (XenAPISession) async throws -> Result
    ) async throws -> Result {
        let session = try await login(
            at: address, user: user, password: password, certificates: certificates, options: options)
        do {
            let result = try await body(session)
            await session.logout()
            return result
        } catch {
            await session.logout()
            throw error
        }
    }

    public func call(_ method: String, _ parameters: [WireValue]) async throws -> WireValue {
        let link = self.link
        do {
            return try await link.transport.call(method, [.string(link.ref)] + parameters)
        } catch let error as APIError where canRenew(link, after: error) {
            let renewed = try await renew(link)
            return try await renewed.transport.call(method, [.string(renewed.ref)] + parameters)
        }
    }

    /// Ends the session and closes the connections, also when the caller's task is cancelled. A server that is gone already
    /// is no error; one that is silent is waited for 10 s.
    public func logout() async {
        let link = state.withLock { state in
            state.isOver = true
            return state.link
        }
        // A cancelled task would not make the call, and leave the session to the server.
        await shielded { _ = try await link.transport.call("session.logout", [.string(link.ref)]) }
        await close()
    }

    public func endSession(_ ref: String) async {
        let transport = link.transport
        await shielded { _ = try await transport.call("session.logout", [.string(ref)]) }
    }

    /// Closes the connections and leaves the session as it is.
    public func close() async {
        let (link, retired) = state.withLock { state in
            state.isOver = true
            defer { state.retired = [] }
            return (state.link, state.retired)
        }
        for transport in [link.transport] + retired { await transport.close() }
    }

    // MARK: - Opening it anew

    private func canRenew(_ link: Link, after error: APIError) -> Bool {
        guard credentials != nil else { return false }
        switch error.code {
        case "SESSION_INVALID": return error.parameters.first.map { $0 == link.ref } ?? true
        case "HOST_IS_SLAVE": return options.followsCoordinator
        default: return false
        }
    }

    /// Logs in again unless another call has done so since `stale`.
    private func renew(_ stale: Link) async throws -> Link {
        guard let credentials else { throw APIError("SESSION_INVALID", stale.ref) }
        let (done, renewal): (Link?, Task<Link, any Error>?) = state.withLock { state in
            if state.link.count != stale.count { return (state.link, nil) }
            if state.isOver { return (nil, nil) }
            if let under = state.renewal { return (nil, under) }
            let task = Task { try await self.reopen(stale, credentials) }
            state.renewal = task
            return (nil, task)
        }
        if let done { return done }
        guard let renewal else { throw APIError("SESSION_INVALID", stale.ref) }
        return try await renewal.value
    }

    private func reopen(_ stale: Link, _ credentials: Credentials) async throws -> Link {
        do {
            // Over the same connections, if it is the same server: other calls are using them.
            let opened = try await Coordinator.open(credentials, at: stale.transport, certificates, options)
            let link = Link(transport: opened.transport, ref: opened.ref, count: stale.count + 1)
            let (isOver, surplus): (Bool, HTTPTransport?) = state.withLock { state in
                state.renewal = nil
                guard !state.isOver else { return (true, nil) }
                state.link = link
                guard link.transport !== stale.transport else { return (false, nil) }
                state.retired.append(stale.transport)
                return (false, state.retired.count > 4 ? state.retired.removeFirst() : nil)
            }
            await surplus?.close()
            if isOver {
                _ = try? await link.transport.call("session.logout", [.string(link.ref)])
                if link.transport !== stale.transport { await link.transport.close() }
                throw APIError("SESSION_INVALID", stale.ref)
            }
            return link
        } catch {
            state.withLock { $0.renewal = nil }
            throw error
        }
    }
}
