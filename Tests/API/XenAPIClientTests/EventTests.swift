import Synchronization
import Testing

@testable import XenAPIClient

/// Answers `event.from` with one prepared answer after the other, then with nothing until the client goes.
private final class EventScript: Sendable {
    enum Step: Sendable {
        case events([(operation: String, ref: String)], token: String)
        case failure([String])
    }
    private let steps: Mutex<[Step]>
    private let seen = Mutex<[String]>([])
    private let waits = Mutex<[Double?]>([])

    init(_ steps: [Step]) { self.steps = Mutex(steps) }

    /// The tokens that were sent.
    var tokens: [String] { seen.withLock { $0 } }
    /// How many seconds the server was to wait.
    var timeouts: [Double?] { waits.withLock { $0 } }

    func answer(_ call: RPCCall?) -> FakePeer.Answer {
        guard call?.method == "event.from" else { return .http(500) }
        seen.withLock { $0.append(call?.parameters[2].text ?? "?") }
        waits.withLock { $0.append(call?.parameters[3].number) }
        let step = steps.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        switch step {
        case nil: return .silence
        case .failure(let error)?: return .failure(error)
        case .events(let events, let token)?:
            let list = events.map { event in
                var members: [(name: String, value: WireValue)] = [
                    ("id", .string("1")), ("timestamp", .string("0.0")), ("class", .string("pbd")),
                    ("operation", .string(event.operation)), ("ref", .string(event.ref)),
                ]
                if event.operation != "del" { members.append(("snapshot", Self.record(event.ref))) }
                return WireValue.members(members)
            }
            return .value(.members([("events", .array(list)), ("token", .string(token))]))
        }
    }

    static func record(_ uuid: String) -> WireValue {
        .members([
            ("uuid", .string(uuid)), ("host", .string("OpaqueRef:h")), ("SR", .string("OpaqueRef:s")),
            ("device_config", .members([])), ("currently_attached", .bool(true)), ("other_config", .members([])),
        ])
    }
}

@Suite struct EventTests {
    private func follow(
        _ steps: [EventScript.Step], from start: EventStart = .withExistingObjects, _ count: Int
    ) async throws -> (seen: [String], tokens: [String]) {
        let script = EventScript(steps)
        var seen: [String] = []
        try await withPeer { _, call in
            script.answer(call)
        } _: { session, _ in
            for try await event in session.events(of: ["pbd"], from: start) {
                seen.append("\(event.change) \(event.ref)" + (event.isFromResynchronisation ? "!" : ""))
                if seen.count == count { break }
            }
        }
        return (seen, script.tokens)
    }

