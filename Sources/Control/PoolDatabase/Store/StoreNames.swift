import GRDB

/// The numbers that stand for the names of classes and fields in the file.
struct StoreNames: Sendable {
    private let classes: [UInt64]
    /// By class and position; nil for fields that are not in the file.
    private let fields: [[UInt64?]]

    /// Numbers the names of `schema` that have no number yet.
    init(schema: DatabaseSchema, in database: Database, _ account: inout StoreAccount) throws {
        var known: [String: UInt64] = [:]
        let rows = try GRDB.Row.fetchCursor(database, sql: "SELECT id, name FROM names")
        while let row = try rows.next() {
            known[try row.decode(String.self, atIndex: 1)] = UInt64(bitPattern: try row.decode(Int64.self, atIndex: 0))
        }
        var next = (known.values.max() ?? 0) + 1
        func number(_ name: String) throws -> UInt64 {
            if let number = known[name] { return number }
            try database.execute(sql: "INSERT INTO names (id, name) VALUES (?, ?)", arguments: [Int64(next), name])
            account.add(StoreAccount.name(next, name))
            known[name] = next
            defer { next += 1 }
            return next
        }
        classes = try schema.classes.map { try $0.isPersistent ? number($0.name) : 0 }
        fields = try schema.classes.map { declared in
            try declared.fields.map { field in
                guard declared.isPersistent, field.isPersistent, field.source == nil else { return nil }
                return try number(field.name)
            }
        }
    }

    func number(ofClass index: Int) -> UInt64 { classes[index] }
    func numbers(ofFieldsOf index: Int) -> [UInt64?] { fields[index] }
}
