import Synchronization

/// How many connections may be open, over all the listeners and event loops that share it. Usable from anywhere.
final class ConnectionBudget: Sendable {
    private let left: Atomic<Int>

    init(_ connections: Int) { left = Atomic(connections) }

    /// False: none is left.
    func take() -> Bool {
        var known = left.load(ordering: .relaxed)
        while known > 0 {
            let (exchanged, original) = left.weakCompareExchange(
                expected: known, desired: known - 1, ordering: .relaxed)
            if exchanged { return true }
            known = original
        }
        return false
    }

    func give() { left.wrappingAdd(1, ordering: .relaxed) }
}
