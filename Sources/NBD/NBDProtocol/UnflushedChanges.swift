/// Changes that a server has acknowledged and that no flush has covered yet: what a client must repeat when the server's
/// process has died, because that process may have held them, or what is needed to find them, in its own memory.
///
/// A value without I/O. Each change has a number; a flush covers those acknowledged before it was sent.
public struct UnflushedChanges: Sendable {
    public struct Change: Sendable {
        let number: UInt64
        public let command: UInt16
        public let flags: CommandFlags
        public let offset: UInt64
        public let length: UInt32
        /// The data of a WRITE; empty otherwise.
        public let data: [UInt8]

        /// What keeping it takes, in bytes.
        var weight: Int { data.count + 64 }
    }

    /// In the order of their acknowledgements.
    public private(set) var changes: [Change] = []
    /// What they take, in bytes.
    public private(set) var weight = 0
    private var next: UInt64 = 0

    public init() {}

    /// What a change of `bytes` of data will take.
    public static func weight(of bytes: Int) -> Int { bytes + 64 }

    public mutating func acknowledged(
        _ command: UInt16, _ flags: CommandFlags, offset: UInt64, length: UInt32, data: [UInt8]
    ) {
        let change = Change(
            number: next, command: command, flags: flags, offset: offset, length: length, data: data)
        next += 1
        weight += change.weight
        changes.append(change)
    }

    /// To be taken before a flush is sent, and given to `flushed` when it has succeeded.
    public var mark: UInt64 { next }

    /// A flush that was sent at `mark` has succeeded: what was acknowledged before is durable.
    public mutating func flushed(_ mark: UInt64) {
        let count = changes.firstIndex { $0.number >= mark } ?? changes.count
        for change in changes[..<count] { weight -= change.weight }
        changes.removeFirst(count)
    }
}
