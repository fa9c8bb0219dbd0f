import Synchronization

/// Who is in a mirror's destination while others would wait for it: guests' writes, guests' flushes, a comparison.
/// Counted, so that a destination that hangs can be noticed (`StallWatch`), and so that nobody closes the gate behind one who hangs in
/// it: who needs it closed lets nobody in any more and waits, with the gate open, until all have come out, or looks whether
/// somebody is in who was in at a certain moment (`mark`).
final class DestinationUse: Sendable {
    /// One who has gone in.
    struct Entry {
        fileprivate let isOdd: Bool
    }

    private final class Side: Sendable {
        let begun = Atomic<UInt64>(0)
        let ended = Atomic<UInt64>(0)

        var isEmpty: Bool {
            let ended = ended.load(ordering: .sequentiallyConsistent)
            return begun.load(ordering: .sequentiallyConsistent) == ended
        }
    }

    private let even = Side()
    private let odd = Side()
    /// Where newcomers are counted.
    private let isOdd = Atomic<Bool>(false)
    private let closings = Atomic<Int>(0)

    @inline(__always)
    private func side(_ isOdd: Bool) -> Side { isOdd ? odd : even }

    /// Nil: it is left alone, and nobody has gone in. Otherwise to be followed by `leave`.
    @inline(__always)
    func enter() -> Entry? {
        let entry = Entry(isOdd: isOdd.load(ordering: .relaxed))
        // Counted first: whoever has closed it sees this one, or is seen.
        side(entry.isOdd).begun.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if closings.load(ordering: .sequentiallyConsistent) == 0 { return entry }
        leave(entry)
        return nil
    }

    @inline(__always)
    func leave(_ entry: Entry) { side(entry.isOdd).ended.wrappingAdd(1, ordering: .sequentiallyConsistent) }

    /// Lets nobody in until as many have opened it as have closed it.
    func close() { closings.add(1, ordering: .sequentiallyConsistent) }
    func open() { closings.subtract(1, ordering: .sequentiallyConsistent) }

    var isOpen: Bool { closings.load(ordering: .acquiring) == 0 }

    /// Ever; who has come out was counted first.
    var counts: (begun: UInt64, ended: UInt64) {
        let ended =
            even.ended.load(ordering: .sequentiallyConsistent) &+ odd.ended.load(ordering: .sequentiallyConsistent)
        let begun =
            even.begun.load(ordering: .sequentiallyConsistent) &+ odd.begun.load(ordering: .sequentiallyConsistent)
        return (begun, ended)
    }

    /// Nobody is in it. While it is closed, nobody is from then on.
    var isEmpty: Bool { counts.begun == counts.ended }

    /// From here on `isHeldSinceMark` is about those who are in now, unless some of those of the mark before are. By one
    /// thread at a time.
    func mark() {
        let now = isOdd.load(ordering: .relaxed)
        if side(!now).isEmpty { isOdd.store(!now, ordering: .sequentiallyConsistent) }
    }

    /// Some of those who were in at the mark are in still.
    var isHeldSinceMark: Bool { !side(!isOdd.load(ordering: .relaxed)).isEmpty }
}
