import Synchronization

/// Who is in a mirror's destination while all guests would wait for it, were the gate closed: guests' requests, and a comparison.
/// Counted, so that a destination that hangs can be noticed (`StallWatch`), and so that nobody closes the gate behind one who hangs in
/// it: who needs it closed lets nobody in any more and waits, with the gate open, until all have come out.
final class DestinationUse: Sendable {
    private let begun = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)
    private let closings = Atomic<Int>(0)

    /// False: it is left alone, and nobody has gone in. Otherwise to be followed by `leave`.
    @inline(__always)
    func enter() -> Bool {
        // Counted first: whoever has closed it sees this one, or is seen.
        begun.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if closings.load(ordering: .sequentiallyConsistent) == 0 { return true }
        leave()
        return false
    }

    @inline(__always)
    func leave() { ended.wrappingAdd(1, ordering: .sequentiallyConsistent) }

    /// Lets nobody in until as many have opened it as have closed it.
    func close() { closings.add(1, ordering: .sequentiallyConsistent) }
    func open() { closings.subtract(1, ordering: .sequentiallyConsistent) }

    var isOpen: Bool { closings.load(ordering: .acquiring) == 0 }

    /// Ever; who has come out was counted first.
    var counts: (begun: UInt64, ended: UInt64) {
        let ended = ended.load(ordering: .sequentiallyConsistent)
        return (begun.load(ordering: .sequentiallyConsistent), ended)
    }

    /// Nobody is in it. While it is closed, nobody is from then on.
    var isEmpty: Bool {
        let counts = counts
        return counts.begun == counts.ended
    }
}
