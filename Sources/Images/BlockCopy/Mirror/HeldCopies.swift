import Synchronization

/// The granules that the copier of a destination without a peer is writing with their range held. One that hangs there keeps those who
/// write to the granule waiting only until its time is over: the range is given back by who watches, and stays dirty.
final class HeldCopies: Sendable {
    private let copies = Mutex<[(range: Range<UInt64>, since: UInt64)]>([])

    /// `now`: nanoseconds of any clock.
    func begin(_ range: Range<UInt64>, at now: UInt64) { copies.withLock { $0.append((range, now)) } }

    /// True: the range is the copier's still. Otherwise it was given back, and nothing can be said of what is in it.
    func end(_ range: Range<UInt64>) -> Bool {
        copies.withLock { copies in
            guard let index = copies.firstIndex(where: { $0.range == range }) else { return false }
            copies.remove(at: index)
            return true
        }
    }

    /// Those that have taken longer than `patience`: to be given back by the caller. Some may have begun since `now`.
    func takeOverdue(at now: UInt64, patience: UInt64) -> [Range<UInt64>] {
        func isOverdue(_ since: UInt64) -> Bool { now > since && now - since > patience }
        return copies.withLock { copies in
            let overdue = copies.filter { isOverdue($0.since) }.map(\.range)
            if !overdue.isEmpty { copies.removeAll { isOverdue($0.since) } }
            return overdue
        }
    }
}
