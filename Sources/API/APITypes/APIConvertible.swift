/// A Swift type that stands for a XenAPI type.
public protocol APIConvertible: Sendable {
    /// Nil when `value` is not of this type (or not a known spelling of the enum).
    init?(api value: APIValue)
    var apiValue: APIValue { get }
}

extension String: APIConvertible {
    public init?(api value: APIValue) {
        guard case .string(let text) = value else { return nil }
        self = text
    }
    public var apiValue: APIValue { .string(self) }
}

extension Int64: APIConvertible {
    public init?(api value: APIValue) {
        guard case .int(let number) = value else { return nil }
        self = number
    }
    public var apiValue: APIValue { .int(self) }
}

extension Bool: APIConvertible {
    public init?(api value: APIValue) {
        guard case .bool(let flag) = value else { return nil }
        self = flag
    }
    public var apiValue: APIValue { .bool(self) }
}

extension Double: APIConvertible {
    public init?(api value: APIValue) {
        switch value {
        case .float(let number): self = number
        case .int(let number): self = Double(number)
        default: return nil
        }
    }
    public var apiValue: APIValue { .float(self) }
}

/// A XenAPI datetime: whole seconds since 1970.
public struct APIDate: APIConvertible, Hashable {
    public let seconds: Int64
    public init(seconds: Int64) { self.seconds = seconds }
    public static let never = APIDate(seconds: 0)
    public init?(api value: APIValue) {
        guard case .datetime(let seconds) = value else { return nil }
        self.seconds = seconds
    }
    public var apiValue: APIValue { .datetime(seconds) }
}

extension Ref: APIConvertible {
    public init?(api value: APIValue) {
        guard case .ref(let opaque) = value else { return nil }
        self.init(opaque)
    }
    public var apiValue: APIValue { .ref(opaque) }
}

extension Array: APIConvertible where Element: APIConvertible {
    public init?(api value: APIValue) {
        guard case .set(let values) = value else { return nil }
        var all: [Element] = []
        all.reserveCapacity(values.count)
        for value in values {
            guard let element = Element(api: value) else { return nil }
            all.append(element)
        }
        self = all
    }
    public var apiValue: APIValue { .set(map(\.apiValue)) }
}

/// The text form of a map's key.
public protocol APIMapKey: Hashable, Sendable {
    init?(mapKey: String)
    var mapKey: String { get }
}

extension String: APIMapKey {
    public init?(mapKey: String) { self = mapKey }
    public var mapKey: String { self }
}

extension Int64: APIMapKey {
    public init?(mapKey: String) { self.init(mapKey) }
    public var mapKey: String { String(self) }
}

extension Ref: APIMapKey {
    public init?(mapKey: String) { self.init(mapKey) }
    public var mapKey: String { opaque }
}

extension Dictionary: APIConvertible where Key: APIMapKey, Value: APIConvertible {
    public init?(api value: APIValue) {
        guard case .map(let entries) = value else { return nil }
        var all: [Key: Value] = [:]
        for (text, entry) in entries {
            guard let key = Key(mapKey: text), let value = Value(api: entry) else { return nil }
            all[key] = value
        }
        self = all
    }
    public var apiValue: APIValue {
        var entries: [String: APIValue] = [:]
        for (key, value) in self { entries[key.mapKey] = value.apiValue }
        return .map(entries)
    }
}
