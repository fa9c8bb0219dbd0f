import BlockIO
import Testing

@Suite struct PatienceTests {
    @Test func aRangeIsLateUntilEachChangeOfItHasEnded() {
        var ranges = LateRanges()
        let first = ranges.add(0..<10)
        let second = ranges.add(5..<20)
        #expect(ranges.count == 2 && ranges.total == 2)
        ranges.end(first)
        #expect(ranges.overlaps(9..<10) && !ranges.overlaps(0..<5) && !ranges.overlaps(20..<30))
        // Another one of the same place is not the first's.
        let third = ranges.add(0..<10)
        ranges.end(first)
        #expect(ranges.overlaps(0..<5))
        ranges.end(third)
        ranges.end(second)
        #expect(ranges.count == 0 && ranges.total == 3 && !ranges.overlaps(0..<100))
    }

    /// Its server may do it at any time, over anything that is written from then on.
    @Test func aLostChangeIsLateEverywhereUntilThePeerIsReachedAgain() {
        let late = LateChanges()
        let (lost, other) = (late.add(0..<10), late.add(20..<30))
        #expect(late.isUnderWay && !late.isLost)
        late.lose(lost)
        late.end(other)
        #expect(!late.isEmpty && !late.isUnderWay && late.isLost && late.overlaps(50..<60) && late.total == 2)
        late.forgetLoss()
        #expect(late.isEmpty && !late.isLost && !late.overlaps(0..<10))
    }

    @Test func patienceEnds() {
        let late = LateChanges()
        #expect(Patience(.max, since: 0, late: late).rest > 1 << 60)
        #expect(Patience(1, since: 0, late: late).rest == 0)
        let ticket = late.add(0..<1)
        #expect(!late.isEmpty && late.overlaps(0..<1) && late.total == 1)
        late.end(ticket)
        #expect(late.isEmpty && !late.overlaps(0..<1))
    }

    @Test func aMutexIsWaitedForNoLongerThanWanted() {
        let monitor = Monitor()
        monitor.lock()
        let other = WorkerThread("other") { #expect(!monitor.lock(nanoseconds: 1_000_000)) }
        other.join()
        monitor.unlock()
        let isHeld = monitor.lock(nanoseconds: 0)
        #expect(isHeld)
        monitor.unlock()
    }
}
