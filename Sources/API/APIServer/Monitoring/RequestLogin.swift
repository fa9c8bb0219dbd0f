import APITypes
import Foundation
import HTTPTypes
import Toolstack

/// Lets in whoever asks for a path: with a session (cookie, then query), with a name and a password (`Authorization:
/// Basic`; the session lasts as long as the request), or over the local socket.
struct RequestLogin: Sendable {
    let dispatcher: Dispatcher

    /// Who asked, and whether the session was made for this request only.
    struct Caller: Sendable {
        let session: Ref<Session>
        let isOwn: Bool
        let client: ClientInfo
    }

    /// Runs `body` for a caller who may use the path that the datamodel calls `path`. Throws `HTTPFailure` with status 401
    /// or 403 for others. Errors of the API that `body` throws become 400, 404 or 500. `target`: the audit log says who asked
    /// for what, and how that ended.
    func admit<T: Sendable>(
        _ routed: RoutedRequest, to path: String, audited target: RequestTarget? = nil,
        _ body: (Ref<Session>) async throws -> T
    ) async throws -> T {
        let caller: Caller
        do {
            caller = try await authenticate(routed.request, routed.arguments)
        } catch {
            throw Self.unauthorized(error)
        }
        do {
            try await dispatcher.admit(caller.session, toPath: path)
            let result = try await body(caller.session)
            await end(caller, path, target, .success(.void))
            return result
        } catch {
            await end(caller, path, target, .failure(APIError(told: error)))
            throw Self.failure(error)
        }
    }

    private func end(
        _ caller: Caller, _ path: String, _ target: RequestTarget?, _ outcome: Result<APIValue, APIError>
    ) async {
        if let target {
            await dispatcher.record(
                path, session: caller.session, client: caller.client, about: target, outcome)
        }
        await forget(caller)
    }

    /// Ends a session that was made for the request.
    func forget(_ caller: Caller) async {
        if caller.isOwn { try? await dispatcher.sessions.logout(caller.session) }
    }

    /// What somebody is told who has not logged in.
    static func unauthorized(_ error: any Error) -> HTTPFailure {
        HTTPFailure(.unauthorized, "log in first: \(APIError(error, task: .null).code)")
    }

    /// Throws SESSION_AUTHENTICATION_FAILED, SESSION_INVALID.
    func authenticate(_ request: Request, _ arguments: RequestArguments) async throws -> Caller {
        let client = ClientInfo(isLocalSocket: request.isLocal, userAgent: request.headers[.userAgent])
        if let given = arguments.identity("session_id") {
            let session = Ref<Session>(given)
            try await dispatcher.sessions.require(session)
            return Caller(session: session, isOwn: false, client: client)
        }
        let (user, password): (String, String)
        if request.isLocal {
            (user, password) = ("root", "")
        } else if let basic = Self.basic(request.headers[.authorization]), arguments.identity("pool_secret") == nil {
            (user, password) = basic
        } else {
            throw APIError("SESSION_AUTHENTICATION_FAILED", "", "no credentials")
        }
        let session = try await dispatcher.sessions.login(
            user: user, password: password, originator: "http", client: client)
        return Caller(session: session, isOwn: true, client: client)
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

extension APIError {
    /// What the audit log says of a request that failed.
    fileprivate init(told error: any Error) {
        if let failure = error as? HTTPFailure {
            self = .internalError(failure.text)
        } else {
            self.init(error, task: .null)
        }
    }
}
