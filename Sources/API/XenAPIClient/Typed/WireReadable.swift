public import APITypes
public import RPCCodec

/// A Swift type whose values arrive as XenAPI values.
public protocol WireReadable: Sendable {
    /// Throws when `wire` is no value of this type.
    init(wire: WireValue) throws(WireMismatch)
}

/// A Swift type whose values are sent as XenAPI values.
public protocol WireWritable: Sendable {
    var wire: WireValue { get }
}

/// A value is not of the type that the datamodel declares.
public struct WireMismatch: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where: the class and field, or the method; empty for a bare value.
    public let place: String
    /// What should be there.
    public let expected: String

    public init(expected: String, in place: String = "") {
        self.place = place
        self.expected = expected
    }

    /// The same with the place put before its own.
    func inside(_ outer: String) -> WireMismatch {
        WireMismatch(expected: expected, in: place.isEmpty ? outer : "\(outer).\(place)")
    }

    public var description: String { (place.isEmpty ? "the answer" : place) + " is not \(expected)" }
}

/// The result of a message that has none.
public struct NoValue: WireReadable, Hashable {
    public init() {}
    public init(wire: WireValue) throws(WireMismatch) {}
}

extension WireValue: WireReadable, WireWritable {
    public init(wire: WireValue) throws(WireMismatch) { self = wire }
    public var wire: WireValue { self }
}

extension String: WireReadable, WireWritable {
    public init(wire: WireValue) throws(WireMismatch) {
        guard let text = wire.text else { throw WireMismatch(expected: "a text") }
        self = text
    }
    public var wire: WireValue { .string(self) }
}

extension Int64: WireReadable, WireWritable {
    /// XML carries 64-bit integers as decimal text.
    public init(wire: WireValue) throws(WireMismatch) {
        switch wire {
        case .int(let number): self = number
        case .int32(let number): self = Int64(number)
        case .string(let text):
            guard let number = Int64(text) else { throw WireMismatch(expected: "an integer") }
            self = number
        case .double(let number):
            guard let number = Int64(exactly: number) else { throw WireMismatch(expected: "an integer") }
            self = number
        default: throw WireMismatch(expected: "an integer")
        }
    }
    public var wire: WireValue { .int(self) }
}

extension Bool: WireReadable, WireWritable {
    public init(wire: WireValue) throws(WireMismatch) {
        guard case .bool(let flag) = wire else { throw WireMismatch(expected: "a boolean") }
        self = flag
    }
    public var wire: WireValue { .bool(self) }
}

extension Double: WireReadable, WireWritable {
    public init(wire: WireValue) throws(WireMismatch) {
        guard let number = wire.number else { throw WireMismatch(expected: "a number") }
        self = number
    }
    public var wire: WireValue { .double(self) }
}

extension Ref: WireReadable, WireWritable {
    public init(wire: WireValue) throws(WireMismatch) {
        guard case .string(let opaque) = wire else {
            throw WireMismatch(expected: "a reference to a \(Class.className)")
        }
        self.init(opaque)
    }
    public var wire: WireValue { .string(opaque) }
}

extension Array: WireReadable where Element: WireReadable {
    public init(wire: WireValue) throws(WireMismatch) {
        guard case .array(let items) = wire else { throw WireMismatch(expected: "a set") }
        var all: [Element] = []
        all.reserveCapacity(items.count)
        for item in items { all.append(try Element(wire: item)) }
        self = all
    }
}

extension Array: WireWritable where Element: WireWritable {
    public var wire: WireValue { .array(map(\.wire)) }
}

extension Dictionary: WireReadable where Key: APIMapKey, Value: WireReadable {
    public init(wire: WireValue) throws(WireMismatch) {
        guard case .structure(let members) = wire else { throw WireMismatch(expected: "a map") }
        var all: [Key: Value] = [:]
        all.reserveCapacity(members.count)
        for member in members {
            guard let key = Key(mapKey: member.name) else { throw WireMismatch(expected: "a map with such keys") }
            do { all[key] = try Value(wire: member.value) } catch { throw error.inside(member.name) }
        }
        self = all
    }
}

extension Dictionary: WireWritable where Key: APIMapKey, Value: WireWritable {
    /// In the order of the keys, so that equal maps are equal on the wire.
    public var wire: WireValue {
        .structure(map { WireMember($0.key.mapKey, $0.value.wire) }.sorted { $0.name < $1.name })
    }
}
