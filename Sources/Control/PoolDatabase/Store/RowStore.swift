import APITypes
import Foundation
import GRDB
import HashTreeCollections
import Synchronization

/// The SQLite file: WAL, a full sync per commit, held by one process. All of SQLite runs on GRDB's own serial queue.
///
/// The text `state` in the table `meta` is the file's account of itself: a generation that none of its rows has reached,
/// and the digest of everything in it.
final class RowStore: Sendable {
    let path: String
    private let queue: DatabaseQueue
    private let schema: DatabaseSchema
    private let names: StoreNames
    private let account: Mutex<StoreAccount>
    /// What was not of its field's type when the file was read.
    let replaced: [String]
    private let written = Atomic<Int>(0)
    /// Generations are promised in the file this many at a time, so that none is given out twice after a crash although
    /// most changes of memory-only rows are never written.
    private static let reservation: Int64 = 1 << 20
    /// Bytes of the log that are gathered before they are moved into the database proper.
    private static let checkpointBytes = 16 << 20
    /// Bytes of a page in files that are made now. A commit writes every page that it touches, and rows are short.
    private static let pageSize = 1024

    private init(
        path: String, queue: DatabaseQueue, schema: DatabaseSchema, names: StoreNames, account: StoreAccount,
        replaced: [String]
    ) {
        self.replaced = replaced
        self.path = path
        self.queue = queue
        self.schema = schema
        self.names = names
        self.account = Mutex(account)
    }

    /// Opens or makes the file, checks all of it, and returns what is in it. Throws `StoreError`.
    static func open(
        path: String, schema: DatabaseSchema, after generation: Int64
    ) async throws -> (store: RowStore, state: DatabaseState) {
        var opened: DatabaseQueue?
        do {
            let queue = try await connect(path)
            opened = queue
            let loaded = try await queue.write { database in
                try StoreMigrations.apply(to: database, path: path)
                var loader = StoreLoader(schema: schema, path: path)
                var (state, account) = try loader.load(database)
                let names = try StoreNames(schema: schema, in: database, &account)
                state.generation = max(state.generation, generation + 1)
                account.reserve(state.generation + reservation)
                try account.save(in: database)
                state.journal = []
                return (state, names, account, loader.replaced)
            }
            let store = RowStore(
                path: path, queue: queue, schema: schema, names: loaded.1, account: loaded.2,
                replaced: loaded.3)
            return (store, loaded.0)
        } catch {
            try? opened?.close()
            throw StoreError(error, path)
        }
    }

    private static func connect(_ path: String) async throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "pool-database"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        do {
            try await queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA page_size = \(pageSize)")
                let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else { throw StoreError.damaged(path, "the journal mode is \(mode ?? "unknown")") }
                // GRDB may have set NORMAL when it opened the file: set it last, and look.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
                precondition(level == 2, "SQLite does not sync every commit")
                // A file that was there keeps the size that it was made with.
                let size = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? pageSize
                try database.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointBytes / max(size, 512))")
                let check = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
                guard check == ["ok"] else { throw StoreError.damaged(path, check.joined(separator: "; ")) }
            }
        } catch {
            try? queue.close()
            throw error
        }
        return queue
    }

    /// Whether a change of generation `generation` needs a write although no row of the file changes.
    func mustReserve(_ generation: Int64) -> Bool { account.withLock { generation >= $0.ceiling } }

    /// How many commits were made.
    var commitCount: Int { written.load(ordering: .relaxed) }

    /// Writes the rows and records named as they are in `state`, in one durable commit, and then calls `done`, on
    /// SQLite's thread. Rows are put into their form here: one that changed often is written once.
    func write(
        _ rows: [TouchedRow], _ records: [Transaction.PrivateKey], of state: DatabaseState,
        done: @escaping @Sendable ((any Error)?) -> Void
    ) {
        let path = path
        queue.asyncWrite(
            { [self] database -> StoreAccount in
                var account = account.withLock { $0 }
                let writer = StoreWriter(database: database, schema: schema, names: names)
                // In the file's own order: many new rows are appended.
                for row in Set(rows).sorted(by: { $0.ordinal < $1.ordinal }) { try writer.put(row, state, &account) }
                for record in Set(records) { try writer.put(record, state, &account) }
                if state.generation >= account.ceiling { account.reserve(state.generation + Self.reservation) }
                try account.save(in: database)
                return account
            },
            completion: { [self] (_, result: Result<StoreAccount, any Error>) in
                switch result {
                case .success(let new):
                    account.withLock { $0 = new }
                    written.add(1, ordering: .relaxed)
                    done(nil)
                case .failure(let error):
                    done(StoreError(error, path))
                }
            })
    }

    /// Copies the file as it is after the last commit, while it is in use; writes wait meanwhile. The copy is whole and
    /// on disk when this returns, or not there at all. Nothing may be at `copy`.
    func backUp(to copy: String) async throws {
        let draft = copy + ".part"
        do {
            try? FileManager.default.removeItem(atPath: draft)
            guard FileManager.default.createFile(atPath: draft, contents: nil, attributes: [.posixPermissions: 0o600])
            else { throw CocoaError(.fileWriteNoPermission) }
            let target = try DatabaseQueue(path: draft)
            do {
                // Runs on a thread of its own: GRDB waits for both connections.
                try await Self.onThread { [queue] in try queue.backup(to: target) }
                // The copy is to be one file without a log.
                try await target.writeWithoutTransaction { database in
                    _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
                }
                try target.close()
            } catch {
                try? target.close()
                throw error
            }
            try DurableFile.publish(draft, as: copy)
        } catch {
            for suffix in ["", "-journal", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: draft + suffix)
            }
            throw StoreError(error, copy)
        }
    }

    private static func onThread(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { done.resume(with: Result { try work() }) }
        }
    }

    /// Waits for what was handed over and closes the file.
    func close() async throws {
        try await queue.writeWithoutTransaction { _ in }
        try queue.close()
    }
}
