import APITypes
import CoreTypes
import DataModel
import Foundation
import Logging
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

private let model = Datamodel.all

@Suite struct AccessTests {
    @Test func theRolesAreThoseThatClientsKnow() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        func value(_ method: String, _ params: [WireValue] = []) async throws -> APIValue {
            try await host.call(method, params, session: session).get()
        }
        // The names' digests: the same on every pool of every maker.
        for (name, uuid) in [
            ("pool-admin", "0165f154-ba3e-034e-6b27-5d271af109ba"),
            ("pool-operator", "b9ce9791-0604-50cd-0649-09b3284c7dfd"),
            ("vm-power-admin", "7955168d-7bec-10ed-105f-c6a7e6e63249"),
            ("vm-admin", "aaa00ab5-7340-bfbc-0d1b-7cf342639a6e"),
            ("vm-operator", "fb8d4ff9-310c-a959-0613-54101535d3d5"),
            ("read-only", "7233b8e3-eacb-d7da-2c95-f2e581cdbf4e"),
        ] {
            let ref = try await host.role(name, session: session)
            #expect(ref == "OpaqueRef:\(uuid)")
            #expect(try await value("role.get_by_uuid", [.string(uuid)]) == .ref(ref))
            let role = try #require(BasicRole(rawValue: name))
            let names = model.permissions.filter { $0.role.permits(role) }.map { APIValue.string($0.name) }
            #expect(try await value("role.get_permissions_name_label", [.string(ref)]) == .set(names))
            guard case .set(let leaves) = try await value("role.get_subroles", [.string(ref)]) else { throw Odd() }
            #expect(leaves.count == names.count)
            #expect(try await value("role.get_is_internal", [.string(ref)]) == .bool(false))
        }
        guard case .set(let all) = try await value("role.get_all"),
            case .map(let records) = try await value("role.get_all_records")
        else { throw Odd() }
        #expect(all.count == model.permissions.count + 7 && records.count == all.count)
        guard case .set(let able) = try await value("role.get_by_permission_name_label", ["vdi.pool_migrate"]) else {
            throw Odd()
        }
        #expect(able.count == 3)
        let selected = try await value(
            "role.get_all_where", [#"field "is_internal" = "true" or field "name__label" = "http/get_audit_log""#])
        guard case .set(let both) = selected else { throw Odd() }
        #expect(both.count == 2)
        let none = await host.call("role.get_record", ["OpaqueRef:x"], session: session)
        #expect(none == .failure(.handleInvalid("role", "OpaqueRef:x")))
    }

    private struct Odd: Error {}

    @Test func aUserOfThePoolHasWhatTheRoleGivesAndNoMore() async throws {
        let host = try await TestHost()
        let root = try await host.login()
        let (user, subject) = try await host.person(
            "alice", password: "open sesame", roles: ["vm-operator", "read-only"])
        let session = try await host.login("alice", "open sesame").get()
        let row = try await host.call("session.get_record", [.string(session)], session: root).get()
        #expect(row["is_local_superuser"] == .bool(false) && row["auth_user_name"] == .string("alice"))
        #expect(row["auth_user_sid"] == .string("alice") && row["subject"] == .ref(subject))
        #expect(row["this_user"] == .ref(user))
        let names = model.permissions.filter { $0.role.permits(.vmOperator) }.map { APIValue.string($0.name) }
        #expect(row["rbac_permissions"] == .set(names))
        #expect(
            await host.call("subject.get_permissions_name_label", [.string(subject)], session: session)
                == .success(.set(names)))
        #expect(await host.call("VDI.get_all", session: session) == .success(.set([])))
        let denied = await host.call("VDI.destroy", ["OpaqueRef:x"], session: session)
        guard case .failure(let error) = denied else { throw Odd() }
        #expect(error.code == "RBAC_PERMISSION_DENIED" && error.parameters.first == "vdi.destroy")
        #expect(error.parameters.count == 2)
        let extended = await host.call("no.such_message", session: session)
        guard case .failure(let error) = extended else { throw Odd() }
        #expect(error.parameters.first == "host.call_extension")

        // The password is nowhere to be read.
        let record = try await host.call("user.get_record", [.string(user)], session: root).get()
        #expect(record["other_config"] == .map(["room": .string("12")]))
        #expect(record["fullname"] == .string("alice the tester"))
        #expect(!"\(record)".contains("sesame"))
        #expect(await host.login("alice", "wrong").failureCode == "SESSION_AUTHENTICATION_FAILED")
        #expect(await host.login("alice", "").failureCode == "SESSION_AUTHENTICATION_FAILED")

        // A new password ends what was begun with the old one.
        let change: [WireValue] = [.string(user), "password", "new one"]
        #expect(await host.call("user.add_to_other_config", change, session: root) == .success(.void))
        #expect(await host.call("VDI.get_all", session: session) == .failure(APIError("SESSION_INVALID", session)))
        #expect(await host.login("alice", "open sesame").failureCode == "SESSION_AUTHENTICATION_FAILED")
        let second = try await host.login("alice", "new one").get()
        let config = WireValue.structure([WireMember("password", "third"), WireMember("k", "v")])
        #expect(await host.call("user.set_other_config", [.string(user), config], session: root) == .success(.void))
        #expect(await host.call("VDI.get_all", session: second) == .failure(APIError("SESSION_INVALID", second)))
        #expect(
            await host.call("user.get_other_config", [.string(user)], session: root)
                == .success(.map(["k": .string("v")])))

