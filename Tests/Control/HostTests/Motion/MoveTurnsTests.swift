import APITypes
import CoreTypes
import Foundation
import Logging
import PoolDatabase
import RPCCodec
import Synchronization
import TestSupport
import Testing

@testable import Toolstack

/// The line in which moves wait: here, and at another pool.
@Suite struct MoveTurnsTests {
    /// A full house is waited for, and the task says in which place.
    @Test func movesBeyondTheLimitWait() async throws {
        let turns = MoveTurns()
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        _ = try await host.call("SR.add_to_other_config", .string(sr), .string("disk-moves"), .string("1"))
        let quiet = UnwatchedProgress()
        let first = try await turns.enter([sr], database: host.database, progress: quiet)
        let second = NotedProgress()
        let waiting = Task { try await turns.enter([sr], database: host.database, progress: second) }
        let third = NotedProgress()
        while second.notes["queue_position"] == nil { await Task.yield() }
        let cancelled = Task { try await turns.enter([sr], database: host.database, progress: third) }
        while third.notes["queue_position"] == nil { await Task.yield() }
        #expect(second.notes == ["phase": "queued", "queue_position": "1"])
        #expect(third.notes == ["phase": "queued", "queue_position": "2"])
        third.cancellation.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        await turns.leave(first)
        let turn = try await waiting.value
        #expect(second.notes == ["phase": "starting", "queue_position": "0"])
        await turns.leave(turn)
        await host.toolstack.stop()
    }

    /// A limit that is none is named, once, and counts as if it were not there. A call that came earlier waits before a later one.
    @Test func aLimitThatIsNoneIsNamedAndTheLineIsThatOfTheCalls() async throws {
        let log = NotedLog()
        let turns = MoveTurns(logger: Logger(label: "test", factory: { _ in log }))
        let database = try await PoolDatabase.open(path: nil)
        let sr = Ref<SR>.new()
        try await database.transaction { tx in
            tx.insert(SR.self, ref: sr) { row in
                (row[SR.uuid], row[SR.otherConfig]) = ("the-sr", ["disk-moves": "none"])
            }
            tx.insert(Pool.self, ref: .new()) { row in row[Pool.otherConfig] = ["disk-moves": "1"] }
        }
        let calls = (1...3).map { _ in
            CallContext(session: .null, task: .null, progress: UnwatchedProgress()).time
        }
        #expect(calls == calls.sorted() && Set(calls).count == 3)
        func enter(_ call: Int, _ progress: any TaskProgress) async throws -> Int {
            try await turns.enter([sr.opaque], called: calls[call], database: database, progress: progress)
        }
        let first = try await enter(0, UnwatchedProgress())
        let (early, late) = (NotedProgress(), NotedProgress())
        async let third = enter(2, late)
        // None of these throws: whoever waits would wait for ever.
        let limit = Duration.seconds(20)
        try? await reach("the last call waits", atMost: limit) { late.notes["queue_position"] != nil }
        async let second = enter(1, early)
        try? await reach("the call before comes before it", atMost: limit) {
            early.notes["queue_position"] != nil && late.notes["queue_position"] == "2"
        }
        #expect(early.notes["queue_position"] == "1" && late.notes["queue_position"] == "2")
        await turns.leave(first)
        await turns.leave(try await second)
        await turns.leave(try await third)
        #expect(log.lines.count == 1 && log.lines.first?.contains("the-sr") == true, "\(log.lines)")
        #expect(log.lines.first?.contains("none") == true)
        try await database.transaction { tx in try tx.set(sr, SR.otherConfig, ["disk-moves": "0"]) }
        await turns.leave(try await enter(0, UnwatchedProgress()))
        #expect(log.lines.count == 2)
    }

