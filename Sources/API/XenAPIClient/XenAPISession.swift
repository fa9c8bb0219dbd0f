import APITypes
import NIOCore
import NIOPosix
public import RPCCodec

/// A session with a server, over XML-RPC. Calls may be made from any task, at the same time.
///
/// `login` opens it; `logout` ends it and closes the connections and must be called before the object goes.
public final class XenAPISession: XenAPICaller {
    public let address: ServerAddress
    /// The reference that stands for this session in calls and URLs.
    public let ref: String
    private let transport: HTTPTransport

    private init(_ transport: HTTPTransport, ref: String) {
        self.transport = transport
        self.ref = ref
        address = transport.address
    }

    /// Logs in. Over a Unix socket the server takes any user and password. `certificates`: what TLS servers must show.
    /// Throws `APIError` when it refuses and `ConnectionError` when it cannot be asked.
    public static func login(
        at address: ServerAddress, user: String, password: String, originator: String = "cli",
        certificates: CertificatePolicy = .system
    ) async throws -> XenAPISession {
        let transport = HTTPTransport(address, certificates: certificates)
        do {
            let reply = try await send(
                "session.login_with_password",
                [.string(user), .string(password), .string("2.23"), .string(originator)], through: transport)
            guard let ref = reply.text else {
                throw ConnectionError.malformed(address, reason: "the login did not return a session")
            }
            return XenAPISession(transport, ref: ref)
        } catch {
            await transport.close()
            throw error
        }
    }

    public func call(_ method: String, _ parameters: [WireValue]) async throws -> WireValue {
        try await Self.send(method, [.string(ref)] + parameters, through: transport)
    }

    /// Ends the session and closes the connections. A server that is gone already is no error.
    public func logout() async {
        _ = try? await call("session.logout", [])
        await transport.close()
    }

    @discardableResult
    public func upload(
        file path: String, to urlPath: String, query: [(name: String, value: String)],
        onProgress: @escaping @Sendable (_ done: UInt64, _ total: UInt64) -> Void
    ) async throws -> String? {
        let file = try OpenFile(reading: path)
        let length = try file.size()
        let chunks = FileChunks(file: file, length: length, onProgress: onProgress)
        return try await transport.put(
            urlPath, query: query + [(name: "session_id", value: ref)], length: length, chunks: chunks
        ).taskReference
    }

    @discardableResult
    public func download(
        from urlPath: String, query: [(name: String, value: String)], to path: String,
        onProgress: @escaping @Sendable (_ done: UInt64) -> Void
    ) async throws -> String? {
        let file = try OpenFile(creating: path)
        var done: UInt64 = 0
        do {
            return try await transport.get(urlPath, query: query + [(name: "session_id", value: ref)]) { piece in
                try await NIOThreadPool.singleton.runIfActive { try file.write(piece) }
                done += UInt64(piece.readableBytes)
                onProgress(done)
            }.taskReference
        } catch {
            // It is ours and holds no image.
            file.remove()
            throw error
        }
    }

    private static func send(
        _ method: String, _ parameters: [WireValue], through transport: HTTPTransport
    ) async throws -> WireValue {
        let body = XMLRPC.encode(RPCCall(method, parameters))
        let bytes = try await transport.post("/", contentType: XMLRPC.contentType, body: body)
        let reply: RPCReply
        do {
            reply = try XMLRPC.decodeReply(bytes)
        } catch {
            throw ConnectionError.malformed(transport.address, reason: error.description)
        }
        switch reply {
        case .success(let value): return value
        case .failure(let description):
            throw APIError(description.first ?? "INTERNAL_ERROR", Array(description.dropFirst()))
        }
    }
}
