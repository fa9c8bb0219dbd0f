public import APITypes
public import RPCCodec

/// A record of a class as a client receives it. The generated ones conform. Members that they do not know are passed over.
public protocol XenRecord: WireReadable, Hashable {}

/// A class that has records.
public protocol RecordClass: XenClass {
    associatedtype Record: XenRecord
}

/// A class whose objects are made with `create` and removed with `destroy`.
public protocol CreatableClass: RecordClass {
    /// What `create` takes.
    associatedtype Creation: WireWritable
}

/// Takes the members of a record one by one. Members are looked for from where the last one was: servers send them in the
/// order of the datamodel.
public struct RecordReader {
    private let className: String
    private let members: [WireMember]
    private var next = 0

    public init(_ wire: WireValue, of className: String) throws(WireMismatch) {
        guard case .structure(let members) = wire else {
            throw WireMismatch(expected: "a record", in: className)
        }
        self.members = members
        self.className = className
    }

    /// The member `name`. Throws when it is missing or of another type.
    public mutating func field<Value: WireReadable>(_ name: String) throws(WireMismatch) -> Value {
        guard let wire = member(name) else { throw WireMismatch(expected: "there", in: "\(className).\(name)") }
        return try read(wire, name)
    }

    /// The member `name`; nil when the server does not have it. Throws when it is of another type.
    public mutating func optional<Value: WireReadable>(_ name: String) throws(WireMismatch) -> Value? {
        guard let wire = member(name), wire != .null else { return nil }
        return try read(wire, name) as Value
    }

    private func read<Value: WireReadable>(_ wire: WireValue, _ name: String) throws(WireMismatch) -> Value {
        do { return try Value(wire: wire) } catch { throw error.inside("\(className).\(name)") }
    }

    private mutating func member(_ name: String) -> WireValue? {
        for step in 0..<members.count {
            let index = (next + step) % members.count
            if members[index].name == name {
                next = index + 1
                return members[index].value
            }
        }
        return nil
    }
}

/// Gathers the members of a record that is sent.
public struct RecordWriter {
    private var members: [WireMember] = []

    public init() {}

    /// Adds a member under its wire name.
    public mutating func put(_ name: String, _ value: some WireWritable) {
        members.append(WireMember(name, value.wire))
    }

    /// Adds a member unless it is nil: the server then takes its default.
    public mutating func putIfGiven(_ name: String, _ value: (some WireWritable)?) {
        if let value { members.append(WireMember(name, value.wire)) }
    }

    /// The record as it travels.
    public var wire: WireValue { .structure(members) }
}