        // Without a subject, without a role, without an account: no entry.
        let role = try await host.role("vm-operator", session: root)
        let weak = try await host.role("read-only", session: root)
        let third = try await host.login("alice", "third").get()
        for ref in [role, weak] {
            _ = try await host.call("subject.remove_from_roles", [.string(subject), .string(ref)], session: root).get()
        }
        #expect(await host.call("VDI.get_all", session: third) == .failure(APIError("SESSION_INVALID", third)))
        #expect(await host.login("alice", "third").failureCode == "SESSION_AUTHORIZATION_FAILED")
        _ = try await host.call("subject.destroy", [.string(subject)], session: root).get()
        #expect(await host.login("alice", "third").failureCode == "SESSION_AUTHORIZATION_FAILED")
        _ = try await host.call("user.remove_from_other_config", [.string(user), "password"], session: root).get()
        #expect(await host.login("alice", "third").failureCode == "SESSION_AUTHENTICATION_FAILED")
        _ = try await host.call("user.destroy", [.string(user)], session: root).get()
        #expect(await host.login("alice", "third").failureCode == "SESSION_AUTHENTICATION_FAILED")
        #expect(host.database.read { $0.privateRecords(kind: "credentials").count } == 1)
    }

    @Test func mistakesAboutUsersAndSubjectsHaveTheirExactErrors() async throws {
        let host = try await TestHost()
        let root = try await host.login()
        let (_, subject) = try await host.person("bob", password: "b", roles: ["pool-operator"])
        let operatorRole = try await host.role("pool-operator", session: root)
        let leaf = try await host.role("vdi.destroy", session: root)
        let inner = try await host.role("client-cert", session: root)
        func record(_ members: [(String, String)]) -> WireValue {
            .structure(members.map { WireMember($0.0, .string($0.1)) })
        }
        let long = String(repeating: "x", count: 512)
        let cases: [(String, [WireValue], String)] = [
            ("subject.create", [record([("subject_identifier", "bob")])], "SUBJECT_ALREADY_EXISTS"),
            ("subject.create", [record([("subject_identifier", "")])], "INVALID_VALUE"),
            ("subject.create", [record([("subject_identifier", "root")])], "INVALID_VALUE"),
            ("subject.add_to_roles", [.string(subject), .string(operatorRole)], "ROLE_ALREADY_EXISTS"),
            ("subject.add_to_roles", [.string(subject), .string(leaf)], "ROLE_NOT_FOUND"),
            ("subject.add_to_roles", [.string(subject), .string(inner)], "ROLE_NOT_FOUND"),
            ("subject.add_to_roles", ["OpaqueRef:x", .string(operatorRole)], "HANDLE_INVALID"),
            ("subject.remove_from_roles", [.string(subject), "OpaqueRef:x"], "ROLE_NOT_FOUND"),
            ("user.create", [record([("short_name", "bob"), ("fullname", "")])], "DB_UNIQUENESS_CONSTRAINT_VIOLATION"),
            ("user.create", [record([("short_name", "root"), ("fullname", "")])], "INVALID_VALUE"),
            ("user.create", [record([("short_name", "a b"), ("fullname", "")])], "INVALID_VALUE"),
            ("user.create", [record([("short_name", long), ("fullname", "")])], "INVALID_VALUE"),
            ("user.destroy", ["OpaqueRef:x"], "HANDLE_INVALID"),
            ("user.add_to_other_config", ["OpaqueRef:x", "password", "p"], "HANDLE_INVALID"),
            ("session.change_password", ["wrong", "p"], "CHANGE_PASSWORD_REJECTED"),
            ("session.change_password", [.string(host.password), ""], "CHANGE_PASSWORD_REJECTED"),
            ("session.change_password", [.string(host.password), .string(long)], "CHANGE_PASSWORD_REJECTED"),
        ]
        for (method, params, code) in cases {
            #expect(await host.call(method, params, session: root).failureCode == code, "\(method) \(code)")
        }
        #expect(await host.login("root", host.password).failureCode == nil)
        for method in ["session.slave_login", "session.slave_local_login"] {
            let params: [WireValue] = method == "session.slave_login" ? ["OpaqueRef:h", "s"] : ["s"]
            #expect(await host.call(method, params, session: nil).failureCode == "SESSION_AUTHENTICATION_FAILED")
        }
        let emergency = "session.slave_local_login_with_password"
        #expect(await host.call(emergency, ["bob", "b"], session: nil).failureCode == "SESSION_AUTHENTICATION_FAILED")
        let local = try await host.call(emergency, ["root", .string(host.password)], session: nil).get()
        guard case .ref(let session) = local else { throw Odd() }
        #expect(await host.call("session.local_logout", session: session) == .success(.void))
    }

    @Test func sessionsOfASubjectAreListedAndEnded() async throws {
        let host = try await TestHost()
        let root = try await host.login()
        for name in ["carol", "dave"] { try await host.person(name, password: name, roles: ["pool-operator"]) }
        let carol = try await host.login("carol", "carol").get()
        let second = try await host.login("carol", "carol").get()
        let dave = try await host.login("dave", "dave").get()
        #expect(
            await host.call("session.get_all_subject_identifiers", session: root)
                == .success(.set([.string("carol"), .string("dave")])))
        // One's own session stays.
        _ = try await host.call("session.logout_subject_identifier", ["carol"], session: carol).get()
        #expect(await host.call("VDI.get_all", session: carol).failureCode == nil)
        #expect(await host.call("VDI.get_all", session: second).failureCode == "SESSION_INVALID")
        _ = try await host.call("session.logout_subject_identifier", ["carol"], session: dave).get()
        #expect(await host.call("VDI.get_all", session: carol).failureCode == "SESSION_INVALID")
        #expect(
            await host.call("session.change_password", ["x", "y"], session: dave).failureCode
                == "RBAC_PERMISSION_DENIED")
    }

    @Test func usersAndTheirRolesSurviveARestartAndNobodyGainsOne() async throws {
        let folder = try ScratchFolder("again")
        func open() async throws -> (PoolDatabase, Dispatcher) {
            let database = try await PoolDatabase.open(path: folder.file("pool.db"))
            let identity = try await HostBootstrap.run(database: database, stateDirectory: folder.path)
            return (database, Dispatcher(database: database, host: identity.host, loginFailureDelay: .zero))
        }
        func login(_ name: String, _ dispatcher: Dispatcher, isLocal: Bool = false) async -> Result<APIValue, APIError>
        {
            await dispatcher.call(
                method: "session.login_with_password", params: [.string(name), .string("pw of \(name)")],
                client: ClientInfo(isLocalSocket: isLocal))
        }
        var (database, dispatcher) = try await open()
        let root = try await login("root", dispatcher, isLocal: true).get().wire
        for (name, role) in [("pia", "vm-admin"), ("quinn", nil)] as [(String, String?)] {
            let user = WireValue.structure([
                WireMember("short_name", .string(name)), WireMember("fullname", ""),
                WireMember("other_config", .structure([WireMember("password", .string("pw of \(name)"))])),
            ])
            _ = try await dispatcher.call(method: "user.create", params: [root, user]).get()
            let subject = WireValue.structure([WireMember("subject_identifier", .string(name))])
            let made = try await dispatcher.call(method: "subject.create", params: [root, subject]).get()
            guard let role, let entry = BasicRole(rawValue: role) else { continue }
            let found = await dispatcher.call(
                method: "role.get_by_name_label", params: [root, .string(entry.rawValue)])
            guard case .set(let refs) = try found.get(), let ref = refs.first else { throw Odd() }
            let given = await dispatcher.call(method: "subject.add_to_roles", params: [root, made.wire, ref.wire])
            _ = try given.get()
        }
        for _ in 1...2 {
            #expect(await login("quinn", dispatcher).failureCode == "SESSION_AUTHORIZATION_FAILED")
            let session = try await login("pia", dispatcher).get().wire
            let allowed = await dispatcher.call(method: "VDI.forget", params: [session, "OpaqueRef:x"])
            #expect(allowed.failureCode == "NOT_IMPLEMENTED")
            let denied = await dispatcher.call(method: "SR.forget", params: [session, "OpaqueRef:x"])
            #expect(denied.failureCode == "RBAC_PERMISSION_DENIED")
            try await database.close()
            (database, dispatcher) = try await open()
        }
        try await database.close()
    }

    @Test func aUsersOldestSessionMakesRoomWhateverTheOriginator() async throws {
        let host = try await TestHost()
        try await host.person("erin", password: "e", roles: ["read-only"])
        let first = try await host.login("erin", "e").get()
        let root = try await host.login()
        try await host.database.transaction { transaction in
            for index in 0..<499 {
                transaction.insert(Session.self, ref: Ref("OpaqueRef:filler-\(index)")) { row in
                    row[Session.authUserName] = "erin"
                    row[Session.originator] = "program \(index)"
                    row[Session.lastActive] = APIDate(seconds: Int64(Date().timeIntervalSince1970) - 10)
                }
            }
            try transaction.set(
                Ref<Session>(first), Session.lastActive, APIDate(seconds: Int64(Date().timeIntervalSince1970) - 100))
        }
        _ = try await host.login("erin", "e", originator: "another").get()
        #expect(await host.call("VDI.get_all", session: first).failureCode == "SESSION_INVALID")
        #expect(host.database.read { $0.count(className: "session") } == 502)
        #expect(await host.call("VDI.get_all", session: root).failureCode == nil)
    }

    /// For each role and each message, the decision is the declaration's.
    @Test func everyRoleMayCallExactlyWhatTheDatamodelSays() async throws {
        let host = try await TestHost()
        let strong = try await host.login()
        var decided = 0
        for role in BasicRole.allCases {
            try await host.person("u-\(role.rawValue)", password: "p", roles: [role.rawValue])
            var session = try await host.login("u-\(role.rawValue)", "p").get()
            for message in model.messages where message.needsSession && !message.isPoolInternal {
                guard message.state != .removed, !Self.waiting.contains(message.wireName)
                else { continue }
                // Arguments of the right number and mostly of the wrong type: nothing comes of the call.
                let params = [WireValue](repeating: .string("OpaqueRef:none"), count: message.requiredParameterCount)
                let outcome = await host.call(message.wireName, params, session: session)
                let isDenied = outcome.failureCode == "RBAC_PERMISSION_DENIED"
                if isDenied != !message.role.permits(role) { Issue.record("\(role) \(message.wireName): \(outcome)") }
                if isDenied, case .failure(let error) = outcome {
                    #expect(error.parameters.first == message.wireName.lowercased())
                }
                for (key, needed) in message.mapKeyRoles {
                    let entry = key.replacing("*", with: "any")
                    let params: [WireValue] = ["OpaqueRef:none", .string(entry)] + (params.count > 2 ? ["v"] : [])
                    let outcome = await host.call(message.wireName, params, session: session)
                    let isDenied = outcome.failureCode == "RBAC_PERMISSION_DENIED"
                    #expect(isDenied == !(role >= needed), "\(role) \(message.wireName) \(key)")
                    if isDenied, case .failure(let error) = outcome {
                        #expect(error.parameters.first == "\(message.wireName)/key:\(key)".lowercased())
                    }
                }
                decided += 1
                if message.name == "logout" || message.name == "local_logout" {
                    session = try await host.login("u-\(role.rawValue)", "p").get()
                }
            }
            for handler in model.httpHandlers {
                let isAdmitted =
                    (try? await host.dispatcher.admit(Ref<Session>(session), toPath: handler.name)) != nil
                #expect(isAdmitted == handler.role.permits(role), "\(role) \(handler.name)")
            }
        }
        #expect(decided > 6 * 2000)
        // The superuser is asked nothing.
        for name in ["VM.hard_reboot_internal", "session.change_password", "VDI.db_forget"] {
            let message = try #require(model.message(name))
            let params = [WireValue](repeating: .string("OpaqueRef:none"), count: message.requiredParameterCount)
            #expect(await host.call(name, params, session: strong).failureCode != "RBAC_PERMISSION_DENIED")
        }
    }

    /// They answer when something happens.
    private static let waiting: Set<String> = ["event.next", "event.from"]

    @Test func aWrongPasswordKeepsNobodyWaiting() async throws {
        let host = try await TestHost(loginFailureDelay: .seconds(86400))
        let wrong = Task { await host.login("root", "wrong") }
        let unknown = Task { await host.login("nobody", "wrong") }
        let session = try await host.login()
        #expect(await host.call("pool.get_all", session: session).failureCode == nil)
        wrong.cancel()
        unknown.cancel()
        #expect(await wrong.value.failureCode == "SESSION_AUTHENTICATION_FAILED")
        #expect(await unknown.value.failureCode == "SESSION_AUTHENTICATION_FAILED")
    }

    /// Also where looking at the credentials costs nothing, nobody can try more of them than the pause lets through.
    @Test func attemptsUnderWayAreBounded() async throws {
        let host = try await TestHost(loginFailureDelay: .seconds(86400))
        await withTaskGroup(of: String?.self) { group in
            for _ in 0..<520 {
                group.addTask { await host.call("session.slave_local_login", ["x"], session: nil).failureCode }
            }
            // Those that are let in wait for tomorrow.
            for _ in 0..<8 { #expect(await group.next() == .some("TOO_BUSY")) }
            group.cancelAll()
            for await code in group { #expect(code == "SESSION_AUTHENTICATION_FAILED") }
        }
        // To hang up does not give a try back.
        #expect(await host.login("root", host.password).failureCode == "TOO_BUSY")
        let local = await host.dispatcher.call(
            method: "session.login_with_password", params: ["root", ""], client: ClientInfo(isLocalSocket: true))
        #expect(local.failureCode == nil)
    }

    @Test func aFloodOfLogInsIsRefusedAndHarmsNobody() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let codes = await withTaskGroup(of: String?.self) { group in
            for index in 0..<120 { group.addTask { await host.login("u\(index)", "wrong").failureCode } }
            #expect(await host.call("pool.get_all", session: session).failureCode == nil)
            return await group.reduce(into: [String: Int]()) { $0[$1 ?? "none", default: 0] += 1 }
        }
        #expect(Set(codes.keys).isSubset(of: ["SESSION_AUTHENTICATION_FAILED", "TOO_BUSY"]))
        #expect(codes["SESSION_AUTHENTICATION_FAILED", default: 0] > 0)
        #expect(await host.login("root", host.password).failureCode == nil)
    }

    @Test func theSystemsAccountsLogInThroughPAMWhenItIsConfigured() async throws {
        let folder = try ScratchFolder("pam")
        try """
        #!/bin/sh
        [ "$PAM_USER" = frank ] && [ "$(tr -d '\\000')" = "pä ss" ]
        """.write(toFile: folder.file("check"), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("check"))
        try """
        auth required pam_exec.so expose_authtok quiet \(folder.file("check"))
        account required pam_permit.so
        """.write(toFile: folder.file("gantry-test"), atomically: true, encoding: .utf8)
        let host = try await TestHost(pam: PAMService(name: "gantry-test", folder: folder.path))
        let root = try await host.login()
        #expect(await host.login("frank", "pä ss").failureCode == "SESSION_AUTHORIZATION_FAILED")
        _ = try await host.subject("frank", roles: ["vm-admin"], session: root)
        let session = try await host.login("frank", "pä ss").get()
        #expect(
            await host.call("VDI.destroy", ["OpaqueRef:x"], session: session).failureCode != "RBAC_PERMISSION_DENIED")
        #expect(await host.call("host.get_log", ["OpaqueRef:x"], session: session).failureCode != nil)
        for (user, password) in [("frank", "wrong"), ("frank", ""), ("grace", "pä ss"), ("frank", "pä\0ss"), ("", "")] {
            #expect(await host.login(user, password).failureCode == "SESSION_AUTHENTICATION_FAILED", "\(user)")
        }
        // The pool's own user of a name goes before the system's.
        try await host.person("grace", password: "own", roles: ["read-only"])
        #expect(await host.login("grace", "own").failureCode == nil)
        let missing = try await TestHost(pam: PAMService(name: "no-such-service", folder: folder.path))
        #expect(await missing.login("frank", "pä ss").failureCode == "SESSION_AUTHENTICATION_FAILED")
    }

    /// The machine's accounts are found where they may log in, and nowhere else; the superuser is nobody's subject.
    @Test func theSystemsAccountsAreFoundWhereTheyMayLogIn() async throws {
        let host = try await TestHost(pam: PAMService(name: "no-such-service"))
        let session = try await host.login()
        let (name, about) = ("auth.get_subject_identifier", "auth.get_subject_information_from_identifier")
        #expect(await host.call(name, ["daemon"], session: session) == .success(.string("daemon")))
        let known = try await host.call(about, ["daemon"], session: session).get()
        guard case .map(let entries) = known else { throw APIError.internalError("\(known) is no map") }
        #expect(entries["subject-name"] == .string("daemon"))
        for other in ["root", "", "no such account", "dae\0mon"] {
            let code = await host.call(name, [.string(other)], session: session).failureCode
            #expect(code == "SUBJECT_CANNOT_BE_RESOLVED", "\(other)")
        }
        let closed = try await TestHost()
        let other = try await closed.login()
        #expect(await closed.call(name, ["daemon"], session: other).failureCode == "SUBJECT_CANNOT_BE_RESOLVED")
    }
}

extension Result where Failure == APIError {
    /// The error's code; nil for success.
    var failureCode: String? {
        guard case .failure(let error) = self else { return nil }
        return error.code
    }
}
