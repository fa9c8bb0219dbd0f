import CoreTypes
import Testing

@Suite struct CounterTests {
    @Test func progressNeverPassesOne() {
        let progress = ProgressCounter()
        #expect(progress.fraction == 0)
        progress.expect(100)
        progress.add(25)
        #expect(progress.fraction == 0.25)
        progress.add(500)
        #expect(progress.fraction == 1 && progress.done == 525)
        progress.expectMore(1000)
        #expect(progress.total == 1100)
    }

    @Test func cancellationIsForGood() {
        let flag = CancellationFlag()
        #expect(!flag.isCancelled)
        flag.cancel()
        flag.cancel()
        #expect(flag.isCancelled)
    }
}
