/// An enum of the datamodel; raw values are the exact wire spellings. The generated ones conform.
public protocol APIEnumeration: APIConvertible, APIMapKey, CaseIterable, RawRepresentable where RawValue == String {}

extension APIEnumeration {
    /// The case spelled `text` in any case of letters; nil for unknown words.
    public init?(anyCase text: String) {
        if let exact = Self(rawValue: text) {
            self = exact
            return
        }
        let lowered = text.lowercased()
        guard let found = Self.allCases.first(where: { $0.rawValue.lowercased() == lowered }) else { return nil }
        self = found
    }

    public init?(api value: APIValue) {
        guard case .string(let text) = value else { return nil }
        self.init(anyCase: text)
    }

    public var apiValue: APIValue { .string(rawValue) }

    public init?(mapKey: String) { self.init(anyCase: mapKey) }
    public var mapKey: String { rawValue }
}

/// Any value stands for itself: records inside records have no Swift type of their own.
extension APIValue: APIConvertible {
    public init?(api value: APIValue) { self = value }
    public var apiValue: APIValue { self }
}
