/// Two fields that show the two sides of one fact.
public struct Relation: Hashable, Sendable {
    public struct End: Hashable, Sendable {
        public let className: String
        public let fieldName: String
    }

    /// The reference of the many side, e.g. VBD.VDI; the stored one. A set on both ends: many to many.
    public let many: End
    /// The set of the one side, e.g. VDI.VBDs; follows from the other.
    public let one: End

    public init(_ manyClass: String, _ manyField: String, _ oneClass: String, _ oneField: String) {
        many = End(className: manyClass, fieldName: manyField)
        one = End(className: oneClass, fieldName: oneField)
    }
}
