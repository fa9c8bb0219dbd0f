import APITypes
import Foundation
import GRDB
import HashTreeCollections

/// Reads the whole file into a state and compares it with the file's account of itself. Computed sets are computed again.
struct StoreLoader {
    let schema: DatabaseSchema
    let path: String
    private let interned = Interning()
    private var names: [UInt64: String] = [:]
    private var found = StoreAccount()
    /// Values that were not of their fields' types, as of a later version: what the fields have instead is read.
    private(set) var replaced: [String] = []
    private static let mostReplaced = 100
    /// No number in the file reaches this: what is added to one later cannot overflow.
    private static let limit: UInt64 = 1 << 62

    init(schema: DatabaseSchema, path: String) {
        self.schema = schema
        self.path = path
    }

    mutating func load(_ database: Database) throws -> (DatabaseState, StoreAccount) {
        guard let account = try StoreAccount.saved(in: database) else {
            throw StoreError.damaged(path, "its account of itself is not sound")
        }
        try loadNames(database)
        var state = DatabaseState(schema: schema, generation: 0)
        try loadRows(database, into: &state)
        try loadRecords(database, into: &state)
        guard found.sum == account.sum else {
            throw StoreError.damaged(path, "its content is not what was committed: the digests differ")
        }
        state.generation = account.ceiling
        return (state, account)
    }

    private mutating func loadNames(_ database: Database) throws {
        let rows = try GRDB.Row.fetchCursor(database, sql: "SELECT id, name FROM names")
        while let row = try rows.next() {
            let number = UInt64(bitPattern: try row.decode(Int64.self, atIndex: 0))
            let name = try row.decode(String.self, atIndex: 1)
            guard number > 0, number < Self.limit else { throw StoreError.damaged(path, "a name has number \(number)") }
            names[number] = name
            found.add(StoreAccount.name(number, name))
        }
    }

    /// Which field of a class a number means: the position, nil for one that is not (or no longer) in the file.
    private typealias Positions = [UInt64: Int]

    private mutating func loadRows(_ database: Database, into state: inout DatabaseState) throws {
        var classes: [UInt64: (ClassSchema, Positions)] = [:]
        let rows = try GRDB.Row.fetchCursor(
            database, sql: "SELECT id, class, ref, fields, created, modified, digest FROM objects ORDER BY id")
        while let row = try rows.next() {
            let ordinal = UInt64(bitPattern: try row.decode(Int64.self, atIndex: 0))
            let className = UInt64(bitPattern: try row.decode(Int64.self, atIndex: 1))
            let ref = interned.one(try row.decode(String.self, atIndex: 2))
            let fields = [UInt8](try row.decode(Data.self, atIndex: 3))
            let created = try row.decode(Int64.self, atIndex: 4)
            let modified = try row.decode(Int64.self, atIndex: 5)
            let digest = StoreAccount.row(
                ordinal: ordinal, className: className, ref: ref, created: created, modified: modified, fields: fields)
            guard digest == UInt64(bitPattern: try row.decode(Int64.self, atIndex: 6)) else {
                throw StoreError.damaged(
                    path, "row \(ordinal) (\(names[className] ?? "?") \(ref)) is not as it was written")
            }
            found.add(digest)
            if classes[className] == nil { classes[className] = try resolve(className) }
            guard let (declared, positions) = classes[className] else { continue }
            let key = RowKey(classIndex: declared.index, ref: ref)
            guard let values = decode(fields, positions, of: declared, ref), (0..<Self.limit).contains(ordinal),
                (0..<Int64(Self.limit)).contains(created), (0..<Int64(Self.limit)).contains(modified),
                state.stored(key) == nil
            else {
                throw StoreError.damaged(path, "the fields of \(declared.name) \(ref) cannot be read")
            }
            state.insert(
                declared,
                StoredRow(ref: ref, values: values, created: created, modified: modified, ordinal: ordinal))
        }
    }

    private func resolve(_ number: UInt64) throws -> (ClassSchema, Positions) {
        guard let name = names[number], let declared = schema[name], declared.isPersistent else {
            throw StoreError.damaged(path, "there are rows of an unknown class \(names[number] ?? "\(number)")")
        }
        var positions: Positions = [:]
        for (number, name) in names {
            guard let position = declared.position(name) else { continue }
            let field = declared.fields[position]
            if field.isPersistent && field.source == nil { positions[number] = position }
        }
        return (declared, positions)
    }

    /// Fields that the class no longer has are left out.
    private mutating func decode(
        _ bytes: [UInt8], _ positions: Positions, of declared: ClassSchema, _ ref: String
    ) -> FieldValues? {
        var decoder = RowDecoder(bytes, interned: interned)
        var values = FieldValues()
        while !decoder.isAtEnd {
            guard let number = decoder.number(), let value = decoder.value() else { return nil }
            guard let position = positions[number] else { continue }
            // A restored file is a stranger's: a value of another type would end the daemon where it is read.
            let field = declared.fields[position]
            guard value.isOfSameKind(as: field.initial) else { return nil }
            let admitted = field.admitted(value)
            if admitted != value, replaced.count < Self.mostReplaced {
                replaced.append("\(declared.name).\(field.name) of \(ref)")
            }
            values[position] = admitted
        }
        return values
    }

    private mutating func loadRecords(_ database: Database, into state: inout DatabaseState) throws {
        let rows = try GRDB.Row.fetchCursor(database, sql: "SELECT kind, key, value FROM private_records")
        while let row = try rows.next() {
            let kind = try row.decode(String.self, atIndex: 0)
            let key = try row.decode(String.self, atIndex: 1)
            let value = try row.decode(String.self, atIndex: 2)
            found.add(StoreAccount.record(kind: kind, key: key, value: value))
            state.privates[kind, default: [:]][key] = value
        }
    }
}

extension APIValue {
    /// What is in sets, maps and records is not looked at.
    func isOfSameKind(as other: APIValue) -> Bool {
        switch (self, other) {
        case (.string, .string), (.int, .int), (.bool, .bool), (.float, .float), (.datetime, .datetime), (.ref, .ref),
            (.set, .set), (.map, .map), (.record, .record), (.void, .void):
            true
        default: false
        }
    }
}
