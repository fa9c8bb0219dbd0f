public import DataModel

extension APIValue {
    /// The value a declaration gives.
    public init(_ value: DefaultValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .int(let number): self = .int(number)
        case .bool(let flag): self = .bool(flag)
        case .float(let number): self = .float(number)
        case .datetime(let seconds): self = .datetime(seconds)
        case .ref(let opaque): self = .ref(opaque)
        case .set(let values): self = .set(values.map(APIValue.init))
        case .map(let entries): self = .map(entries.mapValues(APIValue.init))
        }
    }

    /// What a field of `type` holds before anyone gives it a value: empty, zero, false, never, the null reference,
    /// an enum's first word.
    public static func zero(of type: ModelType) -> APIValue {
        switch type {
        case .string: .string("")
        case .int: .int(0)
        case .bool: .bool(false)
        case .float: .float(0)
        case .datetime: .datetime(0)
        case .enumeration(let name): .string(Datamodel.all.enumNamed(name)?.values.first ?? "")
        case .ref: .nullRef
        case .set: .set([])
        case .map: .map([:])
        case .record: .record([])
        case .option(let wrapped): zero(of: wrapped)
        case .void: .void
        }
    }
}

extension FieldDeclaration {
    /// The declared default, or the zero of the type.
    public var initialValue: APIValue { defaultValue.map(APIValue.init) ?? .zero(of: type) }
}
