import APITypes
import Foundation
import HTTPTypes
import Logging
import Toolstack

/// A transfer that is under way: who asked and the task that stands for it.
struct Transfer: Sendable {
    /// The name of the path in the datamodel, e.g. `put_import_raw_vdi`.
    let handler: String
    let context: CallContext
    let task: RunningTask
    /// The session was made for this request only.
    let ownsSession: Bool
}

enum TransferStart: Sendable {
    case begun(Transfer)
    case refused(HTTPAnswer)
}

extension TransferEndpoint {
    /// Checks who asks (a session, a password, or the local socket) and whether they may use the path that the datamodel
    /// calls `name`, and finds or makes the task.
    func begin(
        _ request: Request, _ arguments: RequestArguments, isLocal: Bool, name: String
    ) async -> TransferStart {
        let client = ClientInfo(isLocalSocket: isLocal, userAgent: request.headers[.userAgent])
        let given = arguments.identity("task_id") ?? request.headers[text: "task-id"]
        var session = Ref<Session>.null
        var ownsSession = false
        let caller: Principal
        do {
            (session, ownsSession) = try await authenticate(request, arguments, client)
            caller = try await dispatcher.admit(session, toPath: name)
        } catch let error as APIError where error.code == "RBAC_PERMISSION_DENIED" {
            await dispatcher.record(name, session: session, client: client, .failure(error))
            if let given, let task = try? await dispatcher.tasks.adopt(Ref(given), for: session) {
                await dispatcher.tasks.finish(task, .failure(error), keep: true)
            }
            if ownsSession { try? await dispatcher.sessions.logout(session) }
            return .refused(.error(.forbidden, error.description))
        } catch {
            if ownsSession { try? await dispatcher.sessions.logout(session) }
            if let given { await fail(Ref(given), APIError("SESSION_AUTHENTICATION_FAILED", "", "no valid login")) }
            return .refused(.error(.unauthorized, "log in first: \(APIError(error, task: .null).code)"))
        }
        do {
            let task: RunningTask
            if let given {
                task = try await dispatcher.tasks.adopt(Ref(given), for: session)
            } else {
                let parent = arguments.identity("subtask_of") ?? request.headers[text: "subtask-of"]
                let label = String(name.drop { $0 != "_" }.dropFirst())
                task = try await dispatcher.tasks.start(label, session: session, parent: parent.map(Ref<XenTask>.init))
            }
            let context = CallContext(session: session, task: task.ref, progress: task, client: client, caller: caller)
            return .begun(Transfer(handler: name, context: context, task: task, ownsSession: ownsSession))
        } catch {
            if ownsSession { try? await dispatcher.sessions.logout(session) }
            return .refused(.error(.badRequest, APIError(error, task: .null).description))
        }
    }

    /// The session of the request, and whether it was made for it.
    private func authenticate(
        _ request: Request, _ arguments: RequestArguments, _ client: ClientInfo
    ) async throws -> (Ref<Session>, Bool) {
        if let given = arguments.identity("session_id") {
            let session = Ref<Session>(given)
            try await dispatcher.sessions.require(session)
            return (session, false)
        }
        if client.isLocalSocket {
            let session = try await dispatcher.sessions.login(
                user: "root", password: "", originator: "http", client: client)
            return (session, true)
        }
        guard arguments.identity("pool_secret") == nil, let basic = Self.basic(request) else {
            throw APIError("SESSION_AUTHENTICATION_FAILED", "", "no credentials")
        }
        let session = try await dispatcher.sessions.login(
            user: basic.user, password: basic.password, originator: "http", client: client)
        return (session, true)
    }

    private static func basic(_ request: Request) -> (user: String, password: String)? {
        guard let field = request.headers[.authorization], field.lowercased().hasPrefix("basic ") else { return nil }
        let encoded = field.dropFirst("basic ".count).trimmingCharacters(in: .whitespaces)
        guard let data = Data(base64Encoded: encoded), let text = String(data: data, encoding: .utf8) else {
            return nil
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }

    private func fail(_ ref: Ref<XenTask>, _ error: APIError) async {
        guard let task = try? await dispatcher.tasks.adopt(ref) else { return }
        await dispatcher.tasks.finish(task, .failure(error), keep: true)
    }

    /// Stores the outcome in the task and forgets a session of our own.
    func end(_ transfer: Transfer, _ outcome: Result<APIValue, APIError>) async {
        await dispatcher.record(
            transfer.handler, session: transfer.context.session, client: transfer.context.client, outcome)
        await dispatcher.tasks.finish(transfer.task, outcome, keep: true)
        if transfer.ownsSession { try? await dispatcher.sessions.logout(transfer.context.session) }
        if case .failure(let error) = outcome { logger.warning("transfer failed", metadata: ["error": "\(error)"]) }
    }

    /// Ends a transfer that could not start.
    func refuse(_ transfer: Transfer, _ error: any Error) async -> HTTPAnswer {
        var fields = HTTPFields()
        fields.set("task-id", transfer.task.ref.opaque)
        if let failure = error as? HTTPFailure {
            await end(transfer, .failure(.internalError(failure.text)))
            return .error(failure.status, failure.text, fields: fields)
        }
        let error = APIError(error, task: transfer.task.ref)
        await end(transfer, .failure(error))
        let status: HTTPResponse.Status =
            switch error.code {
            case "VDI_MISSING", "HANDLE_INVALID", "UUID_INVALID": .badRequest
            case "RBAC_PERMISSION_DENIED": .forbidden
            default: .internalServerError
            }
        return .error(status, error.description, fields: fields)
    }
}
