/// A value of any XenAPI type, as the database stores it and handlers see it. The wire form is RPCCodec's matter.
public enum APIValue: Hashable, Sendable {
    /// string, and enum by its exact datamodel spelling
    case string(String)
    case int(Int64)
    case bool(Bool)
    case float(Double)
    /// Seconds since 1970-01-01T00:00:00Z.
    case datetime(Int64)
    /// An opaque reference, `OpaqueRef:NULL` included.
    case ref(String)
    case set([APIValue])
    /// Keys in their text form (strings, decimal ints, refs, enum spellings).
    case map([String: APIValue])
    /// A record: members in datamodel order.
    case record([APIMember])
    /// The result of a message without one.
    case void
}

/// One member of a record.
public struct APIMember: Hashable, Sendable {
    public let name: String
    public let value: APIValue

    public init(_ name: String, _ value: APIValue) {
        self.name = name
        self.value = value
    }
}

extension APIValue {
    public static let nullRef = APIValue.ref("OpaqueRef:NULL")

    /// The member of a record or the entry of a map; nil for other kinds and absent names.
    public subscript(name: String) -> APIValue? {
        switch self {
        case .record(let members): members.first { $0.name == name }?.value
        case .map(let entries): entries[name]
        default: nil
        }
    }
}
