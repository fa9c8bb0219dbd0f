import Synchronization

/// All objects of the pool: tables in memory, kept in an SQLite file.
///
/// Readers see the committed state and never wait. Transactions run one after another on their caller's thread, each
/// on top of the one before; a single writer then makes whole groups of them durable with one fsync, and only after
/// that are they visible and do their callers go on. Usable from anywhere.
public final class PoolDatabase: Sendable {
    public let schema: DatabaseSchema
    private let store: RowStore?
    private let visible: Mutex<DatabaseState>
    private let queue: Mutex<Queue>
    private let derivation: Derivation?
    let isClosed = Atomic<Bool>(false)
    let complaints = Mutex(LateWrites())
    let hub = ChangeHub()

    /// The transactions that are done but not durable yet.
    fileprivate struct Queue: Sendable {
        /// The state after the last of them.
        var head: DatabaseState
        var group = Group()
        var isWriting = false
        var crowd = Crowd()
    }

    /// Transactions that become durable together.
    fileprivate struct Group: Sendable {
        var rows: [TouchedRow] = []
        var records: [Transaction.PrivateKey] = []
        var journal: [RowKey] = []
        var waiting: [Waiting] = []

        /// Whether it has to be written to the file.
        var isDurable: Bool { !rows.isEmpty || !records.isEmpty }
    }

    /// Somebody whose transaction is done.
    fileprivate struct Waiting: Sendable {
        let finish: CheckedContinuation<Void, any Error>
        /// Whether it changed something of the file.
        let isDurable: Bool
    }

    /// A transaction that changed nothing of the file was built on another's that could not be written.
    private struct Undone: Error {}

    /// When the transactions that are done are to be written.
    fileprivate enum Start {
        case now
        /// Unless enough others come first.
        case later(Crowd.Ticket, Duration)
    }

    /// Opens or creates the file; nil keeps everything in memory. Throws `StoreError` for a file that is damaged, of
    /// a later version, or in use by another process: nothing is loaded from it then. `after`: a generation that the
    /// database must be past, as when it takes the place of another. `deriving` keeps fields that follow from others.
    public static func open(
        path: String?, schema: DatabaseSchema = .datamodel, after generation: Int64 = 0, deriving: Derivation? = nil
    ) async throws -> PoolDatabase {
        guard let path else {
            return PoolDatabase(
                schema: schema, store: nil, state: DatabaseState(schema: schema, generation: 0), deriving: deriving)
        }
        let (store, state) = try await RowStore.open(path: path, schema: schema, after: generation)
        deriving?.begin(on: state)
        return PoolDatabase(schema: schema, store: store, state: state, deriving: deriving)
    }

    private init(schema: DatabaseSchema, store: RowStore?, state: DatabaseState, deriving: Derivation?) {
        self.schema = schema
        derivation = deriving
        self.store = store
        visible = Mutex(state)
        queue = Mutex(Queue(head: state))
    }

    /// Runs `body` on the committed state. Short and synchronous; a change made meanwhile is not seen.
    public func read<T>(_ body: (any DatabaseReader) throws -> T) rethrows -> T {
        try body(state)
    }

    /// The committed state.
    var state: DatabaseState { visible.withLock { $0 } }

    /// Where the file is; nil for a database in memory.
    public var path: String? { store?.path }

    /// Values of the file that were not of their fields' types, as a later version may have written them, each as
    /// `class.field of reference`; the first hundred. The fields have what could be read of them, or their defaults; the file
    /// keeps what it has until the rows change.
    public var replacedValues: [String] { store?.replaced ?? [] }

    /// How many groups of transactions were written to the file so far: what each of them shared was one sync.
    public var commitCount: Int { store?.commitCount ?? 0 }

    public var generation: Int64 { visible.withLock { $0.generation } }