    /// What goes to one address of another pool has a limit of its own, beside those of SRs and hosts.
    @Test func movesBeyondTheLimitOfALinkWait() async throws {
        let turns = MoveTurns()
        let database = try await PoolDatabase.open(path: nil)
        try await database.transaction { tx in
            tx.insert(Pool.self, ref: .new()) { row in
                row[Pool.otherConfig] = [
                    "disk-moves": "9", "link-disk-moves": "1", "link-disk-moves:b": "2", "link-disk-moves-rate": "8",
                    "disk-moves-rate": "3",
                ]
            }
        }
        let quiet = UnwatchedProgress()
        func enter(_ address: String, _ id: String) async throws -> Int {
            try await turns.enter([MoveTurns.link(to: address)], of: id, database: database, progress: quiet)
        }
        let first = try await enter("a", "1")
        let second = NotedProgress()
        let waiting = Task {
            try await turns.enter([MoveTurns.link(to: "a")], of: "2", database: database, progress: second)
        }
        while second.notes["queue_position"] == nil { await Task.yield() }
        // Another address is another link.
        for id in ["3", "4"] { _ = try await enter("b", id) }
        #expect(await turns.share(of: "1", database: database) == 8)
        #expect(await turns.share(of: "3", database: database) == 4)
        await turns.leave(first)
        _ = try await waiting.value
    }

    /// The host takes part in all that goes over its links, whatever one of these may take.
    @Test func aHostIsAPlaceOfItsOwn() async throws {
        let turns = MoveTurns()
        let database = try await PoolDatabase.open(path: nil)
        let host = Ref<APITypes.Host>.new()
        try await database.transaction { tx in
            tx.insert(Pool.self, ref: .new()) { row in row[Pool.otherConfig] = ["link-disk-moves": "9"] }
            tx.insert(APITypes.Host.self, ref: host) { row in row[APITypes.Host.otherConfig] = ["disk-moves": "1"] }
        }
        let places: Set<String> = [host.opaque, MoveTurns.link(to: "a")]
        let first = try await turns.enter(places, database: database, progress: UnwatchedProgress())
        let second = NotedProgress()
        let waiting = Task { try await turns.enter(places, database: database, progress: second) }
        while second.notes["queue_position"] == nil { await Task.yield() }
        try await database.transaction { tx in try tx.set(host, APITypes.Host.otherConfig, ["disk-moves": "2"]) }
        await turns.leave(try await waiting.value)
        await turns.leave(first)
    }

    /// Disks that another pool's toolstack fills stand in the same line, as long as it asks.
    @Test func whoAsksFromAnotherPoolStandsInTheLine() async throws {
        let turns = MoveTurns()
        let database = try await PoolDatabase.open(path: nil)
        try await database.transaction { tx in
            tx.insert(Pool.self, ref: .new()) { row in
                row[Pool.otherConfig] = ["disk-moves": "1", "disk-moves-rate": "8"]
            }
        }
        let start = ContinuousClock.now
        func look(_ id: String, after seconds: Int, isCopying: Bool = false) async -> TurnAnswer {
            await turns.look(["sr"], of: id, isCopying: isCopying, database: database, now: start + .seconds(seconds))
        }
        let own = try await turns.enter(["sr"], of: "own", database: database, progress: UnwatchedProgress())
        #expect(await look("a", after: 0) == TurnAnswer(position: 1))
        #expect(await look("b", after: 0) == TurnAnswer(position: 2))
        await turns.leave(own)
        // The first has its turn, and has not asked yet.
        #expect(await look("b", after: 1) == TurnAnswer(position: 1))
        #expect(await look("a", after: 1) == TurnAnswer(position: 0, bytesPerSecond: 8))
        #expect(await look("b", after: 20) == TurnAnswer(position: 1))
        // The first says nothing any more.
        #expect(await look("b", after: 32) == TurnAnswer(position: 0, bytesPerSecond: 8))
        // A toolstack that was started since is told of those that copy already, which share what there is.
        #expect(await look("c", after: 33, isCopying: true) == TurnAnswer(position: 0, bytesPerSecond: 4))
        await turns.forget("b")
        #expect(await look("d", after: 34) == TurnAnswer(position: 1))
        await turns.forget("c")
        #expect(await look("d", after: 35) == TurnAnswer(position: 0, bytesPerSecond: 8))
    }

