public import APITypes
import DataModel
public import Logging
public import PoolDatabase
public import RPCCodec

/// Takes calls by their wire names, checks them against the datamodel, and runs what implements them: the message
/// table given, then the messages about sessions, tasks and events, then what the datamodel implies about fields and
/// objects. Usable from anywhere.
public final class Dispatcher: Sendable {
    public let database: PoolDatabase
    public let sessions: Sessions
    public let tasks: Tasks
    private let events: Events
    private let handlers: [String: MessageHandler]
    private let implied: ImpliedMessages
    private let quickReads: QuickReads
    private let model = Datamodel.all
    private let logger: Logger
    /// Calls of these classes have no task of their own.
    private static let taskless: Set<String> = ["task", "event"]

    /// `loginFailureDelay` is the pause before a wrong password is answered.
    public init(
        database: PoolDatabase, host: Ref<Host>, messages: MessageTable = MessageTable(),
        loginFailureDelay: Duration = .seconds(5), logger: Logger = Logger(label: "api")
    ) {
        self.database = database
        self.logger = logger
        sessions = Sessions(database: database, host: host, failureDelay: loginFailureDelay)
        tasks = Tasks(database: database, host: host)
        events = Events(database: database, sessions: sessions)
        implied = ImpliedMessages(database: database)
        var own = MessageTable()
        sessions.register(in: &own, database: database)
        tasks.register(in: &own, database: database)
        events.register(in: &own)
        handlers = own.handlers.merging(messages.handlers) { $1 }
        quickReads = QuickReads(database: database, model: model, handlers: handlers)
    }

    /// Runs a call to its end; `Async.` calls return once their task exists. Never throws: failures are values.
    public func call(
        method: String, params: [WireValue], client: ClientInfo = ClientInfo()
    ) async -> Result<APIValue, APIError> {
        do {
            return .success(try await dispatch(method, params, client))
        } catch {
            let error = APIError(error, task: .null)
            log(error, of: method)
            return .failure(error)
        }
    }

    /// The same for calls that can be answered from memory without waiting, checks included; nil for all others.
    public func answerNow(method: String, params: [WireValue]) -> Result<APIValue, APIError>? {
        quickReads.answer(method, params)
    }

    /// As `call`, with maps of records left as the rows they are made of where that is possible.
    public func answer(
        method: String, params: [WireValue], client: ClientInfo
    ) async -> Result<CallAnswer, APIError> {
        if let rows = quickReads.rows(method, params) { return rows.map(CallAnswer.records) }
        return await call(method: method, params: params, client: client).map(CallAnswer.value)
    }

    /// Failures are the callers' matter; those that nobody foresaw are ours too.
    private func log(_ error: APIError, of method: String) {
        let level: Logger.Level = error.code == "INTERNAL_ERROR" ? .error : .debug
        logger.log(level: level, "call failed", metadata: ["method": "\(method)", "error": "\(error)"])
    }

    /// Ends the calls that wait for events: the daemon is about to end. Operations are left as they are; whoever starts
    /// the daemon again takes them up.
    public func stop() { events.stop() }

    private func dispatch(_ name: String, _ params: [WireValue], _ client: ClientInfo) async throws -> APIValue {
        if let answer = try systemMessage(name, params) { return answer }
        guard let method = model.method(name), method.form != .internalAsynchronous else {
            if let first = params.first { try await sessions.require(try session(first)) }
            throw APIError("MESSAGE_METHOD_UNKNOWN", name)
        }
        let message = method.message
        if method.form == .asynchronous && !message.isAsync {
            throw APIError("Fault", "the message \(message.wireName) cannot be called asynchronously")
        }
        let given = try check(params, of: message, as: name)
        var session = Ref<Session>.null
        if message.needsSession {
            session = try self.session(params[0])
            let row = try await sessions.require(session)
            if message.isPoolInternal && !row[Session.pool] {
                throw APIError.internalError("\(name) is only for the hosts of a pool")
            }
        }
        if message.state == .removed && message.origin == .custom { throw APIError("MESSAGE_REMOVED") }
        let arguments = try decode(given, of: message)
        guard let handler = handlers[message.wireName] ?? implied.handler(for: message) else {
            throw APIError("NOT_IMPLEMENTED", message.wireName)
        }
        guard method.form == .asynchronous || (message.isAsync && !Self.taskless.contains(message.className)) else {
            let context = CallContext(session: session, task: .null, progress: NoProgress(), client: client)
            return try await handler(context, arguments)
        }
        let task = try await tasks.start(name, session: session, parent: client.parentTask)
        let context = CallContext(session: session, task: task.ref, progress: task, client: client)
        let isKept = method.form == .asynchronous
        // A task of its own: the operation goes on when the caller hangs up.
        let work = Task { () -> Result<APIValue, APIError> in
            let outcome: Result<APIValue, APIError>
            do {
                outcome = .success(try await handler(context, arguments))
            } catch {
                let error = APIError(error, task: task.ref)
                if isKept { log(error, of: name) }
                outcome = .failure(error)
            }
            await tasks.finish(task, outcome, keep: isKept)
            return outcome
        }
        return isKept ? .ref(task.ref.opaque) : try await work.value.get()
    }

    private func systemMessage(_ name: String, _ params: [WireValue]) throws(APIError) -> APIValue? {
        if name == "system.listMethods" {
            return .set(model.messages.map(\.wireName).sorted().map(APIValue.string))
        }
        guard name.hasPrefix("system.isAlive:") else { return nil }
        guard case .string(let text)? = params.first else {
            throw APIError("MESSAGE_PARAMETER_COUNT_MISMATCH", name, "1", String(params.count))
        }
        return .string(text)
    }

    private func session(_ value: WireValue) throws(APIError) -> Ref<Session> {
        guard case .string(let text) = value else { throw .internalError("the session is not a string") }
        return Ref(text)
    }

    /// The arguments without the session, once their number is right.
    private func check(
        _ params: [WireValue], of message: MessageDeclaration, as name: String
    ) throws(APIError) -> ArraySlice<WireValue> {
        let skipped = message.needsSession ? 1 : 0
        let received = params.count - skipped
        let required = message.requiredParameterCount
        let isExact = required == message.parameters.count
        guard isExact ? received == required : received >= required else {
            throw APIError("MESSAGE_PARAMETER_COUNT_MISMATCH", name, String(required), String(received))
        }
        return params.dropFirst(skipped).prefix(message.parameters.count)
    }

    private func decode(
        _ given: ArraySlice<WireValue>, of message: MessageDeclaration
    ) throws(APIError) -> Arguments {
        let decoding = WireDecoding(model: model)
        if message.origin == .create, let value = given.first, let declared = model.classNamed(message.className) {
            return Arguments([try decoding.creation(value, of: declared)])
        }
        var values: [APIValue] = []
        for (parameter, value) in zip(message.parameters, given) {
            values.append(try decoding.decode(value, as: parameter.type, name: parameter.name))
        }
        for parameter in message.parameters.dropFirst(values.count) {
            values.append(parameter.defaultValue.map(APIValue.init) ?? .void)
        }
        return Arguments(values)
    }
}

extension APIError {
    /// Any error as the API tells it.
    public init(_ error: any Error, task: Ref<XenTask>) {
        if let error = error as? APIError {
            self = error
        } else if error is CancellationError {
            self = APIError("TASK_CANCELLED", task.opaque)
        } else {
            self = .internalError(String(describing: error))
        }
    }
}
