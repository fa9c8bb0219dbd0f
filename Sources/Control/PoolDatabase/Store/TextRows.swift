import Foundation
import GRDB

/// The step from rows of JSON text, keyed by class and reference, to numbered rows with digests.
enum TextRows {
    static func replace(_ database: Database, _ path: String) throws {
        let text = try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'generation'")
        guard let generation = Int64(text ?? "0"), generation >= 0 else {
            throw StoreError.damaged(path, "the generation is not a number")
        }
        try database.execute(
            sql: """
                CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
                CREATE TABLE objects (
                    id INTEGER PRIMARY KEY, class INTEGER NOT NULL, ref TEXT NOT NULL, fields BLOB NOT NULL,
                    created INTEGER NOT NULL, modified INTEGER NOT NULL, digest INTEGER NOT NULL
                ) STRICT;
                """)
        var account = StoreAccount()
        account.reserve(generation)
        var numbers: [String: UInt64] = [:]
        func number(_ name: String) throws -> UInt64 {
            if let number = numbers[name] { return number }
            let next = UInt64(numbers.count + 1)
            try database.execute(sql: "INSERT INTO names (id, name) VALUES (?, ?)", arguments: [Int64(next), name])
            account.add(StoreAccount.name(next, name))
            numbers[name] = next
            return next
        }
        var ordinal: UInt64 = 0
        let rows = try GRDB.Row.fetchAll(
            database, sql: "SELECT class, ref, fields, created, modified FROM rows ORDER BY created, ref")
        for row in rows {
            let (className, ref) = (try row.decode(String.self, atIndex: 0), try row.decode(String.self, atIndex: 1))
            guard let fields = RowText.decode(try row.decode(String.self, atIndex: 2)) else {
                throw StoreError.damaged(path, "the fields of \(className) \(ref) cannot be read")
            }
            var bytes: [UInt8] = []
            for (name, value) in fields {
                var single = FieldValues()
                single[0] = value
                bytes += RowCodec.encode(single, names: [try number(name)])
            }
            ordinal += 1
            let (created, modified) = (try row.decode(Int64.self, atIndex: 3), try row.decode(Int64.self, atIndex: 4))
            try StoreWriter.insert(
                ordinal: ordinal, className: try number(className), ref: ref, fields: bytes, created: created,
                modified: modified, into: database, &account)
        }
        let records = try GRDB.Row.fetchAll(database, sql: "SELECT kind, key, value FROM private_records")
        for row in records {
            account.add(
                StoreAccount.record(
                    kind: try row.decode(String.self, atIndex: 0), key: try row.decode(String.self, atIndex: 1),
                    value: try row.decode(String.self, atIndex: 2)))
        }
        try database.execute(sql: "DROP TABLE rows; DELETE FROM meta WHERE key = 'generation'")
        try account.save(in: database)
    }
}
