import APITypes
import PoolDatabase
import RPCCodec
import Synchronization
import TestSupport
import Testing
import Toolstack

@Suite struct EventListenerTests {
    private func batch(
        _ host: TestHost, _ session: String, _ classes: [WireValue], _ token: inout String
    ) async throws -> [APIValue] {
        let answer = try await host.call(
            "event.from", [.array(classes), .string(token), .double(3600)], session: session
        ).get()
        guard case .string(let next)? = answer["token"], case .set(let events)? = answer["events"] else {
            throw APIError("no events: \(answer)")
        }
        token = next
        return events
    }

    private func token(_ host: TestHost, _ session: String) async throws -> String {
        guard case .int(let now) = try await host.call("event.get_current_id", session: session).get() else {
            throw APIError("no id")
        }
        return "\(now),\(now)"
    }

    @Test func aThousandListenersHearWhatConcernsThemOnly() async throws {
        let host = try await TestHost()
        let (session, other) = (try await host.login(), try await host.login())
        let refs = (0..<1000).map { _ in Ref<VDI>.new() }
        try await host.database.transaction { transaction in
            for ref in refs { transaction.insert(VDI.self, ref: ref) { _ in } }
        }
        let start = try await token(host, session)
        let concerned = Set(refs.prefix(5).map(\.opaque))
        try await withThrowingTaskGroup(of: (String, Result<[APIValue], any Error>).self) { group in
            for (index, ref) in refs.enumerated() {
                group.addTask {
                    var token = start
                    do {
                        let owner = index < 5 ? other : session
                        let events = try await batch(host, owner, [.string("vdi/\(ref.opaque)")], &token)
                        return (ref.opaque, .success(events))
                    } catch {
                        return (ref.opaque, .failure(error))
                    }
                }
            }
            for ref in refs.prefix(5) {
                try await host.database.transaction { try $0.set(ref, VDI.nameLabel, "new") }
            }
            var heard: Set<String> = []
            while heard.count < 5, let (ref, events) = try await group.next() {
                heard.insert(ref)
                let event = try #require(try events.get().first)
                #expect(event["ref"] == .string(ref) && event["snapshot"]?["name_label"] == .string("new"))
            }
            #expect(heard == concerned)
            // The others wait until their session ends.
            _ = await host.call("session.logout", session: session)
            for try await (_, result) in group {
                #expect(throws: APIError("SESSION_INVALID", session)) { try result.get() }
            }
        }
    }

    @Test func everyListenerSeesTheChangesInOrderUpToTheLast() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let refs = (0..<4).map { _ in Ref<VDI>.new() }
        try await host.database.transaction { transaction in
            for ref in refs { transaction.insert(VDI.self, ref: ref) { _ in } }
        }
        let start = try await token(host, session)
        let last: Int64 = 40
        try await withThrowingTaskGroup(of: Void.self) { group in
            for listener in 0..<60 {
                group.addTask {
                    var token = start
                    var seen: [String: Int64] = [:]
                    // Some listen to a class, some to everything, some to the objects.
                    let classes: [WireValue] =
                        [["vdi"], ["*"], refs.map { .string("VDI/\($0.opaque)") }][listener % 3]
                    while seen.count < 4 || seen.values.contains(where: { $0 < last }) {
                        for event in try await batch(host, session, classes, &token) {
                            guard case .string(let ref)? = event["ref"],
                                case .int(let size)? = event["snapshot"]?["virtual_size"]
                            else { continue }
                            #expect(size > seen[ref] ?? 0, "never twice, never back")
                            seen[ref] = size
                        }
                    }
                }
            }
            for size in 1...last {
                for ref in refs { try await host.database.transaction { try $0.set(ref, VDI.virtualSize, size) } }
                try await Task.sleep(for: .milliseconds(5))
            }
            try await group.waitForAll()
        }
    }

    @Test func aRegistrationThatGrowsReachesTheCallThatWaits() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        #expect(
            await host.call("event.next", session: session) == .failure(APIError("SESSION_NOT_REGISTERED", session)))
        _ = await host.call("event.register", [.array(["sr"])], session: session)
        let waiting = Task { try await host.call("event.next", session: session).get() }
        try await host.database.transaction { $0.insert(VDI.self, ref: Ref("OpaqueRef:one")) { _ in } }
        _ = await host.call("event.register", [.array(["vdi/OpaqueRef:two"])], session: session)
        try await host.database.transaction { $0.insert(VDI.self, ref: Ref("OpaqueRef:two")) { _ in } }
        guard case .set(let events) = try await waiting.value else { throw APIError("no events") }
        #expect(events.map { $0["ref"] } == [.string("OpaqueRef:two")])
    }

    @Test func callsOfOneSessionThatWaitTogetherAreAllAnswered() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        _ = await host.call("event.register", [.array(["vdi"])], session: session)
        let waiting = (0..<20).map { _ in Task { try await host.call("event.next", session: session).get() } }
        // Whether a call waits already cannot be seen from outside; one that comes late is told of a later change.
        let changes = Task {
            while !Task.isCancelled {
                try await host.database.transaction { $0.insert(VDI.self, ref: .new()) { _ in } }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        var told: [APIValue: Int] = [:]
        for call in waiting {
            guard case .set(let events) = try await call.value else { throw APIError("no events") }
            #expect(!events.isEmpty)
            for event in events { told[try #require(event["ref"]), default: 0] += 1 }
        }
        changes.cancel()
        _ = await changes.result
        #expect(told.values.contains { $0 > 1 }, "a change is told to every call that waits for it")
    }

    @Test func aClientThatIsTooSlowIsToldThatEventsAreLost() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        _ = await host.call("event.register", [.array(["*"])], session: session)
        let text = String(repeating: "x", count: 300_000)
        try await host.database.transaction { transaction in
            for _ in 0..<36 { transaction.insert(VDI.self, ref: .new()) { $0[VDI.nameDescription] = text } }
        }
        #expect(await host.call("event.next", session: session) == .failure(APIError("EVENTS_LOST")))
        #expect(
            await host.call("event.next", session: session) == .failure(APIError("SESSION_NOT_REGISTERED", session)))
        _ = await host.call("event.register", [.array(["vdi"])], session: session)
        try await host.database.transaction { $0.insert(VDI.self, ref: Ref("OpaqueRef:late")) { _ in } }
        guard case .set(let events) = try await host.call("event.next", session: session).get() else {
            throw APIError("no events")
        }
        #expect(events.map { $0["ref"] } == [.string("OpaqueRef:late")])
    }

    @Test func countsAndBadTokensAreAsTheyShouldBe() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        for bad in ["x", "1", "1,2,3", "-1,0", "1,"] {
            let answer = await host.call("event.from", [.array(["*"]), .string(bad), .double(0)], session: session)
            #expect(answer == .failure(APIError("EVENT_FROM_TOKEN_PARSE_FAILURE", bad)))
        }
        try await host.database.transaction { $0.insert(VDI.self, ref: .new()) { _ in } }
        let answer = try await host.call("event.from", [.array([]), "", .double(0)], session: session).get()
        #expect(answer["events"] == .set([]), "an empty list matches nothing")
        #expect(answer["valid_ref_counts"]?["vdi"] == .int(1) && answer["valid_ref_counts"]?["session"] == .int(1))
        let unknown = await host.call("event.inject", ["VDI", "OpaqueRef:none"], session: session)
        #expect(unknown == .failure(.handleInvalid("VDI", "OpaqueRef:none")))
    }
}
