public import APITypes

/// Fields whose values follow from other rows. `update` runs at the end of every transaction that changed a row of
/// `classes`, inside it: nobody ever sees a change without what follows from it.
public struct Derivation: Sendable {
    let classes: Set<String>
    let update: @Sendable (Transaction, [ChangedRow]) throws -> Void
    let begin: @Sendable (any DatabaseReader, (Row, String, APIValue) -> Void) -> Void

    /// `begin` is called once with what was read from the file, before anybody sees it, and names each field that is not
    /// stored and its value; fields that it names must not be stored. `update` is given each changed row once, in the order of the first changes; deleted ones too. What it changes
    /// itself does not call it again. A failure fails the transaction.
    public init(
        classes: Set<String>,
        begin: @escaping @Sendable (any DatabaseReader, (Row, String, APIValue) -> Void) -> Void = { _, _ in },
        update: @escaping @Sendable (Transaction, [ChangedRow]) throws -> Void
    ) {
        self.classes = classes
        self.begin = begin
        self.update = update
    }
}

/// A row that a transaction inserted, changed or deleted, or whose computed sets changed.
public struct ChangedRow: Sendable, Hashable {
    public let className: String
    public let ref: String
}

extension Derivation {
    /// Gives the rows of a state that nobody else has yet the values that are not stored.
    func begin(on state: DatabaseState) {
        begin(state) { row, field, value in
            guard let position = row.schema.position(field) else {
                preconditionFailure("\(row.className) has no field \(field)")
            }
            precondition(!row.schema.fields[position].isPersistent, "\(row.className).\(field) is stored")
            row.stored.derive(position, value)
        }
    }
}

extension Transaction {
    /// Runs `derivation` for what has changed so far. Nothing when none of its classes are concerned.
    func derive(_ derivation: Derivation) throws {
        let classes = state.schema.classes
        var seen: Set<RowKey> = []
        var changed: [ChangedRow] = []
        for key in state.journal where derivation.classes.contains(classes[key.classIndex].name) {
            if seen.insert(key).inserted {
                changed.append(ChangedRow(className: classes[key.classIndex].name, ref: key.ref))
            }
        }
        if !changed.isEmpty { try derivation.update(self, changed) }
    }

    /// The row as it was before this transaction; nil when it is new.
    public func before<C: XenClass>(_ ref: Ref<C>) -> Row? { start.row(className: C.className, ref: ref.opaque) }
}
