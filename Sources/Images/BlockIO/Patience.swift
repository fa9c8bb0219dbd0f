import CLinux
import Synchronization

/// How long a caller waits for a peer's answer to a change, and who remembers the change when that was too long.
public struct Patience: Sendable {
    /// Nanoseconds, as `gantry_now`.
    private let deadline: UInt64
    public let late: LateChanges

    /// `nanoseconds` from `start`, which is of `gantry_now`.
    public init(_ nanoseconds: UInt64, since start: UInt64, late: LateChanges) {
        deadline = start &+ nanoseconds
        self.late = late
    }

    /// Nanoseconds that are left; 0: none.
    public var rest: UInt64 {
        let now = gantry_now()
        return now < deadline ? deadline - now : 0
    }

    public static func isOver(at offset: UInt64) -> BlockError {
        BlockError(.late, "the server has not answered in time; what it was asked may be done later", offset: offset)
    }
}

/// The ranges that a peer may still change although nobody waits for it any more. A value.
public struct LateRanges: Sendable {
    /// One change.
    public struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private var ranges: [(ticket: Ticket, range: Range<UInt64>)] = []
    /// Changes that were ever late.
    public private(set) var total: UInt64 = 0
    /// A connection has ended with a late change on it, and its server may live and do the change at any time.
    public private(set) var isLost = false

    public init() {}

    /// Changes that are late now.
    public var count: Int { ranges.count }

    /// A change of `range` is late.
    public mutating func add(_ range: Range<UInt64>) -> Ticket {
        total += 1
        let ticket = Ticket(number: total)
        ranges.append((ticket, range))
        return ticket
    }

    /// The change was answered, or never sent: nothing comes of it any more. Said twice it is no other's end.
    public mutating func end(_ ticket: Ticket) { ranges.removeAll { $0.ticket == ticket } }

    /// The change's connection is gone, and with it the answer: whoever uses the peer must take it for lost.
    public mutating func lose(_ ticket: Ticket) {
        isLost = true
        end(ticket)
    }

    /// The peer was taken for lost, and is used again: by other connections, and compared.
    public mutating func forgetLoss() { isLost = false }

    /// Whether a late change may still come over a byte of `range`: while one was lost, over any.
    public func overlaps(_ range: Range<UInt64>) -> Bool { isLost || ranges.contains { $0.range.overlaps(range) } }
}

/// The late changes of one mirror's destination. Every call is atomic; asking costs one load while there is none.
public final class LateChanges: Sendable {
    private let ranges = Mutex(LateRanges())
    /// Of the late changes, and one more while one was lost.
    private let count = Atomic<Int>(0)

    public init() {}

    /// Nothing is late, and nothing was lost.
    @inline(__always)
    public var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    /// Changes that were ever late.
    public var total: UInt64 { ranges.withLock { $0.total } }

    /// An answer is owed, on a connection that is not known to have ended.
    public var isUnderWay: Bool { isEmpty ? false : ranges.withLock { $0.count > 0 } }

    /// As `LateRanges.isLost`.
    public var isLost: Bool { isEmpty ? false : ranges.withLock { $0.isLost } }

    public func add(_ range: Range<UInt64>) -> LateRanges.Ticket { change { $0.add(range) } }
    public func end(_ ticket: LateRanges.Ticket) { change { $0.end(ticket) } }
    public func lose(_ ticket: LateRanges.Ticket) { change { $0.lose(ticket) } }
    public func forgetLoss() { change { $0.forgetLoss() } }

    private func change<T: Sendable>(_ body: (inout LateRanges) -> T) -> T {
        ranges.withLock { ranges in
            defer { count.store(ranges.count + (ranges.isLost ? 1 : 0), ordering: .releasing) }
            return body(&ranges)
        }
    }

    public func overlaps(_ range: Range<UInt64>) -> Bool {
        isEmpty ? false : ranges.withLock { $0.overlaps(range) }
    }
}
