import BlockIO

/// Byte ranges held exclusively while a request or a copy works on them: two overlapping holders never work at once.
/// A holder takes one range at a time, so there is no order to keep and no deadlock. Few ranges are held at a time (the
/// queue depth of the guest and the copier), so a linear search beats any tree.
public final class RangeLocks: @unchecked Sendable {
    // @unchecked: `held` and `waiters` are touched with the monitor held only.
    private let monitor = Monitor()
    private var held: [Range<UInt64>] = []
    private var waiters = 0

    public init() { held.reserveCapacity(256) }

    /// Waits until nobody holds a byte of `range`, then holds it.
    public func acquire(_ range: Range<UInt64>) {
        monitor.lock()
        while held.contains(where: { $0.overlaps(range) }) {
            waiters += 1
            monitor.wait()
            waiters -= 1
        }
        held.append(range)
        monitor.unlock()
    }

    /// Gives back a range exactly as it was acquired.
    public func release(_ range: Range<UInt64>) {
        monitor.lock()
        if let index = held.firstIndex(of: range) {
            held.swapAt(index, held.count - 1)
            held.removeLast()
        }
        if waiters > 0 { monitor.wakeAll() }
        monitor.unlock()
    }
}
