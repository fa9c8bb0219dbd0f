public import APITypes
public import RPCCodec

/// The values of a `FieldKey`, as they are sent, and as what they are received.
public protocol FieldValue: APIConvertible, WireWritable {
    /// The same, but for enums: there it keeps unknown words.
    associatedtype Received: WireReadable
}

/// The keys of a map that is a field.
public protocol FieldMapKey: APIMapKey {
    associatedtype ReceivedKey: APIMapKey
}

/// An enum of the datamodel, as a field and as a key of maps.
public protocol FieldEnumeration: APIEnumeration, Hashable, FieldValue, FieldMapKey
where Received == Open<Self>, ReceivedKey == Open<Self> {}

extension FieldEnumeration {
    public var wire: WireValue { .string(rawValue) }
}

extension String: FieldValue, FieldMapKey {
    public typealias Received = String
    public typealias ReceivedKey = String
}

extension Int64: FieldValue, FieldMapKey {
    public typealias Received = Int64
    public typealias ReceivedKey = Int64
}

extension Bool: FieldValue {
    public typealias Received = Bool
}

extension Double: FieldValue {
    public typealias Received = Double
}

extension APIDate: FieldValue {
    public typealias Received = APIDate
}

extension Ref: FieldValue, FieldMapKey {
    public typealias Received = Ref
    public typealias ReceivedKey = Ref
}

extension Array: FieldValue where Element: FieldValue {
    public typealias Received = [Element.Received]
}

extension Dictionary: FieldValue where Key: FieldMapKey, Value: FieldValue {
    public typealias Received = [Key.ReceivedKey: Value.Received]
}
