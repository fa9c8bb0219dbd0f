import BlockIO

/// Byte ranges held exclusively while a request or a copy works on them: two overlapping holders never work at once.
/// Overlapping ranges are held in the order in which they were asked for, so nobody waits for ever behind newcomers.
/// A holder takes one range at a time, so there is no order to keep and no deadlock. Few ranges are held at a time (the
/// queue depth of the guest and the copier), so a linear search beats any tree.
public final class RangeLocks: @unchecked Sendable {
    private struct Entry {
        let ticket: UInt64
        let range: Range<UInt64>
    }

    // @unchecked: all fields are touched with the monitor held only.
    private let monitor = Monitor()
    /// Who holds or waits, by ticket. An entry holds its range when none before it overlaps.
    private var entries: [Entry] = []
    private var nextTicket: UInt64 = 0
    private var waiters = 0

    public init() { entries.reserveCapacity(256) }

    /// Threads that wait for a range now.
    public var waitingCount: Int { monitor.locked { waiters } }

    /// Waits until nobody who came before holds or wants a byte of `range`, then holds it.
    public func acquire(_ range: Range<UInt64>) {
        monitor.lock()
        let ticket = nextTicket
        nextTicket += 1
        entries.append(Entry(ticket: ticket, range: range))
        while mustWait(ticket, range) {
            waiters += 1
            monitor.wait()
            waiters -= 1
        }
        monitor.unlock()
    }

    /// The same, but gives up, and nobody waits behind this one, as soon as `isOver`, which is asked a hundred times a second.
    public func acquire(_ range: Range<UInt64>, unless isOver: () -> Bool) -> Bool {
        monitor.lock()
        defer { monitor.unlock() }
        let ticket = nextTicket
        nextTicket += 1
        entries.append(Entry(ticket: ticket, range: range))
        while mustWait(ticket, range) {
            if isOver() {
                entries.removeAll { $0.ticket == ticket }
                if waiters > 0 { monitor.wakeAll() }
                return false
            }
            waiters += 1
            monitor.wait(nanoseconds: 10_000_000)
            waiters -= 1
        }
        return true
    }

    private func mustWait(_ ticket: UInt64, _ range: Range<UInt64>) -> Bool {
        for entry in entries {
            if entry.ticket == ticket { return false }
            if entry.range.overlaps(range) { return true }
        }
        preconditionFailure("a waiting range must be listed")
    }

    /// Returns when everybody who held or wanted a range at the call has given it back; newcomers are not kept waiting.
    public func awaitEarlier() {
        monitor.lock()
        let mark = nextTicket
        waiters += 1
        // Entries are in the order of their tickets.
        while let first = entries.first, first.ticket < mark { monitor.wait() }
        waiters -= 1
        monitor.unlock()
    }

    /// Gives back a range exactly as it was acquired.
    public func release(_ range: Range<UInt64>) {
        monitor.lock()
        // Of equal ranges the first is the one that is held.
        if let index = entries.firstIndex(where: { $0.range == range }) { entries.remove(at: index) }
        if waiters > 0 { monitor.wakeAll() }
        monitor.unlock()
    }
}
