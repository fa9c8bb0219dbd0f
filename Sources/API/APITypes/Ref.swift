/// A class of the datamodel as a Swift type; the generated ones (`VDI`, `SR`, …) carry the field keys.
public protocol XenClass: Sendable {
    /// Exact wire spelling, e.g. `VDI`, `host`.
    static var className: String { get }
}

/// A typed opaque reference to an object of class `Class`.
public struct Ref<Class: XenClass>: Hashable, Sendable {
    /// `OpaqueRef:` and a lowercase UUID, or `OpaqueRef:NULL`.
    public let opaque: String

    public init(_ opaque: String) { self.opaque = opaque }

    public static var null: Ref { Ref("OpaqueRef:NULL") }
    public var isNull: Bool { opaque == "OpaqueRef:NULL" || opaque.isEmpty }
}

/// Names a field of class `Class` whose values are `Value`. Generated from the datamodel.
public struct FieldKey<Class: XenClass, Value: APIConvertible>: Sendable {
    /// The wire name, e.g. `virtual_size`.
    public let name: String
    public init(_ name: String) { self.name = name }
}
