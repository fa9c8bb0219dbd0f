import Synchronization
import Testing

@testable import XenAPIClient

/// A task at a server, which the test moves on.
private final class ServedTask: Sendable {
    private let state = Mutex<(status: String, progress: Double, result: String, errors: [String])>(
        ("pending", 0, "", []))
    private let hasEvents: Bool

    init(hasEvents: Bool = true) { self.hasEvents = hasEvents }

    func set(_ status: String, _ progress: Double = 1, result: String = "", errors: [String] = []) {
        state.withLock { $0 = (status, progress, result, errors) }
    }

    private var record: WireValue {
        let now = state.withLock { $0 }
        return .members([
            ("status", .string(now.status)), ("progress", .double(now.progress)), ("result", .string(now.result)),
            ("error_info", .array(now.errors.map(WireValue.string))),
        ])
    }

    func answer(_ call: RPCCall?) -> FakePeer.Answer {
        switch call?.method {
        case "Async.VDI.pool_migrate": return .value(.string("OpaqueRef:t"))
        case "task.get_record": return .value(record)
        case "task.cancel":
            set("cancelled", errors: ["TASK_CANCELLED", "OpaqueRef:t"])
            return .value(.void)
        case "task.destroy": return .value(.void)
        case "event.from":
            guard hasEvents else { return .failure(["MESSAGE_METHOD_UNKNOWN", "event.from"]) }
            let event = WireValue.members([
                ("class", .string("task")), ("operation", .string("mod")), ("ref", .string("OpaqueRef:t")),
                ("snapshot", record),
            ])
            return .value(.members([("events", .array([event])), ("token", .string("1"))]))
        default: return .http(500)
        }
    }
}

@Suite struct TaskTests {
    private func move(_ session: XenAPISession) async throws -> XenTaskHandle<Ref<VDI>> {
        try await session.vdi.asyncPoolMigrate(Ref("OpaqueRef:d"), sr: Ref("OpaqueRef:s"), options: [:])
    }

    @Test(arguments: [true, false])
    func aTaskGivesItsTypedValueAndIsRemoved(_ hasEvents: Bool) async throws {
        let task = ServedTask(hasEvents: hasEvents)
        task.set("success", result: "<value>OpaqueRef:n</value>")
        try await withPeer { _, call in
            task.answer(call)
        } _: { session, peer in
            let handle = try await move(session)
            #expect(try await handle.value == Ref("OpaqueRef:n"))
            // Again, though the server has it no more.
            #expect(try await handle.value == Ref("OpaqueRef:n"))
            #expect(peer.calls.count { $0 == "task.destroy" } == 1)
        }
    }

    @Test func progressEndsWithTheTask() async throws {
        let task = ServedTask()
        task.set("pending", 0.25)
        try await withPeer { _, call in
            task.answer(call)
        } _: { session, peer in
            let handle = try await move(session)
            var seen: [Double] = []
            for try await status in handle.progress {
                seen.append(status.progress)
                task.set("success", result: "<value>OpaqueRef:n</value>")
            }
            #expect(seen == [0.25, 1])
            #expect(!peer.calls.contains("task.destroy"))
        }
    }

    @Test func failuresComeOutAsTheyWere() async throws {
        for (errors, thrown) in [
            (["SR_FULL", "1", "0"], XenAPIFailure("SR_FULL", "1", "0")),
            ([], XenAPIFailure("INTERNAL_ERROR", "the task failed without saying why")),
        ] {
            let task = ServedTask()
            task.set("failure", errors: errors)
            try await withPeer { _, call in
                task.answer(call)
            } _: { session, peer in
                await #expect(throws: thrown) { _ = try await move(session).value }
                #expect(peer.calls.last == "task.destroy")
            }
        }
    }

    @Test func aResultOfAnotherTypeIsNamed() async throws {
        for result in ["<value><array><data></data></array></value>", "<value>", "rubbish"] {
            let task = ServedTask()
            task.set("success", result: result)
            try await withPeer { _, call in
                task.answer(call)
            } _: { session, _ in
                await #expect(throws: WireMismatch.self, "\(result)") { _ = try await move(session).value }
            }
        }
    }

