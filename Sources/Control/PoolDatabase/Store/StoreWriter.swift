import Foundation
import GRDB

/// A row of the file that a transaction made, changed or removed.
struct TouchedRow: Hashable, Sendable {
    let key: RowKey
    let ordinal: UInt64
}

/// Puts changes into the file, inside a transaction of SQLite's, and keeps the account.
struct StoreWriter {
    let database: Database
    let schema: DatabaseSchema
    let names: StoreNames

    /// Writes the row as it is in `state`; removes it when it is not there.
    func put(_ touched: TouchedRow, _ state: DatabaseState, _ account: inout StoreAccount) throws {
        let ordinal = Int64(touched.ordinal)
        let old = try Int64.fetchOne(
            try database.cachedStatement(sql: "SELECT digest FROM objects WHERE id = ?"), arguments: [ordinal])
        if let old { account.subtract(UInt64(bitPattern: old)) }
        guard let row = state.stored(touched.key), row.ordinal == touched.ordinal else {
            guard old != nil else { return }
            return try database.cachedStatement(sql: "DELETE FROM objects WHERE id = ?").execute(arguments: [ordinal])
        }
        let className = names.number(ofClass: touched.key.classIndex)
        let fields = RowCodec.encode(row.values, names: names.numbers(ofFieldsOf: touched.key.classIndex))
        try Self.insert(
            ordinal: row.ordinal, className: className, ref: row.ref, fields: fields, created: row.created,
            modified: row.modified, into: database, &account)
    }

    static func insert(
        ordinal: UInt64, className: UInt64, ref: String, fields: [UInt8], created: Int64, modified: Int64,
        into database: Database, _ account: inout StoreAccount
    ) throws {
        let digest = StoreAccount.row(
            ordinal: ordinal, className: className, ref: ref, created: created, modified: modified, fields: fields)
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO objects (id, class, ref, fields, created, modified, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                Int64(ordinal), Int64(className), ref, Data(fields), created, modified, Int64(bitPattern: digest),
            ])
        account.add(digest)
    }

    func put(_ key: Transaction.PrivateKey, _ state: DatabaseState, _ account: inout StoreAccount) throws {
        let old = try String.fetchOne(
            try database.cachedStatement(sql: "SELECT value FROM private_records WHERE kind = ? AND key = ?"),
            arguments: [key.kind, key.key])
        if let old { account.subtract(StoreAccount.record(kind: key.kind, key: key.key, value: old)) }
        guard let value = state.privateRecord(kind: key.kind, key: key.key) else {
            return try database.cachedStatement(sql: "DELETE FROM private_records WHERE kind = ? AND key = ?")
                .execute(arguments: [key.kind, key.key])
        }
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO private_records (kind, key, value) VALUES (?, ?, ?)"
        ).execute(arguments: [key.kind, key.key, value])
        account.add(StoreAccount.record(kind: key.kind, key: key.key, value: value))
    }
}
