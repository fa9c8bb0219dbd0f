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
    /// The one that calls come to.
    public let host: Ref<Host>
    public let sessions: Sessions
    public let tasks: Tasks
    private let events: Events
    let handlers: [String: MessageHandler]
    private let cancellable: Set<String>
    let implied: ImpliedMessages
    private let quickReads: QuickReads
    let model = Datamodel.all
    private let logger: Logger
    /// What was changed; nil where nobody keeps it.
    public let audit: AuditLog?
    /// Calls of these classes have no task of their own.
    private static let taskless: Set<String> = ["task", "event"]

    /// `loginFailureDelay` is the pause before a wrong password is answered; `audit` keeps a record of what is changed;
    /// `pam` is asked about users that the pool does not know.
    public init(
        database: PoolDatabase, host: Ref<Host>, messages: MessageTable = MessageTable(),
        loginFailureDelay: Duration = .seconds(5), audit: AuditLog? = nil, pam: PAMService? = nil,
        logger: Logger = Logger(label: "api")
    ) {
        self.database = database
        self.host = host
        self.logger = logger
        self.audit = audit
        let authenticator = Authenticator(database: database, pam: pam, failureDelay: loginFailureDelay)
        sessions = Sessions(database: database, host: host, authenticator: authenticator)
        tasks = Tasks(database: database, host: host)
        events = Events(database: database, sessions: sessions)
        implied = ImpliedMessages(database: database)
        var own = MessageTable()
        sessions.register(in: &own, database: database)
        tasks.register(in: &own, database: database)
        events.register(in: &own)
        RegisteredEvents(events: events).register(in: &own)
        RoleMessages(table: .shared, database: database).register(in: &own)
        SubjectMessages(database: database, sessions: sessions, roles: .shared).register(in: &own)
        UserMessages(database: database, sessions: sessions).register(in: &own)
        AccountMessages(database: database, hasSystemAccounts: pam != nil).register(in: &own)
        handlers = own.handlers.merging(messages.handlers) { $1 }
        cancellable = own.cancellable.union(messages.cancellable)
        quickReads = QuickReads(database: database, model: model, handlers: handlers)
    }

    /// Runs a call to its end; `Async.` calls return once their task exists. Never throws: failures are values.
    public func call(
        method: String, params: [WireValue], client: ClientInfo = ClientInfo()
    ) async -> Result<APIValue, APIError> {
        do {
            return .success(try await dispatch(method, params, client))
        } catch let failure as Settled {
            log(failure.error, of: method, isForeseen: failure.isForeseen)
            return .failure(failure.error)
        } catch {
            let error = APIError(error, task: .null)
            log(error, of: method, isForeseen: error.code != "INTERNAL_ERROR")
            return .failure(error)
        }
    }

    /// The same for calls that can be answered from memory without waiting, checks included; nil for all others.
    public func answerNow(method: String, params: [WireValue]) -> Result<APIValue, APIError>? {
        quickReads.answer(method, params)
    }

    /// As `call`, with what may be very large left as the rows it is made of: maps of records, and events of many objects.
    public func answer(
        method: String, params: [WireValue], client: ClientInfo
    ) async -> Result<CallAnswer, APIError> {
        if let rows = await quickReads.rows(method, params) { return rows.map(CallAnswer.records) }
        if quickReads.isList(method), await mayList(method, params), let rows = await quickReads.list(method, params) {
            return rows.map(CallAnswer.records)
        }
        let batch = LargeBatch()
        let answer = await LargeBatch.$taker.withValue(batch) {
            await call(method: method, params: params, client: client)
        }
        return answer.map { batch.taken.map(CallAnswer.events) ?? .value($0) }
    }

    /// Whether the session may read all objects of a class. What speaks against it is for `call` to say.
    private func mayList(_ method: String, _ params: [WireValue]) async -> Bool {
        guard let message = model.method(method)?.message, let first = params.first,
            let session = try? self.session(first), let caller = try? await sessions.caller(session)
        else { return false }
        do {
            try caller.require(permission(for: message, params.dropFirst()))
            return true
        } catch {
            return false
        }
    }

    /// Failures are the callers' matter; those that nobody foresaw are ours too.
    private func log(_ error: APIError, of method: String, isForeseen: Bool) {
        logger.log(
            level: isForeseen ? .debug : .error, "call failed", metadata: ["method": "\(method)", "error": "\(error)"])
    }

    /// Ends the calls that wait for events: the daemon is about to end. Operations are left as they are; whoever starts
    /// the daemon again takes them up.
    public func stop() {
        events.stop()
        tasks.stop()
    }

    private func dispatch(_ name: String, _ params: [WireValue], _ client: ClientInfo) async throws -> APIValue {
        if let answer = try systemMessage(name, params) { return answer }
        guard let method = model.method(name), method.form != .internalAsynchronous else {
            throw try await unknown(name, params)
        }
        let message = method.message
        if method.form == .asynchronous && !message.isAsync {
            throw APIError("Fault", "the message \(message.wireName) cannot be called asynchronously")
        }
        let given = try check(params, of: message, as: name)
        var session = Ref<Session>.null
        var caller = Principal.nobody
        if message.needsSession {
            session = try self.session(params[0])
            let row = try await sessions.require(session)
            caller = try sessions.caller(session, row)
            if message.isPoolInternal && !row[Session.pool] {
                // INTERNAL_ERROR by the rules of the API, and the caller's mistake all the same.
                throw Settled(error: .internalError("\(name) is only for the hosts of a pool"), isForeseen: true)
            }
        }
        if message.state == .removed { throw APIError("MESSAGE_REMOVED") }
        let record = audited(message, as: name, given, Call(session: session, caller: caller, client: client))
        do {
            if message.needsSession { try caller.require(permission(for: message, given)) }
            let arguments = try decode(given, of: message, record)
            guard let handler = handlers[message.wireName] ?? implied.handler(for: message) else {
                throw APIError("NOT_IMPLEMENTED", message.wireName)
            }
            guard method.form == .asynchronous || (message.isAsync && !Self.taskless.contains(message.className)) else {
                let context = CallContext(
                    session: session, task: .null, progress: NoProgress(), client: client, caller: caller)
                let result = try await handler(context, arguments)
                if let record { audit?.write(record.ended(.success(result))) }
                return result
            }
            let call = Call(session: session, caller: caller, client: client)
            return try await run(method, as: name, call, record) { try await handler($0, arguments) }
        } catch let failure as Settled {
            throw failure
        } catch {
            let error = APIError(error, task: .null)
            if let record { audit?.write(record.ended(.failure(error), isSecret: message.isSecret)) }
            throw error
        }
    }

    /// A failure that is in the audit log already, or need not be in the daemon's.
    private struct Settled: Error {
        let error: APIError
        let isForeseen: Bool
    }

    /// Runs an operation with a task of its own: it goes on when the caller hangs up.
    private func run(
        _ method: MethodCall, as name: String, _ call: Call, _ record: AuditEntry?,
        _ operation: @escaping @Sendable (CallContext) async throws -> APIValue
    ) async throws -> APIValue {
        let task = try await tasks.start(
            name, session: call.session, parent: call.client.parentTask,
            isCancellable: cancellable.contains(method.message.wireName))
        let context = CallContext(
            session: call.session, task: task.ref, progress: task, client: call.client, caller: call.caller)
        let isKept = method.form == .asynchronous
        var noted = record
        if isKept { noted?.note(task: task.ref) }
        let work = Task { [noted] () -> Result<APIValue, APIError> in
            let outcome: Result<APIValue, APIError>
            do {
                outcome = .success(try await CurrentTask.$ref.withValue(task.ref) { try await operation(context) })
            } catch {
                let error = APIError(error, task: task.ref)
                if isKept { log(error, of: name, isForeseen: error.code != "INTERNAL_ERROR") }
                outcome = .failure(error)
            }
            if let noted { audit?.write(noted.ended(outcome, isSecret: method.message.isSecret)) }
            await tasks.finish(task, outcome, keep: isKept)
            return outcome
        }
        if isKept { return .ref(task.ref.opaque) }
        do {
            return try await work.value.get()
        } catch {
            throw Settled(error: error, isForeseen: error.code != "INTERNAL_ERROR")
        }
    }

    private func systemMessage(_ name: String, _ params: [WireValue]) throws(APIError) -> APIValue? {
        if name == "system.listMethods" {
            return .set(model.messages.map(\.wireName).sorted().map(APIValue.string))
        }
        guard name.hasPrefix("system.isAlive:") else { return nil }
        guard let first = params.first else {
            throw APIError("MESSAGE_PARAMETER_COUNT_MISMATCH", name, "1", String(params.count))
        }
        return APIValue(echo: first)
    }

    func session(_ value: WireValue) throws(APIError) -> Ref<Session> {
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

    /// Arguments of wrong types are INTERNAL_ERROR by the rules of the API, and the callers' mistakes all the same.
    private func decode(
        _ given: ArraySlice<WireValue>, of message: MessageDeclaration, _ record: AuditEntry?
    ) throws(Settled) -> Arguments {
        do {
            return try decode(given, of: message)
        } catch {
            if let record { audit?.write(record.ended(.failure(error), isSecret: message.isSecret)) }
            throw Settled(error: error, isForeseen: true)
        }
    }

    private func decode(
        _ given: ArraySlice<WireValue>, of message: MessageDeclaration
    ) throws(APIError) -> Arguments {
        let decoding = WireDecoding(model: model, isSecret: message.isSecret)
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
