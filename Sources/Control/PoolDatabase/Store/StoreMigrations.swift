import Foundation
import GRDB

/// The steps that made the file what it is. Append only: a step that was released is never changed.
enum StoreMigrations {
    private struct Step {
        let name: String
        let apply: (Database, _ path: String) throws -> Void

        init(_ name: String, _ apply: @escaping (Database, _ path: String) throws -> Void) {
            self.name = name
            self.apply = apply
        }

        init(_ name: String, sql: String) { self.init(name) { database, _ in try database.execute(sql: sql) } }
    }

    private static var steps: [Step] {
        [
            Step(
                "rows",
                sql: """
                    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE rows (
                        class TEXT NOT NULL, ref TEXT NOT NULL, fields TEXT NOT NULL,
                        created INTEGER NOT NULL, modified INTEGER NOT NULL,
                        PRIMARY KEY (class, ref)
                    ) WITHOUT ROWID;
                    """
            ),
            Step(
                "private-records",
                sql: """
                    CREATE TABLE private_records (
                        kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
                    ) WITHOUT ROWID;
                    """
            ),
            Step("digests", TextRows.replace),
        ]
    }

    /// Brings the file up to date, all or nothing (in the caller's transaction).
    static func apply(to database: Database, path: String) throws {
        try database.execute(
            sql: "CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        let applied = try String.fetchAll(database, sql: "SELECT name FROM migrations ORDER BY position")
        let known = steps.map(\.name)
        guard applied == Array(known.prefix(applied.count)) else {
            throw StoreError.laterVersion(path, applied.last { !known.contains($0) } ?? applied.last ?? "")
        }
        for (position, step) in steps.enumerated().dropFirst(applied.count) {
            try step.apply(database, path)
            try database.execute(
                sql: "INSERT INTO migrations (position, name) VALUES (?, ?)", arguments: [position, step.name])
        }
    }
}
