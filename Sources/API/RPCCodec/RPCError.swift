/// Text that is not a call or an answer.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Not well-formed, or well-formed but not of this protocol.
        case malformed
        /// A text is not UTF-8. `offendingText` shows it with the bad bytes replaced.
        case invalidUTF8
        /// Nested deeper than `WireLimits.depth`.
        case tooDeep
        /// A document type, an entity or another construct that no honest client sends.
        case forbidden
    }

    public let kind: Kind
    public let message: String
    /// Bytes from the start of the text.
    public let offset: Int
    public let offendingText: String?

    init(_ kind: Kind, _ message: String, at offset: Int, offendingText: String? = nil) {
        self.kind = kind
        self.message = message
        self.offset = offset
        self.offendingText = offendingText
    }

    public var description: String { "\(message) (at byte \(offset))" }
}

/// Bounds on what is read. The size of the whole text is the caller's to limit.
public enum WireLimits {
    /// How deep values may nest.
    public static let depth = 128
}