    /// The place in another pool's line is in the task; a toolstack that is started again keeps nobody from waiting.
    @Test func aTaskShowsThePlaceInAnotherPoolsLine() async throws {
        let asked = Mutex<[TurnQuestion]>([])
        let answers = Mutex<[Int?]>([2, nil, 1, 1, 0])
        let turn = TurnOfDisk("d", pause: .milliseconds(1)) { question in
            asked.withLock { $0.append(question) }
            let position = answers.withLock { $0.isEmpty ? 0 : $0.removeFirst() }
            guard let position else { throw APIError("CANNOT_CONTACT_HOST", "far") }
            return TurnAnswer(position: position, bytesPerSecond: position == 0 ? 5 : nil)
        }
        let progress = NotedProgress()
        try await turn.enter(progress)
        #expect(progress.notes == ["phase": "starting", "queue_position": "0"])
        #expect(await turn.bytesPerSecond == 5)
        while asked.withLock({ $0.last?.isCopying }) != true { try await Task.sleep(for: .milliseconds(1)) }
        await turn.leave()
        while asked.withLock({ $0.last?.isOver }) != true { try await Task.sleep(for: .milliseconds(1)) }
        #expect(asked.withLock { $0.prefix(5).allSatisfy { !$0.isCopying && !$0.isOver && $0.vdi == "d" } })
        // Cancelled while it waits, and refused.
        progress.cancellation.cancel()
        await #expect(throws: CancellationError.self) { try await turn.enter(progress) }
        let refused = TurnOfDisk("d", pause: .milliseconds(1)) { _ in throw APIError("OPERATION_NOT_ALLOWED", "gone") }
        await #expect(throws: APIError("OPERATION_NOT_ALLOWED", "gone")) { try await refused.enter(NotedProgress()) }
        let silent = TurnOfDisk("d", pause: .milliseconds(1), patience: .milliseconds(5)) { _ in
            throw APIError("CANNOT_CONTACT_HOST", "far")
        }
        await #expect(throws: APIError("CANNOT_CONTACT_HOST", "far")) { try await silent.enter(NotedProgress()) }
    }

    /// What another pool says lowers this side's limits, and never lifts them.
    @Test func anotherPoolsRateOfNothingIsNone() async throws {
        let turn = TurnOfDisk("d") { _ in TurnAnswer(position: 0, bytesPerSecond: 0) }
        try await turn.enter(UnwatchedProgress())
        #expect(await turn.bytesPerSecond == nil)
        await turn.leave()
    }

    /// `retry-seconds` of a move holds for the line, too: with 0 the other side is asked once.
    @Test func whoIsNotToTryAgainAsksAnotherPoolsLineOnce() async {
        #expect(TurnOfDisk.patience(nil) == .seconds(60) && TurnOfDisk.patience(7) == .seconds(7))
        let asked = Mutex(0)
        let turn = TurnOfDisk("d", pause: .milliseconds(1), patience: TurnOfDisk.patience(0)) { _ in
            asked.withLock { $0 += 1 }
            throw APIError("CANNOT_CONTACT_HOST", "far")
        }
        await #expect(throws: APIError("CANNOT_CONTACT_HOST", "far")) { try await turn.enter(NotedProgress()) }
        #expect(asked.withLock { $0 } == 1)
    }
}

/// Keeps what is logged.
private final class NotedLog: LogHandler {
    private let told = Mutex<[String]>([])
    var lines: [String] { told.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    func log(event: LogEvent) { told.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
}

/// Keeps what it is told.
private final class NotedProgress: TaskProgress {
    let cancellation = CancellationFlag()
    private let told = Mutex<[String: String]>([:])
    var notes: [String: String] { told.withLock { $0 } }
    func report(_ fraction: Double) {}
    func annotate(_ entries: [String: String]) { told.withLock { $0.merge(entries) { $1 } } }
}
