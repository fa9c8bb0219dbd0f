public import APITypes

/// A consistent view of all tables: a committed state, or a transaction's own.
public protocol DatabaseReader {
    var generation: Int64 { get }
    var schema: DatabaseSchema { get }
    func row(className: String, ref: String) -> Row?
    /// Every row of the class, oldest first; empty for an unknown class.
    func rows(className: String) -> [Row]
    /// The same in less room; nil for an unknown class.
    func list(className: String) -> RowList?
    func count(className: String) -> Int
    func row(className: String, uuid: String) -> Row?
    func rows(className: String, nameLabel: String) -> [Row]
    /// The rows whose `field` is `value`, oldest first, where an index knows them without looking at every row: uuids,
    /// name labels, and references that make up the computed set of another class. Nil where there is none.
    func rows(className: String, field: String, equals value: APIValue) -> [Row]?
    /// The toolstack's own records of `kind`, by key. Clients never see them.
    func privateRecords(kind: String) -> [String: String]
    func privateRecord(kind: String, key: String) -> String?
    /// The kinds of those records that there are, sorted.
    var privateKinds: [String] { get }
}

extension DatabaseReader {
    public func row<C: XenClass>(_ ref: Ref<C>) -> Row? { row(className: C.className, ref: ref.opaque) }

    /// The row, or HANDLE_INVALID [class, ref].
    public func require<C: XenClass>(_ ref: Ref<C>) throws(APIError) -> Row {
        guard let row = row(ref) else { throw .handleInvalid(C.className, ref.opaque) }
        return row
    }

    public func rows<C: XenClass>(_ type: C.Type) -> [Row] { rows(className: C.className) }

    public func rows<C: XenClass>(_ type: C.Type, where matches: (Row) -> Bool) -> [Row] {
        rows(className: C.className).filter(matches)
    }

    /// The rows whose reference `key` is `ref`. Costs what it finds where `key` makes up a computed set.
    public func rows<C: XenClass, D: XenClass>(
        _ type: C.Type, where key: FieldKey<C, Ref<D>>, is ref: Ref<D>
    ) -> [Row] {
        rows(className: C.className, field: key.name, equals: .ref(ref.opaque)) ?? rows(type) { $0[key] == ref }
    }

    public func find<C: XenClass>(_ type: C.Type, uuid: String) -> Row? { row(className: C.className, uuid: uuid) }

    public func find<C: XenClass>(_ type: C.Type, nameLabel: String) -> [Row] {
        rows(className: C.className, nameLabel: nameLabel)
    }

    /// Every public field in datamodel order, computed relation sets included.
    public func record(of row: Row) -> APIValue { row.record }
}
