import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@Suite struct TaskAndEventTests {
    private func events(
        _ host: TestHost, _ session: String, _ classes: [WireValue], _ token: inout String, timeout: Double = 600
    ) async throws -> [APIValue] {
        let answer = try await host.call(
            "event.from", [.array(classes), .string(token), .double(timeout)], session: session
        ).get()
        guard case .string(let next)? = answer["token"], case .set(let events)? = answer["events"] else {
            throw APIError("no events: \(answer)")
        }
        #expect(next.count == 41 && next.utf8.allSatisfy { $0 == 0x2C || (0x30...0x39).contains($0) })
        token = next
        return events
    }

    /// Follows a task by its events until it is not pending.
    private func follow(_ host: TestHost, _ session: String, _ task: String) async throws -> [APIValue] {
        var token = ""
        var seen: [APIValue] = []
        while true {
            for event in try await events(host, session, [.string("task/\(task)")], &token) {
                guard let snapshot = event["snapshot"] else { return seen }
                seen.append(snapshot)
                if snapshot["status"] != .string("pending") { return seen }
            }
        }
    }

    @Test func asyncCallsReportThroughTheirTasks() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let answer = try await host.call(
            "Async.VDI.pool_migrate", ["OpaqueRef:disk", "OpaqueRef:sr", .structure([])], session: session
        ).get()
        guard case .ref(let task) = answer else { throw APIError("no task") }
        let opener = Task {
            var token = ""
            // Some progress first.
            while try await !events(host, session, [.string("task/\(task)")], &token).contains(where: {
                guard case .float(let progress)? = $0["snapshot"]?["progress"] else { return false }
                return progress > 0
            }) {}
            host.gate.open()
        }
        let seen = try await follow(host, session, task)
        try await opener.value
        let last = try #require(seen.last)
        #expect(last["name_label"] == .string("Async.VDI.pool_migrate"))
        #expect(last["status"] == .string("success") && last["progress"] == .float(1))
        #expect(last["result"] == .string("<value>OpaqueRef:disk</value>"))
        #expect(last["resident_on"] == .ref(host.identity.host.opaque) && last["error_info"] == .set([]))
        #expect(last["other_config"]?["phase"] == .string("copy"))
        #expect(last["allowed_operations"] == .set([]))
        let fractions = seen.compactMap { snapshot -> Double? in
            guard case .float(let progress)? = snapshot["progress"] else { return nil }
            return progress
        }
        #expect(fractions == fractions.sorted(), "progress never goes back")
        // A task can be destroyed once, and takes nothing else with it.
        #expect(await host.call("task.destroy", [.string(task)], session: session) == .success(.void))
        #expect(
            await host.call("task.get_status", [.string(task)], session: session)
                == .failure(.handleInvalid("task", task)))
        // A call that waits has a task too, which is gone when it returns.
        let direct = await host.call(
            "VDI.pool_migrate", ["OpaqueRef:disk", "OpaqueRef:sr", .structure([])], session: session)
        #expect(direct == .success(.ref("OpaqueRef:disk")))
        #expect(await host.call("task.get_all", session: session) == .success(.set([])))
    }

    @Test func tasksFailAndAreCancelled() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        func start(_ method: String, _ params: [WireValue]) async throws -> String {
            guard case .ref(let task) = try await host.call(method, params, session: session).get() else {
                throw APIError("no task")
            }
            return task
        }
        let failing = try await start("Async.VDI.forget", ["OpaqueRef:disk"])
        let failed = try #require(try await follow(host, session, failing).last)
        #expect(failed["status"] == .string("failure"))
        #expect(failed["error_info"] == .set(["VDI_IN_USE", "OpaqueRef:disk", "forget"].map(APIValue.string)))
        let unwilling = await host.call("task.cancel", [.string(failing)], session: session)
        #expect(throws: APIError.self) { try unwilling.get() }

        let move = try await start("Async.VDI.pool_migrate", ["OpaqueRef:disk", "OpaqueRef:sr", .structure([])])
        #expect(
            await host.call("task.get_allowed_operations", [.string(move)], session: session)
                == .success(.set([.string("cancel")])))
        #expect(await host.call("task.cancel", [.string(move)], session: session) == .success(.void))
        let cancelled = try #require(try await follow(host, session, move).last)
        #expect(cancelled["status"] == .string("cancelled"))
        #expect(cancelled["error_info"] == .set([.string("TASK_CANCELLED"), .string(move)]))

        // Destroying an unfinished task only notes the wish.
        let second = try await start("Async.VDI.pool_migrate", ["OpaqueRef:disk", "OpaqueRef:sr", .structure([])])
        #expect(await host.call("task.destroy", [.string(second)], session: session) == .success(.void))
        #expect(
            await host.call("task.get_current_operations", [.string(second)], session: session)
                == .success(.map(["task": .string("destroy")])))
        // Looked at before it can end: of a task that is gone there is nothing to tell to who asks for the first time.
        var token = ""
        _ = try await events(host, session, [.string("task/\(second)")], &token)
        host.gate.open()
        while try await events(host, session, [.string("task/\(second)")], &token)
            .allSatisfy({ $0["snapshot"] != nil })
        {}
        #expect(
            await host.call("task.get_status", [.string(second)], session: session)
                == .failure(.handleInvalid("task", second)))
    }

    @Test func clientsDriveTasksOfTheirOwn() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        guard case .ref(let task) = try await host.call("task.create", ["label", "text"], session: session).get() else {
            throw APIError("no task")
        }
        for (method, value) in [
            ("set_progress", WireValue.double(0.5)), ("set_result", "done"), ("set_status", "Success"),
            ("set_error_info", .array([])), ("set_other_config", .structure([WireMember("a", "b")])),
        ] {
            let answer = await host.call("task.\(method)", [.string(task), value], session: session)
            #expect(answer == .success(.void), "\(method)")
        }
        let record = try await host.call("task.get_record", [.string(task)], session: session).get()
        #expect(record["status"] == .string("success") && record["result"] == .string("done"))
        #expect(record["progress"] == .float(0.5) && record["finished"] != .datetime(0))
    }

    @Test func eventsTellWhatChanged() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        var token = ""
        let all = try await events(host, session, ["*"], &token)
        #expect(all.allSatisfy { $0["operation"] == .string("add") && $0["timestamp"] == .string("0.0") })
        let classes = Set(all.compactMap { $0["class"] })
        #expect(classes.isSuperset(of: [.string("pool"), .string("host"), .string("vm"), .string("network")]))
        #expect(!classes.contains(.string("session")), "sessions are never shown")
        #expect(try await events(host, session, ["*"], &token, timeout: 0.01).isEmpty)

        let disk = Ref<VDI>("OpaqueRef:disk")
        try await host.database.transaction { $0.insert(VDI.self, ref: disk) { $0[VDI.nameLabel] = "one" } }
        var narrow = token
        let added = try await events(host, session, ["Vdi"], &token)
        #expect(added.map { $0["operation"] } == [.string("add")])
        #expect(added[0]["snapshot"]?["name_label"] == .string("one"))
        #expect(try await events(host, session, ["vdi/OpaqueRef:other", "sr"], &narrow, timeout: 0.01).isEmpty)

        // A change and the end of an object are seen by a call that was waiting already.
        let waiting = Task { [token] in
            var token = token
            return try await events(host, session, ["vdi/OpaqueRef:disk"], &token)
        }
        try await host.database.transaction { try $0.set(disk, VDI.nameLabel, "two") }
        let changed = try await waiting.value
        #expect(changed.map { $0["operation"] } == [.string("mod")])
        _ = try await events(host, session, ["vdi"], &token)
        let injected = try await host.call("event.inject", ["VDI", "OpaqueRef:disk"], session: session).get()
        guard case .string(var barrier) = injected else { throw APIError("no token") }
        #expect(try await events(host, session, ["vdi"], &barrier).map { $0["operation"] } == [.string("mod")])
        try await host.database.transaction { $0.delete(disk) }
        let gone = try await events(host, session, ["vdi"], &token)
        #expect(gone.map { $0["operation"] } == [.string("del")] && gone[0]["snapshot"] == nil)
        try await host.database.transaction { $0.insert(VDI.self, ref: disk) { _ in } }
        try await host.database.transaction { $0.delete(disk) }
        #expect(try await events(host, session, ["vdi"], &token, timeout: 0.01).isEmpty, "it came and went unseen")
    }

    @Test func waitingCallsEndWithTheirSession() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let waiting = Task { await host.call("event.from", [.array(["vm"]), "", .double(600)], session: session) }
        _ = await waiting.value
        guard case .int(let now) = try await host.call("event.get_current_id", session: session).get() else {
            throw APIError("no id")
        }
        let token = "\(now),0"
        let blocked = Task {
            await host.call("event.from", [.array(["vm"]), .string(token), .double(600)], session: session)
        }
        _ = await host.call("session.logout", session: session)
        #expect(await blocked.value == .failure(APIError("SESSION_INVALID", session)))
    }

    @Test func theOlderEventsNumberTheirRecords() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        #expect(await host.call("event.register", [.array(["vdi"])], session: session) == .success(.void))
        for index in 1...2 {
            try await host.database.transaction { $0.insert(VDI.self, ref: .new()) { _ in } }
            let answer = try await host.call("event.next", session: session).get()
            guard case .set(let events) = answer else { throw APIError("no events") }
            #expect(events.map { $0["id"] } == [.string(String(index))])
        }
        #expect(await host.call("event.unregister", [.array(["*"])], session: session) == .success(.void))
    }
}
