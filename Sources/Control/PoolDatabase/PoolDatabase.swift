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
    let waiters = ChangeWaiters()

    /// The transactions that are done but not durable yet.
    private struct Queue: Sendable {
        /// The state after the last of them.
        var head: DatabaseState
        var pending: [Pending] = []
        var isWriting = false
    }

    private struct Pending: Sendable {
        let state: DatabaseState
        let changes: [RowChange]
        let finish: CheckedContinuation<Void, any Error>
    }

    /// Opens or creates the file; nil keeps everything in memory. Throws `StoreError` for a file that is damaged, of
    /// a later version, or in use by another process: nothing is loaded from it then.
    public static func open(path: String?, schema: DatabaseSchema = .datamodel) async throws -> PoolDatabase {
        guard let path else {
            return PoolDatabase(schema: schema, store: nil, state: DatabaseState(schema: schema, generation: 0))
        }
        let store = try await RowStore.open(path: path)
        let state = try await store.load(schema: schema)
        return PoolDatabase(schema: schema, store: store, state: state)
    }

    private init(schema: DatabaseSchema, store: RowStore?, state: DatabaseState) {
        self.schema = schema
        self.store = store
        visible = Mutex(state)
        queue = Mutex(Queue(head: state))
    }

    /// Runs `body` on the committed state. Short and synchronous; a change made meanwhile is not seen.
    public func read<T>(_ body: (any DatabaseReader) throws -> T) rethrows -> T {
        let snapshot = visible.withLock { $0 }
        return try body(snapshot)
    }

    public var generation: Int64 { visible.withLock { $0.generation } }

    /// Runs `body` once; when it returns, its changes are durable and visible. When it throws, nothing has changed.
    /// Bodies are short: they run one at a time for the whole pool.
    @discardableResult
    public func transaction<T: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: (Transaction) throws -> T
    ) async throws -> T {
        var result: T?
        var failure: (any Error)?
        try await withCheckedThrowingContinuation { (finish: CheckedContinuation<Void, any Error>) in
            let start = queue.withLock { queue -> Bool in
                let transaction = Transaction(queue.head)
                do {
                    result = try body(transaction)
                    if let late = transaction.failure { throw late }
                } catch {
                    failure = error
                    finish.resume()
                    return false
                }
                if transaction.isEmpty {
                    // Nothing of its own, yet what it read must not be undone after its caller went on.
                    guard !queue.pending.isEmpty || queue.isWriting else {
                        finish.resume()
                        return false
                    }
                    queue.pending.append(Pending(state: queue.head, changes: [], finish: finish))
                } else {
                    queue.head = transaction.state
                    queue.pending.append(
                        Pending(state: transaction.state, changes: RowChange.all(of: transaction), finish: finish))
                }
                defer { queue.isWriting = true }
                return !queue.isWriting
            }
            if start { write() }
        }
        if let failure { throw failure }
        guard let result else { preconditionFailure("a transaction ended without a result") }
        return result
    }

    /// Writes groups of transactions until none is left.
    private func write() {
        while let batch = nextBatch() {
            let changes = batch.flatMap(\.changes)
            let generation = batch[batch.count - 1].state.generation
            if let store, !changes.isEmpty || store.mustReserve(generation) {
                store.write(changes, generation: generation) { [self] error in
                    finish(batch, error)
                    write()
                }
                return
            }
            finish(batch, nil)
        }
    }

    private func nextBatch() -> [Pending]? {
        queue.withLock { queue in
            if queue.pending.isEmpty {
                queue.isWriting = false
                return nil
            }
            defer { queue.pending = [] }
            return queue.pending
        }
    }

    private func finish(_ batch: [Pending], _ error: (any Error)?) {
        guard let error else {
            visible.withLock { $0 = batch[batch.count - 1].state }
            waiters.wakeAll()
            for item in batch { item.finish.resume() }
            return
        }
        // What came after was built on what is lost: it fails too.
        let later = queue.withLock { queue -> [Pending] in
            queue.head = visible.withLock { $0 }
            defer { queue.pending = [] }
            return queue.pending
        }
        for item in batch + later { item.finish.resume(throwing: error) }
    }

    /// Ends the use of the file, after everything written so far. Later transactions fail.
    public func close() async throws { try await store?.close() }
}