    /// Runs `body`; when it returns, its changes are durable and visible. When it throws, nothing has changed.
    /// Bodies are short: they run one at a time for the whole pool.
    ///
    /// A body that changes nothing of the file does not fail because others' changes cannot be written: it is run again,
    /// without theirs. The others run once, and throw `StoreError` when the file cannot be written.
    ///
    /// **So a body may run more than once, and everything that it does but change the transaction must be the same when it is
    /// done again**: a variable of its caller's is set, never added to; no number is taken, nobody resumed, nothing sent.
    @discardableResult
    public func transaction<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: (Transaction) throws -> T
    ) async throws -> T {
        while true {
            do { return try await attempt(isolation: isolation, body) } catch is Undone { continue }
        }
    }

    private func attempt<T: Sendable>(
        isolation: isolated (any Actor)?, _ body: (Transaction) throws -> T
    ) async throws -> T {
        var result: T?
        var failure: (any Error)?
        try await withCheckedThrowingContinuation { (finish: CheckedContinuation<Void, any Error>) in
            let start = queue.withLock { queue -> Start? in
                let transaction = Transaction(queue.head)
                do {
                    result = try body(transaction)
                    if let derivation { try transaction.derive(derivation) }
                    if let late = transaction.failure { throw late }
                } catch {
                    failure = error
                    finish.resume()
                    return nil
                }
                if transaction.isEmpty {
                    // Nothing of its own, yet what it read must not be undone after its caller went on.
                    guard queue.isWriting || !queue.group.waiting.isEmpty else {
                        finish.resume()
                        return nil
                    }
                } else {
                    queue.head = transaction.state
                    queue.head.journal = []
                    queue.group.rows += transaction.touched
                    queue.group.records += transaction.touchedPrivates
                    queue.group.journal += transaction.state.journal
                }
                let isDurable = !transaction.touched.isEmpty || !transaction.touchedPrivates.isEmpty
                queue.group.waiting.append(Waiting(finish: finish, isDurable: isDurable))
                return queue.added()
            }
            begin(start)
        }
        if let failure { throw failure }
        guard let result else { preconditionFailure("a transaction ended without a result") }
        return result
    }

    private func begin(_ start: Start?) {
        switch start {
        case .now?: write()
        case .later(let ticket, let pause)?:
            Task { [self] in
                try? await Task.sleep(for: pause, tolerance: .zero)
                if queue.withLock({ $0.crowd.isOver(ticket) }) { write() }
            }
        case nil: break
        }
    }

    /// Writes groups of transactions until none is left, or until others are waited for.
    private func write() {
        var start: Start? = .now
        while case .now? = start {
            let (group, state) = queue.withLock { queue -> (Group, DatabaseState) in
                defer { queue.group = Group() }
                return (queue.group, queue.head)
            }
            if let store, group.isDurable || store.mustReserve(state.generation) {
                let began = ContinuousClock.now
                store.write(group.rows, group.records, of: state) { [self] error in
                    let time = ContinuousClock.now - began
                    finish(group, state, error)
                    begin(
                        queue.withLock { queue in
                            queue.crowd.wrote(group.waiting.count, whileWaiting: queue.group.waiting.count, in: time)
                            return queue.next()
                        })
                }
                return
            }
            finish(group, state, nil)
            start = queue.withLock { $0.next() }
        }
        begin(start)
    }

    private func finish(_ group: Group, _ state: DatabaseState, _ error: (any Error)?) {
        guard let error else {
            visible.withLock { $0 = state }
            hub.publish(group.journal, schema: schema)
            for waiting in group.waiting { waiting.finish.resume() }
            return
        }
        // What came after was built on what is lost: it fails too, but for what can be built again.
        let later = queue.withLock { queue -> Group in
            queue.head = visible.withLock { $0 }
            defer { queue.group = Group() }
            return queue.group
        }
        for waiting in group.waiting {
            waiting.finish.resume(throwing: waiting.isDurable || !group.isDurable ? error : Undone())
        }
        for waiting in later.waiting { waiting.finish.resume(throwing: waiting.isDurable ? error : Undone()) }
    }

    /// Copies the file as it is now to `path`, where nothing may be, while the database is in use: the copy can be opened
    /// as a database. Throws `StoreError`; then there is no copy.
    public func backUp(to path: String) async throws {
        guard let store else { throw StoreError.notInAFile }
        try await store.backUp(to: path)
    }

    /// Ends the use of the file, after everything written so far. Later transactions fail.
    public func close() async throws {
        isClosed.store(true, ordering: .releasing)
        try await store?.close()
    }
}

extension PoolDatabase.Queue {
    private var isComplete: Bool { !group.isDurable || crowd.isHere(group.waiting.count) }

    /// What to do now that there is one more transaction; nil: nothing, somebody is at it.
    fileprivate mutating func added() -> PoolDatabase.Start? {
        // Held open for others who are all here now?
        guard !isWriting else { return isComplete && crowd.endWaiting() ? .now : nil }
        return next()
    }

    /// What to do now that nothing is being written.
    fileprivate mutating func next() -> PoolDatabase.Start? {
        isWriting = !group.waiting.isEmpty
        guard isWriting else { return nil }
        return isComplete ? .now : .later(crowd.startWaiting(), crowd.pause)
    }
}
