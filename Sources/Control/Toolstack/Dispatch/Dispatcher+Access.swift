public import APITypes
public import DataModel
import PoolDatabase
import RPCCodec

extension Dispatcher {
    /// Who calls, and how the call came in.
    struct Call: Sendable {
        let session: Ref<Session>
        let caller: Principal
        let client: ClientInfo
    }

    /// The error of a name that is no message. A session is asked for the right that extensions need.
    func unknown(_ name: String, _ params: [WireValue]) async throws -> APIError {
        if let first = params.first {
            let caller = try await sessions.caller(try session(first))
            if let message = model.message("host.call_extension") { try caller.require(message.permission) }
        }
        return APIError("MESSAGE_METHOD_UNKNOWN", name)
    }

    /// What the call needs: entries of some maps have rights of their own.
    func permission(for message: MessageDeclaration, _ given: ArraySlice<WireValue>) -> Permission {
        guard !message.mapKeyRoles.isEmpty, case .string(let key)? = given.dropFirst().first else {
            return message.permission
        }
        return message.permission(forKey: key)
    }

    func audited(
        _ message: MessageDeclaration, as name: String, _ given: ArraySlice<WireValue>, _ call: Call
    ) -> AuditEntry? {
        guard audit != nil, message.isAudited else { return nil }
        var caller = call.caller
        if !message.needsSession, case .string(let claimed)? = given.first, message.parameters.first?.type == .string {
            // Who it says it is; a secret in the first place is not said.
            if message.parameters.first?.isSecret == false { caller = Principal(rights: .nothing, userName: claimed) }
        }
        return AuditEntry(
            call: name, caller: caller, session: call.session, client: call.client,
            objects: AuditEntry.objects(Array(given), of: message, in: database))
    }

    /// Lets a session use one of the paths beside the messages. RBAC_PERMISSION_DENIED [permission, text]; SESSION_INVALID.
    /// Returns who it is.
    @discardableResult
    public func admit(_ session: Ref<Session>, toPath handler: String) async throws -> Principal {
        let caller = try await sessions.caller(session)
        guard let declared = model.httpHandler(handler) else {
            throw APIError.internalError("no path is declared as \(handler)")
        }
        try caller.require(declared.permission)
        return caller
    }

    /// Puts a request to a path into the audit log.
    public func record(
        _ handler: String, session: Ref<Session>, client: ClientInfo, about target: RequestTarget? = nil,
        _ outcome: Result<APIValue, APIError>
    ) async {
        guard let audit else { return }
        let caller = (try? await sessions.caller(session)) ?? .nobody
        let entry = AuditEntry(
            call: "http/\(handler)", caller: caller, session: session, client: client,
            objects: target.map { AuditEntry.objects($0, in: database) } ?? [])
        audit.write(entry.ended(outcome))
    }

    /// How messages are answered.
    public enum Coverage: String, Sendable {
        /// By code of its own.
        case implemented
        /// By what its declaration implies: from the database, or MESSAGE_REMOVED.
        case answered
        /// NOT_IMPLEMENTED.
        case missing
    }

    public func coverage(of message: MessageDeclaration) -> Coverage {
        if message.state == .removed { return .answered }
        if handlers[message.wireName] != nil { return .implemented }
        return implied.handler(for: message) == nil ? .missing : .answered
    }

    /// The same for all, by wire name.
    public var coverage: [String: Coverage] {
        Dictionary(model.messages.map { ($0.wireName, coverage(of: $0)) }) { first, _ in first }
    }
}
