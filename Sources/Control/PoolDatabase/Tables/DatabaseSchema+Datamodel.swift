public import APITypes
public import DataModel

extension DatabaseSchema {
    /// The digest of the whole datamodel.
    public static let datamodel = DatabaseSchema(Datamodel.all)

    /// Messages are rows as well, though the datamodel implies no readers for them: so they are kept, and shown by
    /// `event.from`, like everything else.
    private static func hasRows(_ declared: ClassDeclaration) -> Bool {
        declared.inDatabase || declared.name == "message"
    }

    /// Of a many-to-many relation the end listed first is stored and the other computed; a relation of a field with
    /// itself is stored.
    public convenience init(_ model: Datamodel) {
        var sources: [Relation.End: RelationSource] = [:]
        for relation in model.relations where relation.many != relation.one {
            sources[relation.one] = RelationSource(
                className: relation.many.className, field: relation.many.fieldName)
        }
        self.init(
            model.classes.filter(Self.hasRows).map { declared in
                Declaration(
                    name: declared.name, isPersistent: declared.isPersistent || declared.name == "message",
                    generatesEvents: declared.generatesEvents,
                    fields: declared.fields.map { field in
                        FieldSchema(
                            name: field.name, column: field.columnName,
                            initial: field.initialValue,
                            isPublic: !field.isInternal, isPersistent: field.isPersistent,
                            source: sources[Relation.End(declared.name, field.name)],
                            admitted: { [type = field.type] in type.admitted($0, in: model) })
                    })
            })
    }
}

extension Relation.End {
    fileprivate init(_ className: String, _ fieldName: String) {
        self = Relation(className, fieldName, "", "").many
    }
}

extension ModelType {
    /// The part of `value` that is of this type: members of sets and entries of maps that are not are left out. Nil when
    /// nothing is left of something else.
    public func admitted(_ value: APIValue, in model: Datamodel) -> APIValue? {
        if admits(value, in: model) { return value }
        switch (self, value) {
        case (.set(let element), .set(let values)): return .set(values.filter { element.admits($0, in: model) })
        case (.map(let key, let type), .map(let entries)):
            return .map(entries.filter { key.admits(key: $0.key, in: model) && type.admits($0.value, in: model) })
        default: return nil
        }
    }

    /// The same of a key of a map, which is kept as text.
    private func admits(key: String, in model: Datamodel) -> Bool {
        switch self {
        case .enumeration(let name): model.enumNamed(name)?.values.contains(key) ?? false
        case .int: Int64(key) != nil
        default: true
        }
    }

    /// Whether `value` is of this type; enums by exact spelling.
    public func admits(_ value: APIValue, in model: Datamodel) -> Bool {
        switch (self, value) {
        case (.string, .string), (.int, .int), (.bool, .bool), (.float, .float), (.datetime, .datetime), (.ref, .ref),
            (.void, .void), (.record, .record), (.option, .void):
            true
        case (.enumeration(let name), .string(let text)): model.enumNamed(name)?.values.contains(text) ?? false
        case (.set(let element), .set(let values)): values.allSatisfy { element.admits($0, in: model) }
        case (.map(let key, let type), .map(let entries)):
            entries.allSatisfy { key.admits(key: $0.key, in: model) && type.admits($0.value, in: model) }
        case (.option(let wrapped), _): wrapped.admits(value, in: model)
        default: false
        }
    }
}
