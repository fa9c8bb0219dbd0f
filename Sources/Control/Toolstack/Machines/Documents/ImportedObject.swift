import APITypes
import DataModel
import RPCCodec

/// An object of a document, whose values are read as those of its class. All of it may be wrong: IMPORT_ERROR [text].
struct ImportedObject: Sendable {
    static let null = "OpaqueRef:NULL"

    let className: String
    let id: String
    private let fields: WireValue

    init(_ object: MachineDocument.Object) {
        className = object.className
        id = object.id
        fields = object.fields
    }

    private static let decoding = WireDecoding(model: .all)

    /// The field's value, or what rows have that were given none.
    private func value(_ name: String) throws(APIError) -> APIValue? {
        guard let field = Datamodel.all.classNamed(className)?.fields.first(where: { $0.name == name }) else {
            return nil
        }
        return try value(of: field)
    }

    private func value(of field: FieldDeclaration) throws(APIError) -> APIValue? {
        guard let given = fields[field.name] else { return nil }
        do throws(APIError) {
            return try Self.decoding.decode(given, as: field.type, name: field.name)
        } catch {
            throw MachineDocument.unusable(
                "\(className) \(id.prefix(64)): \(error.parameters.first ?? error.description)")
        }
    }

    func text(_ name: String) throws(APIError) -> String {
        switch try value(name) {
        case .string(let text)?: text
        default: ""
        }
    }

    func flag(_ name: String) throws(APIError) -> Bool { try value(name) == .bool(true) }

    func number(_ name: String) throws(APIError) -> Int64 {
        if case .int(let number)? = try value(name) { number } else { 0 }
    }

    func entries(_ name: String) throws(APIError) -> [String: String] {
        try value(name).flatMap { [String: String](api: $0) } ?? [:]
    }

    /// The id of the object that it refers to. An empty text is no reference.
    func reference(_ name: String) throws(APIError) -> String {
        guard case .ref(let id)? = try value(name), !id.isEmpty else { return Self.null }
        return id
    }

    /// A uuid in the form that they have here.
    func identity(_ name: String) throws(APIError) -> String {
        let text = try text(name).lowercased()
        guard Fresh.isUUID(text) else {
            throw MachineDocument.unusable("\(className) \(id.prefix(64)) has no uuid")
        }
        return text
    }

    /// The values of all fields that are stored and do not refer to others.
    func values(except left: Set<String>) throws(APIError) -> [(name: String, value: APIValue)] {
        var values: [(name: String, value: APIValue)] = []
        for field in Datamodel.all.classNamed(className)?.recordFields ?? []
        where !left.contains(field.name) && !Self.refers(field.type) {
            if let value = try value(of: field) { values.append((field.name, value)) }
        }
        return values
    }

    private static func refers(_ type: ModelType) -> Bool {
        switch type {
        case .ref, .record: true
        case .set(let inner), .option(let inner): refers(inner)
        case .map(let key, let value): refers(key) || refers(value)
        case .string, .int, .bool, .float, .datetime, .enumeration, .void: false
        }
    }
}
