/// A XenAPI type.
public indirect enum ModelType: Hashable, Sendable {
    case string
    /// 64 bits, signed.
    case int
    case bool
    case float
    /// Whole seconds, UTC.
    case datetime
    /// An enum by its datamodel name, e.g. `vdi_type`.
    case enumeration(String)
    /// A reference to an object of the named class.
    case ref(String)
    case set(ModelType)
    case map(ModelType, ModelType)
    /// The record of the named class.
    case record(String)
    /// A value that a record leaves out when it is not set.
    case option(ModelType)
    /// The result of a message that returns nothing.
    case void
}

extension ModelType: CustomStringConvertible {
    /// The type in the notation of the XenAPI reference, e.g. `(string -> blob ref) map`.
    public var description: String {
        switch self {
        case .string: "string"
        case .int: "int"
        case .bool: "bool"
        case .float: "float"
        case .datetime: "datetime"
        case .enumeration(let name): "enum \(name)"
        case .ref(let name): "\(name) ref"
        case .set(let element): "\(element) set"
        case .map(let key, let value): "(\(key) -> \(value)) map"
        case .record(let name): "\(name) record"
        case .option(let wrapped): "\(wrapped) option"
        case .void: "void"
        }
    }
}
