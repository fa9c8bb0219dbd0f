import BlockCopy
import BlockIO
import Synchronization
import Testing

@Suite struct RangeLocksTests {
    /// Somebody who overlaps only a waiter comes after it.
    @Test func overlappingRangesAreHeldInTheOrderOfAsking() {
        let locks = RangeLocks()
        let order = WriteLog()
        locks.acquire(0..<10)
        let second = WorkerThread("second") {
            locks.acquire(5..<15)
            order.append((2, []))
            locks.release(5..<15)
        }
        while locks.waitingCount < 1 {}
        let third = WorkerThread("third") {
            locks.acquire(12..<20)
            order.append((3, []))
            locks.release(12..<20)
        }
        while locks.waitingCount < 2, order.all.isEmpty {}
        #expect(order.all.isEmpty)
        // Who overlaps nobody does not wait.
        locks.acquire(30..<40)
        locks.release(30..<40)
        order.append((1, []))
        locks.release(0..<10)
        second.join()
        third.join()
        #expect(order.all.map(\.offset) == [1, 2, 3])
    }

    /// Whoever gives up is not waited for by those who came later, and holds nothing.
    @Test func whoGivesUpStandsInNobodysWay() {
        let locks = RangeLocks()
        locks.acquire(0..<10)
        #expect(locks.acquire(20..<30) { true })
        locks.release(20..<30)
        let isOver = Atomic<Bool>(false)
        let isHeld = Atomic<Bool>(true)
        let second = WorkerThread("second") {
            let held = locks.acquire(5..<15) { isOver.load(ordering: .acquiring) }
            isHeld.store(held, ordering: .releasing)
        }
        while locks.waitingCount < 1 {}
        let third = WorkerThread("third") {
            locks.acquire(12..<20)
            locks.release(12..<20)
        }
        while locks.waitingCount < 2 {}
        isOver.store(true, ordering: .releasing)
        second.join()
        third.join()
        #expect(!isHeld.load(ordering: .acquiring) && locks.waitingCount == 0)
        locks.release(0..<10)
        locks.acquire(0..<20)
        locks.release(0..<20)
    }
}
