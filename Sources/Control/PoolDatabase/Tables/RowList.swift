public import APITypes
import HashTreeCollections

/// Rows of one class as they were when they were read, oldest first. Costs a reference for each.
public struct RowList: RandomAccessCollection, Sendable {
    public let schema: ClassSchema
    private var stored: ContiguousArray<StoredRow>
    private var members: ComputedSets

    init(schema: ClassSchema, stored: ContiguousArray<StoredRow>, members: ComputedSets) {
        self.schema = schema
        self.stored = stored
        self.members = members
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { stored.count }
    public subscript(index: Int) -> Row { Row(schema: schema, stored: stored[index], members: members) }

    public func reference(_ index: Int) -> String { stored[index].ref }

    /// Calls `body` with the values that a row has of its own and the positions of their fields, lowest first, computed
    /// sets that are not empty included. All other fields have `FieldSchema.standard`.
    public func forEachOwnValue(_ index: Int, _ body: (_ position: Int, _ value: APIValue) -> Void) {
        let row = stored[index]
        let computed = schema.computedFields
        var next = 0
        func sets(before limit: Int) {
            while next < computed.count, computed[next].position < limit {
                let (position, slot) = computed[next]
                next += 1
                guard !members[slot].isEmpty, let set = members[slot][row.ref] else { continue }
                body(position, .set(set.refs.map(APIValue.ref)))
            }
        }
        row.values.forEach { position, value in
            sets(before: position)
            body(position, value)
        }
        sets(before: .max)
    }

    /// Rows of one class as one reader gave them, in any order and some of them more than once.
    public init(schema: ClassSchema, _ rows: [Row]) {
        self.schema = schema
        members = rows.first?.members ?? []
        stored = []
        for row in rows.sorted(by: { $0.ordinal < $1.ordinal }) where row.ordinal != stored.last?.ordinal {
            stored.append(row.stored)
        }
    }

    /// Adds those of `others`, rows at `range` of a list that this one is a part of, for which `isIncluded` holds.
    public mutating func append(
        _ others: RowList, at range: Range<Int>, where isIncluded: (Row) throws -> Bool
    ) rethrows {
        members = others.members
        for index in range where try isIncluded(others[index]) { stored.append(others.stored[index]) }
    }
}
