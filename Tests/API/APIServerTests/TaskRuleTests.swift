import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@Suite struct TaskRuleTests {
    private func makeTask(_ host: TestHost, _ session: String) async throws -> String {
        guard case .ref(let task) = try await host.call("task.create", ["label", ""], session: session).get() else {
            throw APIError("no task")
        }
        return task
    }

    /// A session of a user: not the superuser's, with the rights of nobody unless some are given.
    private func login(_ host: TestHost, as user: String, rights: [String] = []) async throws -> String {
        let session = Ref<Session>(try await host.login())
        try await host.database.transaction { transaction in
            try transaction.set(session, Session.isLocalSuperuser, false)
            try transaction.set(session, Session.authUserSid, user)
            try transaction.set(session, Session.rbacPermissions, rights)
        }
        return session.opaque
    }

    @Test func usersChangeTheirOwnTasksOnlyAndOperatorsAll() async throws {
        let host = try await TestHost()
        let (first, again) = (try await login(host, as: "1"), try await login(host, as: "1"))
        let second = try await login(host, as: "2")
        let operatorSession = try await login(host, as: "3", rights: ["host.disable"])
        let superuser = try await host.login()
        func denied(_ result: Result<APIValue, APIError>) -> Bool {
            if case .failure(let error) = result { error.code == "RBAC_PERMISSION_DENIED" } else { false }
        }
        let task = try await makeTask(host, first)
        #expect(denied(await host.call("task.destroy", [.string(task)], session: second)))
        #expect(denied(await host.call("task.cancel", [.string(task)], session: second)))
        #expect(denied(await host.call("task.set_progress", [.string(task), .double(0.5)], session: second)))
        #expect(await host.call("task.get_progress", [.string(task)], session: second) == .success(.float(0)))
        // The owner's session may have ended: the same user is still the owner.
        _ = await host.call("session.logout", session: first)
        #expect(await host.call("task.set_progress", [.string(task), .double(0.5)], session: again) == .success(.void))
        #expect(await host.call("task.destroy", [.string(task)], session: again) == .success(.void))
        for other in [operatorSession, superuser] {
            let task = try await makeTask(host, second)
            #expect(await host.call("task.destroy", [.string(task)], session: other) == .success(.void))
        }
        let own = try await makeTask(host, superuser)
        #expect(denied(await host.call("task.destroy", [.string(own)], session: again)))
        #expect(
            await host.call("task.destroy", [.string("OpaqueRef:none")], session: again)
                == .failure(.handleInvalid("task", "OpaqueRef:none")))
    }

    @Test func oldTasksAreForgotten() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let (finished, pending) = (try await makeTask(host, session), try await makeTask(host, session))
        let moving = try await makeTask(host, session)
        _ = await host.call("task.set_status", [.string(finished), "success"], session: session)
        _ = await host.call("task.set_progress", [.string(moving), .double(0.1)], session: session)
        guard
            case .ref(let running) = try await host.call(
                "Async.VDI.pool_migrate", ["OpaqueRef:disk", "OpaqueRef:sr", .structure([])], session: session
            ).get()
        else { throw APIError("no task") }
        func left(at time: Int64) async throws -> Set<String> {
            try await host.dispatcher.tasks.sweep(at: time)
            return host.database.read { Set($0.rows(XenTask.self).map(\.ref)) }
        }
        let now = try #require(host.database.read { $0.row(Ref<XenTask>(finished))?[XenTask.finished].seconds })
        #expect(try await left(at: now + 3890) == [finished, pending, moving, running])
        #expect(try await left(at: now + 3910) == [pending, moving, running])
        #expect(try await left(at: now + 86500) == [moving, running], "an operation and progress keep a task")
        host.gate.open()
        // More than 200: the oldest finished ones go.
        for index in 0..<230 {
            let task = try await makeTask(host, session)
            if index < 100 { _ = await host.call("task.set_status", [.string(task), "failure"], session: session) }
        }
        #expect(try await left(at: now).count == 200)
    }

    @Test func tasksKnowTheirParents() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let parent = try await makeTask(host, session)
        func start(under ref: String) async throws -> String {
            let answer = await host.dispatcher.call(
                method: "Async.VDI.forget", params: [.string(session), "OpaqueRef:disk"],
                client: ClientInfo(parentTask: Ref(ref)))
            guard case .ref(let task) = try answer.get() else { throw APIError("no task") }
            return task
        }
        let child = try await start(under: parent)
        let orphan = try await start(under: "OpaqueRef:none")
        #expect(await host.call("task.get_subtask_of", [.string(child)], session: session) == .success(.ref(parent)))
        #expect(await host.call("task.get_subtask_of", [.string(orphan)], session: session) == .success(.nullRef))
        #expect(
            await host.call("task.get_subtasks", [.string(parent)], session: session) == .success(.set([.ref(child)])))
    }

    @Test func twoClientsThatEditTheSameMapLoseNothing() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let pool = host.identity.pool.opaque
        await withTaskGroup(of: Void.self) { group in
            for client in 0..<4 {
                group.addTask {
                    for index in 0..<50 {
                        let key = WireValue.string("\(client) \(index)")
                        let added = await host.call(
                            "pool.add_to_other_config", [.string(pool), key, "x"], session: session)
                        #expect(added == .success(.void))
                        let tag = await host.call("pool.add_tags", [.string(pool), key], session: session)
                        #expect(tag == .success(.void))
                        guard index % 2 == 1 else { continue }
                        _ = await host.call("pool.remove_from_other_config", [.string(pool), key], session: session)
                    }
                }
            }
        }
        let row = host.database.read { $0.row(host.identity.pool) }
        #expect(row?[Pool.otherConfig].count == 100 && row?[Pool.tags].count == 200)
    }
}
