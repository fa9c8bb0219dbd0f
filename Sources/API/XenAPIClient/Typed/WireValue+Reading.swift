import Foundation
public import RPCCodec

/// Reading values whose type the reader knows, whichever of the wire's spellings was used for it.
extension WireValue {
    /// A structure of these members.
    public static func members(_ members: [(name: String, value: WireValue)]) -> WireValue {
        .structure(members.map { WireMember($0.name, $0.value) })
    }

    /// The members of a structure; nil for other kinds.
    public var members: [WireMember]? {
        guard case .structure(let members) = self else { return nil }
        return members
    }

    /// The member of a structure; nil where there is none, and for other kinds.
    public func member(_ name: String) -> WireValue? { self[name] }

    /// The items of an array; nil for other kinds.
    public var items: [WireValue]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    /// A scalar as text: strings, references, enums and dates as they are, integers in decimal; nil for other kinds.
    public var text: String? {
        switch self {
        case .string(let text), .dateTime(let text): text
        case .int(let number): String(number)
        case .int32(let number): String(number)
        case .bool, .double, .base64, .array, .structure, .null: nil
        }
    }

    /// A scalar as a number; decimal text counts, as integers travel so.
    public var number: Double? {
        switch self {
        case .double(let number): number
        case .int(let number): Double(number)
        case .int32(let number): Double(number)
        case .string(let text): Double(text)
        case .bool, .dateTime, .base64, .array, .structure, .null: nil
        }
    }

    /// A scalar as the command line prints it: `true`/`false`, floats with three decimals; "" for other kinds.
    public var printed: String {
        switch self {
        case .bool(let flag): flag ? "true" : "false"
        case .double(let number): String(format: "%.3f", number)
        default: text ?? ""
        }
    }
}
