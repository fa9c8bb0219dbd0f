import APITypes
import HTTPTypes
import Logging
import Toolstack

/// A transfer that is under way: who asked and the task that stands for it.
struct Transfer: Sendable {
    /// The name of the path in the datamodel, e.g. `put_import_raw_vdi`.
    let handler: String
    let context: CallContext
    let task: RunningTask
    let asking: RequestLogin.Caller
}

enum TransferStart: Sendable {
    case begun(Transfer)
    case refused(HTTPAnswer)
}

extension TransferEndpoint {
    var login: RequestLogin { RequestLogin(dispatcher: dispatcher) }

    /// Checks who asks and whether they may use the path that the datamodel calls `name`, and finds or makes the task.
    func begin(_ request: Request, _ arguments: RequestArguments, name: String) async -> TransferStart {
        let given = arguments.identity("task_id") ?? request.headers[text: "task-id"]
        let asking: RequestLogin.Caller
        do {
            asking = try await login.authenticate(request, arguments)
        } catch {
            // A task that is named stays as it is: nobody knows whether it is the client's.
            return .refused(Self.page(RequestLogin.unauthorized(error)))
        }
        let session = asking.session
        let caller: Principal
        do {
            caller = try await dispatcher.admit(session, toPath: name)
        } catch {
            let error = APIError(error, task: .null)
            await dispatcher.record(name, session: session, client: asking.client, .failure(error))
            if let given, let task = try? await dispatcher.tasks.adopt(Ref(given), for: session) {
                await dispatcher.tasks.finish(task, .failure(error), keep: true)
            }
            await login.forget(asking)
            // The session may have ended meanwhile.
            let status: HTTPResponse.Status = error.code == "RBAC_PERMISSION_DENIED" ? .forbidden : .unauthorized
            return .refused(.error(status, error.description))
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
            let context = CallContext(
                session: session, task: task.ref, progress: task, client: asking.client, caller: caller)
            return .begun(Transfer(handler: name, context: context, task: task, asking: asking))
        } catch {
            await login.forget(asking)
            return .refused(.error(.badRequest, APIError(error, task: .null).description))
        }
    }

    /// Stores the outcome in the task and forgets a session of our own.
    func end(_ transfer: Transfer, _ outcome: Result<APIValue, APIError>) async {
        await dispatcher.record(
            transfer.handler, session: transfer.context.session, client: transfer.context.client, outcome)
        await dispatcher.tasks.finish(transfer.task, outcome, keep: true)
        await login.forget(transfer.asking)
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

    private static func page(_ failure: HTTPFailure) -> HTTPAnswer { .error(failure.status, failure.text) }
}
