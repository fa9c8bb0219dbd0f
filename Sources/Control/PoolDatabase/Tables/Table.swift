import APITypes
import HashTreeCollections

/// The rows of one class and their indexes. A value: a snapshot costs nothing, and a change copies a few small nodes,
/// however many rows there are.
struct Table: Sendable {
    let schema: ClassSchema
    private var rows: TreeDictionary<String, StoredRow> = [:]
    /// The same rows by their ordinals: in the order in which they were made.
    private var order = OrderedTrie<StoredRow>()
    /// References by the generation that changed the row last.
    private var changes = OrderedTrie<MemberSet>()
    private var byUUID: TreeDictionary<String, String> = [:]
    private var byName: TreeDictionary<String, MemberSet> = [:]
    /// The computed sets of rows, those that are not there (yet) included.
    private(set) var members: ComputedSets
    private var deletions = Deletions()

    init(schema: ClassSchema) {
        self.schema = schema
        members = ComputedSets(repeating: [:], count: schema.slotCount)
    }

    var count: Int { rows.count }
    func stored(_ ref: String) -> StoredRow? { rows[ref] }
    func row(_ ref: String) -> Row? { rows[ref].map(shown) }
    func row(uuid: String) -> Row? { byUUID[uuid].flatMap { row($0) } }
    func named(_ label: String) -> [Row] { byName[label]?.refs.compactMap { row($0) } ?? [] }
    /// The rows in the computed set `slot` of `ref`, of which this table has the members.
    func members(of ref: String, slot: Int) -> MemberSet? { members[slot][ref] }

    /// Oldest first.
    var all: [Row] {
        var all: [Row] = []
        all.reserveCapacity(rows.count)
        order.forEach { all.append(shown($1)) }
        return all
    }

    /// The same in less room.
    var list: RowList {
        var all: ContiguousArray<StoredRow> = []
        all.reserveCapacity(rows.count)
        order.forEach { all.append($1) }
        return RowList(schema: schema, stored: all, members: members)
    }

    private func shown(_ stored: StoredRow) -> Row { Row(schema: schema, stored: stored, members: members) }

    /// Rows changed after `generation`, latest change first, until `body` says false. Costs what it finds.
    func forEachChange(after generation: Int64, _ body: (Row) -> Void) {
        changes.forEachDescending { changed, refs in
            guard Int64(changed) > generation else { return false }
            refs.forEach { ref in if let row = row(ref) { body(row) } }
            return true
        }
    }

    /// Rows that went after `generation` and are not there again. Costs what it finds.
    func deletions(after generation: Int64) -> [DeletedRow] {
        var gone: [String: DeletedRow] = [:]
        deletions.forEach(after: generation) { row in
            guard rows[row.ref] == nil else { return }
            // Latest first. One that came and went more than once was there before its first end.
            let latest = gone[row.ref]?.generation ?? row.generation
            gone[row.ref] = DeletedRow(
                className: row.className, ref: row.ref, created: row.created, generation: latest)
        }
        return Array(gone.values)
    }

    func deletion(of ref: String) -> DeletedRow? { deletions[ref] }
    var forgottenDeletions: Int64 { deletions.forgotten }

    mutating func insert(_ row: StoredRow) {
        rows[row.ref] = row
        order[row.ordinal] = row
        changes[UInt64(row.modified), default: MemberSet()].insert(row.ref, row.ordinal)
        index(row, present: true)
    }

    /// Puts `new` in the place of the row with the same reference.
    mutating func replace(_ old: StoredRow, _ new: StoredRow, indexed: Bool) {
        rows[new.ref] = new
        order[new.ordinal] = new
        if old.modified != new.modified {
            leaveChanges(old)
            changes[UInt64(new.modified), default: MemberSet()].insert(new.ref, new.ordinal)
        }
        guard indexed else { return }
        index(old, present: false)
        index(new, present: true)
    }

    mutating func remove(_ row: StoredRow, at generation: Int64) {
        rows[row.ref] = nil
        order[row.ordinal] = nil
        leaveChanges(row)
        index(row, present: false)
        guard schema.generatesEvents else { return }
        deletions.append(
            DeletedRow(className: schema.name, ref: row.ref, created: row.created, generation: generation))
    }

    /// Changes the computed set `slot` of `ref`, which need not be there.
    mutating func setMember(_ member: StoredRow, of ref: String, slot: Int, present: Bool) {
        if present {
            members[slot][ref, default: MemberSet()].insert(member.ref, member.ordinal)
        } else {
            members[slot][ref]?.remove(member.ordinal)
            if members[slot][ref]?.isEmpty == true { members[slot][ref] = nil }
        }
    }

    private mutating func leaveChanges(_ row: StoredRow) {
        let key = UInt64(row.modified)
        guard var set = changes[key] else { return }
        changes[key] = MemberSet()
        set.remove(row.ordinal)
        changes[key] = set.isEmpty ? nil : set
    }

    private mutating func index(_ row: StoredRow, present: Bool) {
        if let position = schema.uuidPosition, case .string(let uuid)? = row.values[position], !uuid.isEmpty {
            if present { byUUID[uuid] = row.ref } else if byUUID[uuid] == row.ref { byUUID[uuid] = nil }
        }
        guard let position = schema.namePosition else { return }
        let label = if case .string(let text)? = row.values[position] { text } else { "" }
        if present {
            byName[label, default: MemberSet()].insert(row.ref, row.ordinal)
        } else {
            byName[label]?.remove(row.ordinal)
            if byName[label]?.isEmpty == true { byName[label] = nil }
        }
    }
}

extension OrderedTrie {
    subscript(key: UInt64, default standard: @autoclosure () -> Value) -> Value {
        get { self[key] ?? standard() }
        set { self[key] = newValue }
    }
}
