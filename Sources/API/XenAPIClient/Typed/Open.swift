public import APITypes
public import RPCCodec

/// A word of an enum as a server sends it: newer servers may have words that this library does not know, and they are kept.
public enum Open<Known: APIEnumeration>: Hashable, Sendable where Known: Hashable {
    case known(Known)
    /// The word as it came.
    case unknown(String)

    /// The known word; nil for an unknown one.
    public var known: Known? {
        guard case .known(let word) = self else { return nil }
        return word
    }

    /// The word as the wire has it.
    public var word: String {
        switch self {
        case .known(let known): known.rawValue
        case .unknown(let word): word
        }
    }

    public init(word: String) { self = Known(anyCase: word).map(Open.known) ?? .unknown(word) }

    /// `record.type == .user`
    public static func == (open: Open, known: Known) -> Bool { open.known == known }
    public static func != (open: Open, known: Known) -> Bool { open.known != known }
    /// `case .user` in a switch over an open word.
    public static func ~= (known: Known, open: Open) -> Bool { open.known == known }
}

extension Open: CustomStringConvertible {
    public var description: String { word }
}

extension Open: WireReadable, WireWritable {
    public init(wire: WireValue) throws(WireMismatch) {
        guard case .string(let word) = wire else { throw WireMismatch(expected: "a word") }
        self.init(word: word)
    }
    public var wire: WireValue { .string(word) }
}

extension Open: APIMapKey {
    public init?(mapKey: String) { self.init(word: mapKey) }
    public var mapKey: String { word }
}

extension Array {
    /// Whether the set has the word: `record.allowedOperations.contains(.snapshot)`.
    public func contains<Known>(_ known: Known) -> Bool where Element == Open<Known> { contains(.known(known)) }
}
