import APITypes
import Foundation
import HTTPTypes
import Toolstack

/// Lets in whoever asks for a path: with a session (cookie, then query), with a name and a password (`Authorization:
/// Basic`; the session lasts as long as the request), or over the local socket.
struct RequestLogin: Sendable {
    let dispatcher: Dispatcher

    /// Runs `body` for a caller who may use the path that the datamodel calls `path`. Throws `HTTPFailure` with status 401
    /// or 403 for others. Errors of the API that `body` throws become 400, 404 or 500.
    func admit<T: Sendable>(
        _ routed: RoutedRequest, to path: String, _ body: (Ref<Session>) async throws -> T
    ) async throws -> T {
        let (session, isOwn): (Ref<Session>, Bool)
        do {
            (session, isOwn) = try await authenticate(routed)
        } catch {
            throw HTTPFailure(.unauthorized, "log in first: \(APIError(error, task: .null).code)")
        }
        do {
            try await dispatcher.admit(session, toPath: path)
            let result = try await body(session)
            if isOwn { try? await dispatcher.sessions.logout(session) }
            return result
        } catch {
            if isOwn { try? await dispatcher.sessions.logout(session) }
            throw Self.failure(error)
        }
    }

    private func authenticate(_ routed: RoutedRequest) async throws -> (Ref<Session>, Bool) {
        if let given = routed.arguments.identity("session_id") {
            let session = Ref<Session>(given)
            try await dispatcher.sessions.require(session)
            return (session, false)
        }
        let client = ClientInfo(isLocalSocket: routed.isLocal, userAgent: routed.request.headers[.userAgent])
        if routed.isLocal {
            let session = try await dispatcher.sessions.login(
                user: "root", password: "", originator: "http", client: client)
            return (session, true)
        }
        guard let basic = Self.basic(routed.request.headers[.authorization]) else {
            throw APIError("SESSION_AUTHENTICATION_FAILED", "", "no credentials")
        }
        let session = try await dispatcher.sessions.login(
            user: basic.user, password: basic.password, originator: "http", client: client)
        return (session, true)
    }

    private static func basic(_ field: String?) -> (user: String, password: String)? {
        guard let field, field.lowercased().hasPrefix("basic ") else { return nil }
        let encoded = field.dropFirst("basic ".count).trimmingCharacters(in: .whitespaces)
        guard let data = Data(base64Encoded: encoded), let text = String(data: data, encoding: .utf8) else {
            return nil
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }

    /// An error of the API as HTTP tells it.
    static func failure(_ error: any Error) -> any Error {
        guard let error = error as? APIError else { return error }
        let status: HTTPResponse.Status =
            switch error.code {
            case "HANDLE_INVALID", "UUID_INVALID": .notFound
            case "INVALID_VALUE", "VM_BAD_POWER_STATE": .badRequest
            case "RBAC_PERMISSION_DENIED": .forbidden
            case "SESSION_INVALID": .unauthorized
            default: .internalServerError
            }
        return HTTPFailure(status, error.description)
    }
}
