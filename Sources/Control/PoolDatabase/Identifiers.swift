public import APITypes
import Foundation

/// New names for objects.
public enum Identifiers {
    /// A random UUID in the lowercase form that XenAPI uses.
    public static func newUUID() -> String { UUID().uuidString.lowercased() }
}

extension Ref {
    /// A reference that no object has yet.
    public static func new() -> Ref { Ref("OpaqueRef:" + Identifiers.newUUID()) }
}
