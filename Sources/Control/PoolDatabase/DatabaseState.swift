import APITypes
import HashTreeCollections

/// A row by class and reference.
struct RowKey: Hashable, Sendable {
    let classIndex: Int
    let ref: String
}

/// All tables: a value, so that a reader's snapshot, a transaction's draft and the committed state never disturb
/// each other.
struct DatabaseState: Sendable {
    let schema: DatabaseSchema
    var generation: Int64
    private var tables: ContiguousArray<Shared<Table>>
    var privates: TreeDictionary<String, TreeDictionary<String, String>> = [:]
    /// The rows that changed since somebody emptied it, those whose computed sets changed included.
    var journal: [RowKey] = []
    /// The next ordinals: of rows in the file, and of rows in memory only.
    private var nextOrdinal: UInt64 = 1
    private var nextVolatileOrdinal: UInt64 = 1

    init(schema: DatabaseSchema, generation: Int64) {
        self.schema = schema
        self.generation = generation
        tables = ContiguousArray(schema.classes.map { Shared(Table(schema: $0)) })
    }

    func count(of declared: ClassSchema) -> Int { tables[declared.index].value.count }
    func table(_ index: Int) -> Table { tables[index].value }
    func stored(_ key: RowKey) -> StoredRow? { tables[key.classIndex].value.stored(key.ref) }

    /// Adds a row at the current generation. Returns its ordinal.
    mutating func insert(_ schema: ClassSchema, _ ref: String, _ values: FieldValues) -> UInt64 {
        let ordinal = schema.isPersistent ? nextOrdinal : nextVolatileOrdinal
        insert(
            schema,
            StoredRow(ref: ref, values: values, created: generation, modified: generation, ordinal: ordinal))
        return ordinal
    }

    /// Adds a row as it is. There is none with the same reference or ordinal.
    mutating func insert(_ schema: ClassSchema, _ row: StoredRow) {
        if schema.isPersistent {
            nextOrdinal = max(nextOrdinal, row.ordinal + 1)
        } else {
            nextVolatileOrdinal = max(nextVolatileOrdinal, row.ordinal + 1)
        }
        tables[schema.index].value.insert(row)
        journal.append(RowKey(classIndex: schema.index, ref: row.ref))
        for (position, target) in schema.targets {
            for other in Self.references(row.values[position]) { setMember(target, other, row, present: true) }
        }
    }

    mutating func set(_ schema: ClassSchema, _ old: StoredRow, _ position: Int, _ value: APIValue) {
        var values = old.values
        values[position] = value
        let new = old.with(values, modified: generation)
        let isIndexed = position == schema.uuidPosition || position == schema.namePosition
        tables[schema.index].value.replace(old, new, indexed: isIndexed)
        journal.append(RowKey(classIndex: schema.index, ref: old.ref))
        guard let target = schema.targets[position] else { return }
        let before = Self.references(old.values[position])
        let after = Self.references(value)
        for other in before where !after.contains(other) { setMember(target, other, new, present: false) }
        for other in after where !before.contains(other) { setMember(target, other, new, present: true) }
    }

    mutating func touch(_ schema: ClassSchema, _ ref: String) {
        guard let old = tables[schema.index].value.stored(ref) else { return }
        journal.append(RowKey(classIndex: schema.index, ref: ref))
        guard old.modified < generation else { return }
        tables[schema.index].value.replace(old, old.with(modified: generation), indexed: false)
    }

    mutating func delete(_ schema: ClassSchema, _ row: StoredRow) {
        for (position, target) in schema.targets {
            for other in Self.references(row.values[position]) { setMember(target, other, row, present: false) }
        }
        // Read again: leaving may have touched this very row (relations within one class).
        guard let last = tables[schema.index].value.stored(row.ref) else { return }
        tables[schema.index].value.remove(last, at: generation)
        journal.append(RowKey(classIndex: schema.index, ref: row.ref))
    }

    private mutating func setMember(_ target: RelationTarget, _ ref: String, _ member: StoredRow, present: Bool) {
        tables[target.classIndex].value.setMember(member, of: ref, slot: target.slot, present: present)
        touch(schema.classes[target.classIndex], ref)
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
    private func table(_ className: String) -> Table? { schema[className].map { table($0.index) } }

    func row(className: String, ref: String) -> Row? { table(className)?.row(ref) }
    func rows(className: String) -> [Row] { table(className)?.all ?? [] }
    func list(className: String) -> RowList? { table(className)?.list }
    func count(className: String) -> Int { table(className)?.count ?? 0 }
    func row(className: String, uuid: String) -> Row? { table(className)?.row(uuid: uuid) }
    func rows(className: String, nameLabel: String) -> [Row] { table(className)?.named(nameLabel) ?? [] }
    func rows(className: String, field: String, equals value: APIValue) -> [Row]? {
        guard let declared = schema[className], let position = declared.position(field) else { return nil }
        switch value {
        case .string(let text) where position == declared.uuidPosition && !text.isEmpty:
            return table(declared.index).row(uuid: text).map { [$0] } ?? []
        case .string(let text) where position == declared.namePosition:
            return table(declared.index).named(text)
        case .ref(let ref) where !Self.references(value).isEmpty:
            guard let target = declared.targets[position], case .ref = declared.fields[position].initial else {
                return nil
            }
            let own = table(declared.index)
            return table(target.classIndex).members(of: ref, slot: target.slot)?.refs.compactMap { own.row($0) } ?? []
        default: return nil
        }
    }
    func privateRecords(kind: String) -> [String: String] {
        Dictionary((privates[kind] ?? [:]).map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
    func privateRecord(kind: String, key: String) -> String? { privates[kind]?[key] }
    var privateKinds: [String] { privates.filter { !$0.value.isEmpty }.map(\.key).sorted() }
}
