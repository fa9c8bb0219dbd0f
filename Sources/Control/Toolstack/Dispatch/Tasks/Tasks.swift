public import APITypes
import CoreTypes
import PoolDatabase
import RPCCodec
import Synchronization

/// The rows of class `task` and the operations behind them. Rows live in memory only. Usable from anywhere.
public final class Tasks: Sendable {
    let database: PoolDatabase
    let host: Ref<Host>
    private let running = Mutex<[String: RunningTask]>([:])
    private let lastCrowdedSweep = Mutex<Int64>(0)
    private let sweeping = Mutex<Task<Void, Never>?>(nil)
    let owners = TaskOwners()

    /// Finished tasks are forgotten after so many seconds, pending ones without an operation too, later when they have progress.
    static let finishedLimit: Int64 = 3900
    static let pendingLimit: Int64 = 86400
    static let progressingLimit: Int64 = 7 * 86400
    static let softCap = 200
    /// More operations than this at once are refused, and more tasks that clients make: neither takes the others' places.
    static let hardCap = 10_000
    /// So many tasks that clients make may be one user's at a time.
    static let ownersCap = 500
    /// How often tasks are looked through, while there are any. Seconds.
    private static let sweepInterval: Int64 = 300

    init(database: PoolDatabase, host: Ref<Host>) {
        self.database = database
        self.host = host
    }

    /// A new pending task with an operation behind it, which looks at its cancellation or does not.
    public func start(
        _ name: String, session: Ref<Session>, parent: Ref<XenTask>? = nil, isCancellable: Bool = true
    ) async throws -> RunningTask {
        let ref = Ref<XenTask>.new()
        let facts = TaskOperationFacts(ref: ref.opaque, status: .pending, isCancellable: isCancellable)
        // Before anybody sees the row: one without `cancel` looks free to `adopt`.
        guard let task = register(ref, within: Self.hardCap) else { throw APIError("TOO_MANY_PENDING_TASKS") }
        do {
            try await create(
                name, as: ref, description: "", session: session, parent: parent,
                operations: TaskOperationRules.allowed(facts))
        } catch {
            running.withLock { $0[ref.opaque] = nil }
            throw error
        }
        return task
    }

    /// Puts an operation behind a task that a client made. HANDLE_INVALID [task, ref] for unknown tasks;
    /// OPERATION_NOT_ALLOWED [text] for those that are finished or have one already.
    public func adopt(_ ref: Ref<XenTask>) async throws -> RunningTask {
        let isRunning = running.withLock { $0[ref.opaque] != nil }
        try await database.transaction { transaction in
            let row = try transaction.require(ref)
            guard row[XenTask.status] == .pending, row[XenTask.allowedOperations].isEmpty, !isRunning else {
                throw APIError("OPERATION_NOT_ALLOWED", "the task \(ref.opaque) is not free")
            }
            try transaction.set(ref, XenTask.allowedOperations, [.cancel])
        }
        return register(ref)
    }

    /// The same for a caller who names a task: HANDLE_INVALID, RBAC_PERMISSION_DENIED for another user's.
    public func adopt(_ ref: Ref<XenTask>, for session: Ref<Session>) async throws -> RunningTask {
        try owners.require(ref, for: session, in: database)
        return try await adopt(ref)
    }

    /// A row without an operation: `task.create`. TOO_MANY_PENDING_TASKS for who has too many already.
    func createForClient(
        _ name: String, description: String, session: Ref<Session>, parent: Ref<XenTask>?
    ) async throws -> Ref<XenTask> {
        let ref = Ref<XenTask>.new()
        let owner = database.read { $0.row(session)?[Session.authUserSid] } ?? ""
        try await sweepCrowd()
        let operations = running.withLock { $0.count }
        let count = database.read { $0.count(className: XenTask.className) }
        guard count - operations < Self.hardCap, owners.admit(ref, of: owner, limit: Self.ownersCap) else {
            throw APIError("TOO_MANY_PENDING_TASKS")
        }
        do {
            return try await create(
                name, as: ref, description: description, session: session, parent: parent, isClients: true)
        } catch {
            owners.forget(ref)
            throw error
        }
    }

    @discardableResult
    private func create(
        _ name: String, as ref: Ref<XenTask>, description: String, session: Ref<Session>,
        parent: Ref<XenTask>?, operations: [TaskAllowedOperations] = [], isClients: Bool = false
    ) async throws -> Ref<XenTask> {
        let now = Self.now
        try await sweepCrowd()
        sweepRegularly()
        let host = host
        let owner = try await database.transaction { transaction -> String in
            transaction.insert(XenTask.self, ref: ref) { row in
                row[XenTask.nameLabel] = name
                row[XenTask.nameDescription] = description
                row[XenTask.created] = APIDate(seconds: now)
                row[XenTask.status] = .pending
                row[XenTask.type] = "<none/>"
                row[XenTask.session] = session
                row[XenTask.residentOn] = host
                row[XenTask.allowedOperations] = operations
                if let parent, transaction.row(parent) != nil { row[XenTask.subtaskOf] = parent }
            }
            return transaction.row(session)?[Session.authUserSid] ?? ""
        }
        owners.note(ref, owner, isClients: isClients)
        return ref
    }

