import APITypes

/// The rows of one class and their indexes. A value: a snapshot costs nothing until somebody writes.
struct Table: Sendable {
    let schema: ClassSchema
    private(set) var rows: [String: StoredRow] = [:]
    private var byUUID: [String: String] = [:]
    private var byName: [String: Set<String>] = [:]
    /// The newest generation that touched this table, deletions included.
    private(set) var lastChange: Int64 = 0

    init(schema: ClassSchema) { self.schema = schema }

    func row(_ ref: String) -> Row? { rows[ref].map { Row(schema: schema, ref: ref, stored: $0) } }
    func ref(uuid: String) -> String? { byUUID[uuid] }

    func sorted() -> [Row] { sorted(rows.map { Row(schema: schema, ref: $0, stored: $1) }) }
    func named(_ label: String) -> [Row] { sorted((byName[label] ?? []).compactMap(row)) }

    private func sorted(_ rows: [Row]) -> [Row] {
        rows.sorted { ($0.stored.created, $0.ref) < ($1.stored.created, $1.ref) }
    }

    /// Inserts or replaces a row and keeps the indexes; nil removes it.
    mutating func put(_ ref: String, _ row: StoredRow?, at generation: Int64) {
        let old = rows[ref]
        reindex(ref, "uuid", old, row) { uuid, present in
            if present { byUUID[uuid] = ref } else if byUUID[uuid] == ref { byUUID[uuid] = nil }
        }
        reindex(ref, "name_label", old, row) { name, present in
            if present {
                byName[name, default: []].insert(ref)
            } else {
                byName[name]?.remove(ref)
                if byName[name]?.isEmpty == true { byName[name] = nil }
            }
        }
        rows[ref] = row
        lastChange = max(lastChange, generation, row?.modified ?? 0)
    }

    private func reindex(
        _ ref: String, _ field: String, _ old: StoredRow?, _ new: StoredRow?, _ change: (String, Bool) -> Void
    ) {
        guard schema.field(field) != nil else { return }
        let before = old.map { $0.values[field] ?? .string("") }
        let after = new.map { $0.values[field] ?? .string("") }
        if before == after { return }
        if case .string(let text)? = before { change(text, false) }
        if case .string(let text)? = after { change(text, true) }
    }
}

/// An object that is gone.
public struct DeletedRow: Sendable, Hashable {
    public let className: String
    public let ref: String
    /// The generation that created it.
    public let created: Int64
    /// The generation that deleted it.
    public let generation: Int64
}

/// All tables: a value, so that a reader's snapshot, a transaction's draft and the committed state never disturb
/// each other. The first change of a table after a snapshot copies that table's dictionary, nothing else.
struct DatabaseState: Sendable {
    let schema: DatabaseSchema
    var generation: Int64
    private(set) var tables: [String: Table] = [:]
    /// Members of computed sets whose target has no row (yet): they join when it is inserted.
    private var waiting: [Membership: [String]] = [:]
    /// The latest deletions, oldest first.
    private(set) var deleted: [DeletedRow] = []
    var privates: [String: [String: String]] = [:]

    /// How many deletions are remembered for clients that ask for changes since long ago.
    static let deletionsKept = 20_000

    private struct Membership: Hashable {
        let target: RelationTarget
        let ref: String
    }

    init(schema: DatabaseSchema, generation: Int64) {
        self.schema = schema
        self.generation = generation
        for item in schema.classes { tables[item.name] = Table(schema: item) }
    }

    /// Puts a row at the current generation. `row.values` may hold computed sets; they are replaced by the real ones.
    mutating func insert(_ className: String, _ ref: String, _ row: StoredRow) {
        guard let schema = schema[className] else { return }
        var row = row
        for field in schema.fields where field.source != nil {
            let key = Membership(target: RelationTarget(className: className, field: field.name), ref: ref)
            let members = waiting.removeValue(forKey: key) ?? []
            row.values[field.name] = members.isEmpty ? nil : .set(members.map(APIValue.ref))
        }
        tables[className]?.put(ref, row, at: generation)
        for (name, target) in schema.targets {
            for other in Self.references(row.values[name]) { join(target, other, member: ref) }
        }
    }

