import APITypes
import PoolDatabase
import RPCCodec
import Testing

@testable import Toolstack

/// What one user may take of what all share.
@Suite struct TaskLimitTests {
    private struct Scene {
        let database: PoolDatabase
        let tasks: Tasks

        init() async throws {
            database = try await PoolDatabase.open(path: nil)
            tasks = Tasks(database: database, host: .new())
        }

        /// A session of the user with this subject identifier; none for the superuser.
        func session(of user: String) async throws -> Ref<Session> {
            let session = Ref<Session>.new()
            try await database.transaction { tx in
                tx.insert(Session.self, ref: session) { row in
                    row[Session.authUserSid] = user
                    row[Session.authUserName] = user
                    row[Session.isLocalSuperuser] = user.isEmpty
                }
            }
            return session
        }

        func make(_ session: Ref<Session>, progress: Double = 0) async throws -> Ref<XenTask> {
            let task = try await tasks.createForClient("t", description: "", session: session, parent: nil)
            if progress > 0 { try await database.transaction { try $0.set(task, XenTask.progress, progress) } }
            return task
        }
    }

    private static let tooMany = APIError("TOO_MANY_PENDING_TASKS")

    @Test func nobodyTakesThePlacesOfOthersTasks() async throws {
        let scene = try await Scene()
        let (reader, other, root) = (
            try await scene.session(of: "reader"), try await scene.session(of: "other"), try await scene.session(of: "")
        )
        var made: [Ref<XenTask>] = []
        for _ in 0..<Tasks.ownersCap { made.append(try await scene.make(reader, progress: 0.1)) }
        await #expect(throws: Self.tooMany) { try await scene.make(reader) }
        // His other sessions are his.
        let second = try await scene.session(of: "reader")
        await #expect(throws: Self.tooMany) { try await scene.make(second) }
        _ = try await scene.make(other)
        _ = try await scene.make(root)
        // What he does is no task of a client's.
        let operation = try await scene.tasks.start("VM.start", session: reader)
        await scene.tasks.finish(operation, .success(.void), keep: false)
        try await scene.tasks.destroy(made[0])
        _ = try await scene.make(reader)
        await #expect(throws: Self.tooMany) { try await scene.make(reader) }
        // A look at them all forgets none that is there.
        try await scene.tasks.sweep(at: Tasks.now)
        await #expect(throws: Self.tooMany) { try await scene.make(reader) }
        // They do not stay for ever, whatever progress they claim.
        try await scene.tasks.sweep(at: Tasks.now + Tasks.pendingLimit + 1)
        #expect(scene.database.read { $0.count(className: "task") } == Tasks.ownersCap - 1)
        try await scene.tasks.sweep(at: Tasks.now + Tasks.progressingLimit + 1)
        #expect(scene.database.read { $0.count(className: "task") } == 0)
        _ = try await scene.make(reader)
        scene.tasks.stop()
    }

    @Test func operationsGoOnWhenClientsHaveMadeAllTheTasksThereMayBe() async throws {
        let scene = try await Scene()
        let root = try await scene.session(of: "")
        try await scene.database.transaction { tx in
            for _ in 0..<Tasks.hardCap {
                tx.insert(XenTask.self, ref: .new()) { row in
                    row[XenTask.status] = .pending
                    row[XenTask.created] = APIDate(seconds: Tasks.now)
                }
            }
        }
        await #expect(throws: Self.tooMany) { try await scene.make(root) }
        let operation = try await scene.tasks.start("VM.start", session: root)
        await scene.tasks.finish(operation, .success(.void), keep: false)
        scene.tasks.stop()
    }

    @Test func tasksThatAreLeftUnfinishedKeepNoSession() async throws {
        let scene = try await Scene()
        var sessions: [Ref<Session>] = []
        let role = try #require(RoleTable.shared.entry(name: "read-only")?.basic)
        for _ in 0..<SessionLimits.mostPerUser { sessions.append(try await scene.session(of: "reader")) }
        try await scene.database.transaction { tx in
            for session in sessions {
                tx.insert(XenTask.self, ref: .new()) { row in
                    row[XenTask.status] = .pending
                    row[XenTask.session] = session
                }
            }
            let user = UserAccount(
                name: "reader", role: role, subject: .null, subjectIdentifier: "reader", user: .null)
            let gone = SessionLimits.makeRoom(for: .user(user), originator: "", in: tx, at: 0)
            #expect(gone.count == 1)
        }
        #expect(scene.database.read { $0.count(className: "session") } == SessionLimits.mostPerUser - 1)
        scene.tasks.stop()
    }

    @Test func textsOfTasksAndSubscriptionsHaveBounds() async throws {
        let host = try await OperationHost()
        let long = String(repeating: "x", count: Tasks.longestText + 1)
        func tooLong(_ field: String, _ bytes: Int) -> [String] {
            [
                "VALUE_NOT_SUPPORTED", field, "\(bytes) bytes",
                "a task keeps at most \(Tasks.longestText) bytes there",
            ]
        }
        let refused = tooLong("name_label", long.utf8.count)
        #expect(await host.refused("task.create", .string(long), .string("")) == refused)
        #expect(await host.refused("task.create", .string(""), .string(long)).dropFirst().first == "name_description")
        let task = try await host.ref("task.create", .string("t"), .string(String(long.dropLast())))
        #expect(
            await host.refused("task.set_result", .string(task), .string(long)) == tooLong("result", long.utf8.count))
        #expect(
            await host.refused("task.set_error_info", .string(task), .array([.string("A"), .string(long)]))
                == tooLong("error_info", long.utf8.count + 1))
        let entry = WireValue.structure([WireMember("k", .string(long))])
        let entries = tooLong("other_config", long.utf8.count + 1)
        #expect(await host.refused("task.set_other_config", .string(task), entry) == entries)
        let half = WireValue.string(String(long.prefix(Tasks.longestText / 2 + 1)))
        #expect(await host.refused("task.add_to_other_config", .string(task), .string("a"), half) == ["accepted"])
        #expect(
            await host.refused("task.add_to_other_config", .string(task), .string("b"), half).first
                == "VALUE_NOT_SUPPORTED")

        let references = (0..<EventSubscription.mostObjects).map { WireValue.string("vm/\($0)") }
        #expect(await host.refused("event.register", .array(references)) == ["accepted"])
        #expect(await host.refused("event.register", .array([.string("vm/1"), .string("vm")])) == ["accepted"])
        #expect(
            await host.refused("event.register", .array([.string("vdi/1")])).first == "EVENT_SUBSCRIPTION_PARSE_FAILURE"
        )
        #expect(await host.refused("event.unregister", .array([.string("vm/1"), .string("vm/2")])) == ["accepted"])
        let text = String(repeating: "x", count: EventSubscription.longestReferences)
        #expect(
            await host.refused("event.register", .array([.string("vdi/" + text)])).first
                == "EVENT_SUBSCRIPTION_PARSE_FAILURE")
        #expect(await host.refused("event.register", .array([.string("vdi/1")])) == ["accepted"])
        await host.toolstack.stop()
    }
}
