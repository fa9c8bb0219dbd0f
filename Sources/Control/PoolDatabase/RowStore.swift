import APITypes
import Foundation
import GRDB
import Synchronization

/// A change as it is written.
enum RowChange: Sendable {
    /// `fields` as `RowText` writes them; nil removes the row.
    case row(className: String, ref: String, fields: String?, created: Int64, modified: Int64)
    case privateRecord(kind: String, key: String, value: String?)

    /// What `transaction` has to write.
    static func all(of transaction: Transaction) -> [RowChange] {
        var all: [RowChange] = []
        for key in transaction.touched {
            let row = transaction.state.row(className: key.className, ref: key.ref)
            let fields = row.map { row in
                RowText.encode(
                    row.stored.values.filter { name, _ in
                        guard let field = row.schema.field(name) else { return false }
                        return field.isPersistent && field.source == nil
                    })
            }
            all.append(
                .row(
                    className: key.className, ref: key.ref, fields: fields, created: row?.created ?? 0,
                    modified: row?.lastModified ?? 0))
        }
        for key in transaction.touchedPrivates {
            let value = transaction.state.privates[key.kind]?[key.key]
            all.append(.privateRecord(kind: key.kind, key: key.key, value: value))
        }
        return all
    }
}

/// The SQLite file: WAL, a full sync per commit, held by one process. All of SQLite runs on GRDB's own serial queue.
final class RowStore: Sendable {
    private let path: String
    private let queue: DatabaseQueue
    /// Generations up to this one are promised in the file, so that none is given out twice after a crash although
    /// most changes of memory-only rows are never written.
    private let reserved = Mutex<Int64>(0)
    private static let reservation: Int64 = 1 << 20

    private init(path: String, queue: DatabaseQueue) {
        self.path = path
        self.queue = queue
    }

    static func open(path: String) async throws -> RowStore {
        do {
            var configuration = Configuration()
            configuration.label = "pool-database"
            configuration.prepareDatabase { database in
                try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try await queue.writeWithoutTransaction { database in
                let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else { throw StoreError.damaged(path, "the journal mode is \(mode ?? "unknown")") }
                // GRDB may have set NORMAL when it opened the file: set it last, and look.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
                precondition(level == 2, "SQLite does not sync every commit")
                let check = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
                guard check == ["ok"] else { throw StoreError.damaged(path, check.joined(separator: "; ")) }
            }
            try await queue.write { database in try StoreMigrations.apply(to: database, path: path) }
            return RowStore(path: path, queue: queue)
        } catch {
            throw StoreError(error, path)
        }
    }

    /// Everything in the file, as a state; computed sets are computed again.
    func load(schema: DatabaseSchema) async throws -> DatabaseState {
        do {
            let path = path
            let state = try await queue.write { database in
                let text = try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'generation'")
                guard let generation = Int64(text ?? "0") else {
                    throw StoreError.damaged(path, "the generation is not a number")
                }
                var state = DatabaseState(schema: schema, generation: 0)
                let rows = try GRDB.Row.fetchCursor(
                    database, sql: "SELECT class, ref, fields, created, modified FROM rows ORDER BY created, ref")
                while let row = try rows.next() {
                    let className: String = row[0]
                    let ref: String = row[1]
                    guard let declared = schema[className] else {
                        throw StoreError.damaged(path, "there are rows of an unknown class \(className)")
                    }
                    guard var values = RowText.decode(row[2]) else {
                        throw StoreError.damaged(path, "the fields of \(className) \(ref) cannot be read")
                    }
                    values = values.filter { declared.field($0.key) != nil }
                    state.insert(className, ref, StoredRow(values: values, created: row[3], modified: row[4]))
                }
                let privates = try GRDB.Row.fetchCursor(database, sql: "SELECT kind, key, value FROM private_records")
                while let row = try privates.next() {
                    let kind: String = row[0]
                    state.privates[kind, default: [:]][row[1]] = row[2]
                }
                state.generation = generation
                try Self.reserve(generation + Self.reservation, in: database)
                return state
            }
            reserved.withLock { $0 = state.generation + Self.reservation }
            return state
        } catch {
            throw StoreError(error, path)
        }
    }

    /// Whether a change of generation `generation` needs a write although no row of the file changes.
    func mustReserve(_ generation: Int64) -> Bool { reserved.withLock { generation >= $0 } }

    /// Writes the changes in one durable commit and then calls `done`, on SQLite's thread.
    func write(_ changes: [RowChange], generation: Int64, done: @escaping @Sendable ((any Error)?) -> Void) {
        let path = path
        queue.asyncWrite(
            { database -> Int64? in
                for change in changes { try Self.apply(change, to: database) }
                if self.mustReserve(generation) {
                    try Self.reserve(generation + Self.reservation, in: database)
                    return generation + Self.reservation
                }
                return nil
            },
            completion: { (_, result: Result<Int64?, any Error>) in
                switch result {
                case .success(let ceiling):
                    if let ceiling { self.reserved.withLock { $0 = ceiling } }
                    done(nil)
                case .failure(let error):
                    done(StoreError(error, path))
                }
            })
    }

    private static func apply(_ change: RowChange, to database: Database) throws {
        switch change {
        case .row(let className, let ref, let fields?, let created, let modified):
            try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO rows (class, ref, fields, created, modified) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [className, ref, fields, created, modified])
        case .row(let className, let ref, nil, _, _):
            try database.cachedStatement(sql: "DELETE FROM rows WHERE class = ? AND ref = ?")
                .execute(arguments: [className, ref])
        case .privateRecord(let kind, let key, let value?):
            try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO private_records (kind, key, value) VALUES (?, ?, ?)"
            ).execute(arguments: [kind, key, value])
        case .privateRecord(let kind, let key, nil):
            try database.cachedStatement(sql: "DELETE FROM private_records WHERE kind = ? AND key = ?")
                .execute(arguments: [kind, key])
        }
    }

    private static func reserve(_ generation: Int64, in database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO meta (key, value) VALUES ('generation', ?)", arguments: [String(generation)])
    }

    /// Waits for what was handed over and closes the file.
    func close() async throws {
        try await queue.writeWithoutTransaction { _ in }
        try queue.close()
    }
}