    @Test func cancellingWhoWaitsCancelsAndRemovesTheTask() async throws {
        let task = ServedTask()
        task.set("pending", 0.5)
        try await withPeer { _, call in
            task.answer(call)
        } _: { session, peer in
            let handle = try await move(session)
            let waiter = Task { try await handle.value }
            while !peer.calls.contains("event.from") { await Task.yield() }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiter.value }
            #expect(peer.calls.suffix(2) == ["task.cancel", "task.destroy"])
        }
    }

    /// The task is over, or cannot be cancelled: it is removed nevertheless.
    @Test func aTaskThatCannotBeCancelledIsRemoved() async throws {
        let task = ServedTask()
        task.set("pending", 0.5)
        try await withPeer { _, call in
            call?.method == "task.cancel" ? .failure(["OPERATION_NOT_ALLOWED", "no"]) : task.answer(call)
        } _: { session, peer in
            let handle = try await move(session)
            let waiter = Task { try await handle.value }
            while !peer.calls.contains("event.from") { await Task.yield() }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiter.value }
            #expect(peer.calls.suffix(2) == ["task.cancel", "task.destroy"])
        }
    }

    @Test func aSilentServerDoesNotHoldWhoGivesUp() async throws {
        try await withPeer { _, _ in
            .silence
        } _: { session, _ in
            let hasGivenUp = Mutex(false)
            await shielded(atMost: .milliseconds(50)) {
                do {
                    _ = try await session.call("task.cancel", [])
                } catch { hasGivenUp.withLock { $0 = true } }
            }
            #expect(hasGivenUp.withLock { $0 })
        }
    }

    /// Says what the task is, breaks off as many waits for it, no longer knows the session then, and goes on with the task, which has
    /// ended. With the token of the former server the new one would report nothing, again and again.
    private func startedAnew(
        _ task: ServedTask, after breaks: Int
    ) -> @Sendable (FakePeer.Request, RPCCall?) -> FakePeer.Answer {
        let asked = Counter()
        return { _, call in
            guard call?.method == "event.from" else { return task.answer(call) }
            let number = asked.next()
            if number == 1 { return task.answer(call) }
            if number < 2 + breaks { return .raw([]) }
            if number > 2 + breaks { return .value(.members([("events", .array([])), ("token", .string("900"))])) }
            task.set("success", result: "<value>OpaqueRef:n</value>")
            return .failure(["SESSION_INVALID", "OpaqueRef:session"])
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    @Test func aTaskIsFollowedIntoANewSession() async throws {
        let task = ServedTask()
        task.set("pending", 0.5)
        try await withPeer(answer: startedAnew(task, after: 0)) { session, _ in
            let moved = try await move(session).value
            #expect(moved == Ref("OpaqueRef:n"))
            #expect(session.loginCount == 2)
        }
    }

    /// The server goes away while the task is under way, comes back without the session, and goes on with the task.
    @Test(arguments: [Duration.zero, .seconds(600)])
    func aTaskIsFollowedOverARestartByWhoHasPatience(_ patience: Duration) async throws {
        let task = ServedTask()
        task.set("pending", 0.5)
        try await withPeer(answer: startedAnew(task, after: 2)) { session, _ in
            if patience == .zero {
                await #expect(throws: ConnectionError.self) {
                    _ = try await session.runTask("VDI.pool_migrate", [], patience: patience)
                }
            } else {
                let moved = try await session.runTask("VDI.pool_migrate", [], patience: patience)
                #expect(moved == "OpaqueRef:n" && session.loginCount == 2)
            }
        }
    }

    @Test func cancelledByAnotherItSaysSo() async throws {
        let task = ServedTask()
        try await withPeer { _, call in
            task.answer(call)
        } _: { session, _ in
            let handle = try await move(session)
            try await handle.cancel()
            await #expect(throws: XenAPIFailure("TASK_CANCELLED", "OpaqueRef:t")) { _ = try await handle.finish() }
        }
    }
}