    @Test func tokensGoFromAnswerToAnswer() async throws {
        let (seen, tokens) = try await follow(
            [
                .events([("add", "a"), ("add", "b")], token: "1"), .events([], token: "2"),
                .events([("mod", "a"), ("add", "c"), ("del", "b")], token: "3"),
                // Neither is news to the reader as it stands.
                .events([("add", "c"), ("del", "x"), ("mod", "d")], token: "4"),
            ], 7)
        #expect(
            seen == ["added a", "added b", "modified a", "added c", "deleted b", "modified c", "added d"])
        #expect(tokens == ["", "1", "2", "3"])
    }

    @Test func fromNowOnLeavesOutWhatIsThere() async throws {
        let steps: [EventScript.Step] = [
            .events([("add", "a"), ("add", "b")], token: "1"), .events([("mod", "a"), ("del", "b")], token: "2"),
        ]
        #expect(try await follow(steps, from: .now, 2).seen == ["modified a", "deleted b"])
    }

    /// Where nothing is, an answer that was waited for would be the first event and not what is there.
    @Test func whatIsThereIsAskedForWithoutWaiting() async throws {
        let script = EventScript([.events([], token: "1"), .events([("add", "a")], token: "2")])
        try await withPeer { _, call in
            script.answer(call)
        } _: { session, _ in
            for try await event in session.events(of: ["pbd"], from: .now) {
                #expect(event.change == .added && event.ref == "a")
                break
            }
        }
        #expect(script.timeouts == [0, 30])
    }

    @Test(arguments: ["EVENTS_LOST", "EVENT_FROM_TOKEN_PARSE_FAILURE"])
    func afterLostEventsTheDifferenceIsReported(_ code: String) async throws {
        let (seen, tokens) = try await follow(
            [
                .events([("add", "a"), ("add", "b")], token: "1"), .failure([code]),
                .events([("add", "b"), ("add", "c")], token: "7"), .events([("del", "b")], token: "8"),
            ], 6)
        #expect(seen == ["added a", "added b", "modified b!", "added c!", "deleted a!", "deleted b"])
        #expect(tokens == ["", "1", "", "7"])
    }

    /// A server that fails so at once again is not asked without end.
    @Test func eventsThatAreLostAgainAtOnceAreAnError() async throws {
        await #expect(throws: XenAPIFailure("EVENTS_LOST")) {
            _ = try await follow(
                [
                    .events([("add", "a")], token: "1"), .failure(["EVENTS_LOST"]),
                    .failure(["EVENTS_LOST"]),
                ], 2)
        }
    }

    @Test func aNewSessionBeginsAgain() async throws {
        let script = EventScript([
            .events([("add", "a")], token: "900"), .failure(["SESSION_INVALID", "OpaqueRef:session"]),
            .events([("add", "b")], token: "2"), .events([("add", "b")], token: "3"),
        ])
        try await withPeer { _, call in
            script.answer(call)
        } _: { session, _ in
            var seen: [String] = []
            for try await event in session.events(of: ["pbd"]) {
                seen.append("\(event.change) \(event.ref)")
                if seen.count == 3 { break }
            }
            #expect(seen == ["added a", "added b", "deleted a"])
            #expect(session.loginCount == 2)
        }
        // The call that was repeated has the old token; its answer is not used.
        #expect(script.tokens == ["", "900", "900", ""])
    }

    @Test func changesCarryRecordsAndForeignEventsArePassedOver() async throws {
        let script = EventScript([.events([("add", "a")], token: "1"), .events([("del", "a")], token: "2")])
        try await withPeer { _, call in
            script.answer(call)
        } _: { session, _ in
            var changes = session.changes(of: PBD.self).makeAsyncIterator()
            let added = try #require(try await changes.next())
            #expect(added.ref == Ref("a") && added.record?.uuid == "a" && added.record?.currentlyAttached == true)
            #expect(try await changes.next() == .deleted(Ref("a")))
        }
        let event = XenAPIEventFixture.vdi
        #expect(try event.of(PBD.self) == nil)
        #expect(throws: WireMismatch.self) { try event.of(VDI.self) }
    }

    @Test(arguments: [
        WireValue.array([]), .members([("events", .array([]))]), .members([("token", .string("1"))]),
        .members([("events", .array([.string("x")])), ("token", .string("1"))]),
    ])
    func answersThatAreNoEventsAreErrors(_ answer: WireValue) async throws {
        try await withPeer { _, _ in
            .value(answer)
        } _: { session, _ in
            await #expect(throws: WireMismatch.self) {
                for try await _ in session.events(of: ["*"]) {}
            }
        }
    }

    /// The reader's cancellation closes the connection that waits at the server.
    @Test func cancellationEndsTheCallAtTheServer() async throws {
        let script = EventScript([.events([("add", "a")], token: "1")])
        try await withPeer { _, call in
            script.answer(call)
        } _: { session, peer in
            let (seen, report) = AsyncStream.makeStream(of: String.self)
            let reader = Task {
                for try await event in session.events(of: ["pbd"]) { report.yield(event.ref) }
            }
            var first = seen.makeAsyncIterator()
            #expect(await first.next() == "a")
            while script.tokens.count < 2 { await Task.yield() }
            reader.cancel()
            await #expect(throws: CancellationError.self) { try await reader.value }
            while peer.abandoned == 0 { await Task.yield() }
            #expect(script.tokens == ["", "1"])
        }
    }
}

private enum XenAPIEventFixture {
    /// With a snapshot that is no record.
    static var vdi: XenAPIEvent {
        XenAPIEvent(
            className: "vdi", ref: "d", change: .modified, snapshot: .members([]), isFromResynchronisation: false)
    }
}
