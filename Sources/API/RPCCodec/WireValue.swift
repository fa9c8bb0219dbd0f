/// A value as XML-RPC and JSON-RPC carry it, before the datamodel says which type was meant.
public indirect enum WireValue: Hashable, Sendable {
    /// Text. A 64-bit int arrives from XML clients as text too when they send it without a tag.
    case string(String)
    /// XML: decimal text without a tag when written, `int`, `i4` or `i8` when read. JSON: a number.
    case int(Int64)
    /// Written as `i4` in XML; read back as `int`.
    case int32(Int32)
    case bool(Bool)
    case double(Double)
    /// The text of a date as it stands on the wire; see `DateTimeText`. JSON has plain strings here.
    case dateTime(String)
    /// The text of a `base64` element of XML, as it was sent. No XenAPI type takes it, so nobody decodes it.
    case base64(String)
    case array([WireValue])
    /// Members in the order of the wire.
    case structure([WireMember])
    /// `<nil/>` or `null`: no XenAPI type takes it.
    case null
}

/// A member of a structure.
public struct WireMember: Hashable, Sendable {
    public let name: String
    public let value: WireValue

    public init(_ name: String, _ value: WireValue) {
        self.name = name
        self.value = value
    }
}

extension WireValue {
    /// The result of a message that has none.
    public static let void = WireValue.string("")

    /// The member of a structure; the last one when a name occurs twice.
    public subscript(name: String) -> WireValue? {
        guard case .structure(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }
}