    mutating func set(_ className: String, _ ref: String, _ field: String, _ value: APIValue) {
        guard var row = tables[className]?.rows[ref], let schema = schema[className] else { return }
        let old = row.values[field]
        row.values[field] = value
        row.modified = generation
        tables[className]?.put(ref, row, at: generation)
        guard let target = schema.targets[field], old != value else { return }
        let before = Self.references(old)
        let after = Self.references(value)
        for other in before where !after.contains(other) { leave(target, other, member: ref) }
        for other in after where !before.contains(other) { join(target, other, member: ref) }
    }

    mutating func touch(_ className: String, _ ref: String) {
        guard var row = tables[className]?.rows[ref] else { return }
        row.modified = generation
        tables[className]?.put(ref, row, at: generation)
    }

    mutating func delete(_ className: String, _ ref: String) {
        guard let row = tables[className]?.rows[ref], let schema = schema[className] else { return }
        for (name, target) in schema.targets {
            for other in Self.references(row.values[name]) { leave(target, other, member: ref) }
        }
        for field in schema.fields where field.source != nil {
            // Read again: leaving may have changed this row's own sets (relations within one class).
            let members = Self.references(tables[className]?.rows[ref]?.values[field.name])
            guard !members.isEmpty else { continue }
            waiting[Membership(target: RelationTarget(className: className, field: field.name), ref: ref)] = members
        }
        tables[className]?.put(ref, nil, at: generation)
        deleted.append(DeletedRow(className: className, ref: ref, created: row.created, generation: generation))
        if deleted.count > Self.deletionsKept * 2 { deleted.removeFirst(deleted.count - Self.deletionsKept) }
    }

    private mutating func join(_ target: RelationTarget, _ ref: String, member: String) {
        change(target, ref) { if !$0.contains(member) { $0.append(member) } }
    }

    private mutating func leave(_ target: RelationTarget, _ ref: String, member: String) {
        change(target, ref) { $0.removeAll { $0 == member } }
    }

    private mutating func change(_ target: RelationTarget, _ ref: String, _ edit: (inout [String]) -> Void) {
        guard var row = tables[target.className]?.rows[ref] else {
            let key = Membership(target: target, ref: ref)
            var members = waiting[key] ?? []
            edit(&members)
            waiting[key] = members.isEmpty ? nil : members
            return
        }
        var members = Self.references(row.values[target.field])
        edit(&members)
        row.values[target.field] = members.isEmpty ? nil : .set(members.map(APIValue.ref))
        row.modified = max(row.modified, generation)
        tables[target.className]?.put(ref, row, at: generation)
    }

    /// The references in a ref or a set of refs, without null ones.
    private static func references(_ value: APIValue?) -> [String] {
        switch value {
        case .ref(let ref)?: ref.isEmpty || ref == "OpaqueRef:NULL" ? [] : [ref]
        case .set(let values)?: values.flatMap { references($0) }
        default: []
        }
    }
}

extension DatabaseState: DatabaseReader {
    func row(className: String, ref: String) -> Row? { tables[className]?.row(ref) }
    func rows(className: String) -> [Row] { tables[className]?.sorted() ?? [] }
    func count(className: String) -> Int { tables[className]?.rows.count ?? 0 }
    func row(className: String, uuid: String) -> Row? {
        guard let table = tables[className], let ref = table.ref(uuid: uuid) else { return nil }
        return table.row(ref)
    }
    func rows(className: String, nameLabel: String) -> [Row] { tables[className]?.named(nameLabel) ?? [] }
    func privateRecords(kind: String) -> [String: String] { privates[kind] ?? [:] }
}
