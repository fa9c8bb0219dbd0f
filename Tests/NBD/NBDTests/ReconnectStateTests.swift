import BlockIO
import NBDProtocol
import NBDTransport
import Testing

/// When a client tries again, gives up and what it repeats; how much a rate lets pass. All without I/O.
struct ReconnectStateTests {
    private let second: UInt64 = 1_000_000_000

    @Test func aLossIsTriedAtOnceThenInGrowingPausesAndGivenUpInTime() {
        var state = ReconnectState(patience: 5 * second)
        #expect(state.step(at: 0) == .use)
        state.lost(generation: 0, answered: true, at: 100)
        #expect(state.step(at: 100) == .connect)
        var now: UInt64 = 100
        var pauses: [UInt64] = []
        while true {
            state.failed(at: now)
            guard case .wait(let until) = state.step(at: now) else { break }
            pauses.append(until - now)
            now = until
            if state.step(at: now) != .connect { break }
        }
        #expect(pauses.first == 10_000_000 && pauses[1] == 20_000_000)
        #expect(pauses.max() == second && now == 100 + 5 * second)
        #expect(state.step(at: now) == .giveUp)
    }

    @Test func aNewConnectionBeginsAGenerationAndOldNewsChangesNothing() {
        var state = ReconnectState(patience: second)
        state.lost(generation: 0, answered: true, at: 0)
        state.restored()
        #expect(state.generation == 1 && state.step(at: 1) == .use)
        state.lost(generation: 0, answered: true, at: 2)
        #expect(state.step(at: 2) == .use)
        state.end()
        state.lost(generation: 1, answered: true, at: 3)
        #expect(state.step(at: 3) == .giveUp && state.isOver)
    }

    @Test func aServerThatDiesOfEveryConnectionDoesNotRenewTheTime() {
        var state = ReconnectState(patience: 2 * second)
        state.lost(generation: 0, answered: true, at: 0)
        var now: UInt64 = 0
        var connections = 0
        while state.step(at: now) != .giveUp, connections < 1000 {
            switch state.step(at: now) {
            case .connect:
                state.restored()
                connections += 1
                state.lost(generation: state.generation, answered: false, at: now)
            case .wait(let until): now = until
            default: break
            }
        }
        #expect(now == 2 * second && connections < 20)
        // One that answers in between does.
        state = ReconnectState(patience: 2 * second)
        for time in stride(from: 0, to: 100 * second, by: Int(second)) {
            state.lost(generation: state.generation, answered: true, at: time)
            #expect(state.step(at: time) == .connect)
            state.restored()
        }
    }

    @Test func aFlushCoversWhatWasAcknowledgedBeforeItWasSent() {
        var changes = UnflushedChanges()
        changes.acknowledged(NBDCommand.write, [], offset: 0, length: 3, data: [1, 2, 3])
        let mark = changes.mark
        changes.acknowledged(NBDCommand.trim, [], offset: 9, length: 4, data: [])
        changes.acknowledged(NBDCommand.write, [], offset: 1, length: 1, data: [7])
        #expect(changes.changes.map(\.offset) == [0, 9, 1])
        changes.flushed(mark)
        #expect(changes.changes.map(\.offset) == [9, 1])
        // A flush that was sent earlier and answered later covers no more.
        changes.flushed(mark)
        #expect(changes.weight == UnflushedChanges.weight(of: 0) + UnflushedChanges.weight(of: 1))
        changes.flushed(changes.mark)
        #expect(changes.changes.isEmpty && changes.weight == 0)
    }

    @Test func aBucketLetsTheBurstPassAndThenTheRate() {
        var bucket = TokenBucket(perSecond: 100, burst: 10, at: 0)
        for _ in 0..<10 { #expect(bucket.take(1, at: 0) == 0) }
        #expect(bucket.take(1, at: 0) == second / 100)
        #expect(bucket.take(1, at: 0) == second / 50)
        // The debt is paid by time, and no more than the burst is saved up.
        #expect(bucket.take(1, at: second / 50) == second / 100)
        #expect(bucket.take(10, at: 1000 * second) == 0)
        #expect(bucket.take(1, at: 1000 * second) == second / 100)
        // One request above the burst passes, and is waited for.
        #expect(bucket.take(1000, at: 2000 * second) == 990 * second / 100)
        // A clock that stands or falls back gives nothing.
        #expect(bucket.take(0, at: 5) == 990 * second / 100)
    }

    /// Whoever waits as told gets the rate in the long run, whatever the sizes.
    @Test(arguments: [1, 3, 50, 4096]) func theMeanIsTheRate(size: Int) {
        var bucket = TokenBucket(perSecond: 1000, burst: 100, at: 0)
        var now: UInt64 = 0
        var passed = 0
        while now < 100 * second {
            now += bucket.take(UInt64(size), at: now)
            passed += size
        }
        #expect(passed >= 100_000 && passed <= 100_100 + 2 * size)
    }

    @Test func latenciesFallIntoBucketsThatDouble() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let client = try served.connect()
        for _ in 0..<10 { #expect(try client.bytes(at: 0, 512) == [UInt8](repeating: 0, count: 512)) }
        try client.put([1], at: 0)
        try client.flush()
        try client.close()
        served.server.stop()
        let counts = served.server.requestCounts
        let sums = [counts.readLatency, counts.writeLatency, counts.flushLatency].map { $0?.buckets.reduce(0, +) }
        #expect(sums == [10, 1, counts.flushes])
    }
}