    /// Stores how the operation ended. The row goes at once unless `keep`, or when somebody destroyed it meanwhile.
    public func finish(_ task: RunningTask, _ outcome: Result<APIValue, APIError>, keep: Bool) async {
        await task.close()
        running.withLock { $0[task.ref.opaque] = nil }
        let now = APIDate(seconds: Self.now)
        // Clients wait for it, however the database's file fares.
        _ = try? await database.persist { [owners] transaction in
            let ref = task.ref
            guard let row = transaction.row(ref) else { return }
            if !keep || row[XenTask.currentOperations].values.contains(.destroy) {
                owners.forget(ref)
                return transaction.delete(ref)
            }
            try transaction.set(ref, XenTask.progress, 1)
            try transaction.set(ref, XenTask.finished, now)
            try transaction.set(ref, XenTask.allowedOperations, [])
            try transaction.set(ref, XenTask.currentOperations, [:])
            switch outcome {
            case .success(let value):
                try transaction.set(ref, XenTask.result, XMLRPC.encodeValue(value.wire))
                try transaction.set(ref, XenTask.status, .success)
            case .failure(let error):
                try transaction.set(ref, XenTask.errorInfo, error.wire)
                try transaction.set(ref, XenTask.status, error.code == "TASK_CANCELLED" ? .cancelled : .failure)
            }
        }
    }

    /// Asks the operation to stop; `canceller` is the task that asks. HANDLE_INVALID [task, ref]; OPERATION_NOT_ALLOWED
    /// [text] when nothing is to stop.
    func cancel(_ ref: Ref<XenTask>, by canceller: Ref<XenTask>) async throws {
        let operation = running.withLock { $0[ref.opaque] }
        let key = canceller.isNull ? "DummyRef:|\(Identifiers.newUUID())|task.cancel" : canceller.opaque
        try await database.transaction { transaction in
            let row = try transaction.require(ref)
            let facts = TaskOperationFacts(
                ref: ref.opaque, status: row[XenTask.status],
                isCancellable: row[XenTask.allowedOperations].contains(.cancel))
            if let refusal = TaskOperationRules.refusal(of: .cancel, facts) { throw refusal }
            var operations = row[XenTask.currentOperations]
            operations[key] = .cancel
            try transaction.set(ref, XenTask.currentOperations, operations)
        }
        operation?.cancel()
    }

    /// Forgets a finished task; an unfinished one goes when it is done.
    func destroy(_ ref: Ref<XenTask>) async throws {
        let isRunning = running.withLock { $0[ref.opaque] != nil }
        let isGone = try await database.transaction { transaction -> Bool in
            let row = try transaction.require(ref)
            guard isRunning, row[XenTask.status] == .pending else {
                transaction.delete(ref)
                return true
            }
            var operations = row[XenTask.currentOperations]
            operations["task"] = .destroy
            try transaction.set(ref, XenTask.currentOperations, operations)
            return false
        }
        if isGone { owners.forget(ref) }
    }

    func register(_ ref: Ref<XenTask>) -> RunningTask {
        let task = RunningTask(ref: ref, database: database)
        running.withLock { $0[ref.opaque] = task }
        return task
    }

    /// Nil when `most` operations are running.
    private func register(_ ref: Ref<XenTask>, within most: Int) -> RunningTask? {
        let task = RunningTask(ref: ref, database: database)
        return running.withLock { running in
            guard running.count < most else { return nil }
            running[ref.opaque] = task
            return task
        }
    }

    func unregister(_ ref: Ref<XenTask>) { running.withLock { $0[ref.opaque] = nil } }

    /// Forgets what is due at `now` (seconds since 1970): finished tasks after 65 minutes, pending ones without an operation
    /// after a day, with progress after a week, and the oldest finished ones where there are more than 200 tasks.
    public func sweep(at now: Int64) async throws {
        let busy = running.withLock { Set($0.keys) }
        let left = try await database.transaction { transaction -> Set<String> in
            Self.sweep(transaction, at: now, busy: busy)
            return Set(transaction.rows(XenTask.self).map(\.ref))
        }
        owners.keep(left)
    }

    private func sweepCrowd() async throws {
        let now = Self.now
        let count = database.read { $0.count(className: XenTask.className) }
        if count >= Self.softCap * 2, isFirstCrowdedSweep(at: now) { try await sweep(at: now) }
    }

    /// To look through a crowd of tasks is worth it once a second at most: they may all be pending.
    private func isFirstCrowdedSweep(at now: Int64) -> Bool {
        lastCrowdedSweep.withLock { last in
            defer { last = now }
            return last != now
        }
    }

    /// Sweeps now and then, until no task is left.
    func sweepRegularly() {
        sweeping.withLock { sweeping in
            guard sweeping == nil else { return }
            sweeping = Task { [weak self] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(Self.sweepInterval))
                    guard let self, await sweepsOn() else { return }
                }
            }
        }
    }

    /// Sweeps once; false when there is nothing to come back for.
    private func sweepsOn() async -> Bool {
        // The rows live in memory: this can fail only together with the whole database.
        try? await sweep(at: Self.now)
        guard database.read({ $0.count(className: XenTask.className) }) == 0 else { return true }
        sweeping.withLock { $0 = nil }
        return false
    }

    /// Ends what goes on by itself.
    func stop() { sweeping.withLock { $0?.cancel() } }

    private static func sweep(_ transaction: Transaction, at now: Int64, busy: Set<String>) {
        var finished: [Row] = []
        for row in transaction.rows(XenTask.self) where !busy.contains(row.ref) {
            let isPending = row[XenTask.status] == .pending
            let age = now - (isPending ? row[XenTask.created] : row[XenTask.finished]).seconds
            let limit = isPending ? row[XenTask.progress] == 0 ? pendingLimit : progressingLimit : finishedLimit
            if age > limit {
                transaction.delete(row.typedRef(XenTask.self))
            } else if !isPending {
                finished.append(row)
            }
        }
        let surplus = transaction.count(className: XenTask.className) - softCap
        finished.sort { $0[XenTask.finished].seconds < $1[XenTask.finished].seconds }
        for row in finished.prefix(max(0, surplus)) { transaction.delete(row.typedRef(XenTask.self)) }
    }

    static var now: Int64 { WallClock.seconds }
}
