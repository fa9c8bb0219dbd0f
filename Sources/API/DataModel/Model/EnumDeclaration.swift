/// An enum of the datamodel.
public struct EnumDeclaration: Hashable, Sendable {
    /// E.g. `vdi_type`.
    public let name: String
    /// The exact spellings, in datamodel order.
    public let values: [String]

    public init(_ name: String, _ values: [String]) {
        self.name = name
        self.values = values
    }

    /// The exact spelling of `text`, given in any case; nil for unknown words.
    public func spelling(of text: String) -> String? {
        if values.contains(text) { return text }
        let lowered = text.lowercased()
        return values.first { $0.lowercased() == lowered }
    }
}
