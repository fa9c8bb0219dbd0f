import APIServer
import APITypes
import Foundation
import Logging
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

/// Rights as they show over HTTP, and the command line that gives them.
@Suite struct AccessServerTests {
    private static func status(_ arguments: [String]) async throws -> String {
        try await Clients.run("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}"] + arguments)
    }

    @Test func pathsNeedTheirPermissionToo() async throws {
        let folder = try ScratchFolder("access")
        let log = try AuditLog(path: folder.file("audit.log"), logger: Logger(label: "test"))
        let host = try await TestHost(audit: log)
        let service = try await host.serve()
        let url = try #require(service.httpURL)
        try await host.person("ina", password: "i", roles: ["vm-operator"])
        try await host.person("jo", password: "j", roles: ["vm-admin"])
        try Data("content".utf8).write(to: URL(fileURLWithPath: folder.file("disk")))
        let target = "\(url)/import_raw_vdi?vdi=disk"
        let upload = ["-T", folder.file("disk"), "-H", "Expect:"]
        #expect(try await Self.status(upload + ["-u", "ina:i", target]) == "403")
        #expect(host.disks["disk"] == nil)
        #expect(try await Self.status(upload + ["-u", "jo:j", target]) == "200")
        #expect(host.disks["disk"] == Array("content".utf8))
        #expect(try await Self.status(upload + ["-u", "jo:wrong", target]) == "401")
        let session = try await host.login("ina", "i").get()
        #expect(try await Self.status(upload + ["\(target)&session_id=\(session)"]) == "403")
        #expect(try await Self.status(["\(url)/export_raw_vdi?vdi=disk&session_id=\(session)"]) == "403")
        // A task that the client waits for learns of it.
        guard case .ref(let task) = try await host.call("task.create", ["t", ""], session: session).get() else {
            throw APIError("no task")
        }
        #expect(try await Self.status(upload + ["\(target)&session_id=\(session)&task_id=\(task)"]) == "403")
        let error = try await host.call("task.get_error_info", [.string(task)], session: session).get()
        guard case .set(let words) = error else { throw APIError("no error") }
        #expect(words.prefix(2) == [.string("RBAC_PERMISSION_DENIED"), .string("http/put_import_raw_vdi")])

        // The log says all that; whoever has a session may read it.
        let text = try await Clients.run("curl", ["-s", "\(url)/audit_log?session_id=\(session)"])
        let lines = text.split(separator: "\n")
        #expect(lines.contains { $0.contains("http/put_import_raw_vdi") && $0.contains(#""result":"denied""#) })
        #expect(lines.contains { $0.contains("http/put_import_raw_vdi") && $0.contains(#""result":"ok""#) })
        #expect(lines.contains { $0.contains("http/get_export_raw_vdi") && $0.contains("\"ina\"") })
        #expect(try await Self.status(["\(url)/audit_log"]) == "401")
        #expect(try await Self.status(["\(url)/audit_log?since=soon&session_id=\(session)"]) == "400")
        let later = "\(url)/audit_log?since=29991231T00:00:00Z&session_id=\(session)"
        #expect(try await Clients.run("curl", ["-s", later]) == "")
        let all = "\(url)/audit_log?since=19700101T00:00:00Z&session_id=\(session)"
        #expect(try await Clients.run("curl", ["-s", all]).hasPrefix(text))
        await service.stop()
    }

    @Test func usersAreAddedAndChangedOnTheHost() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let socket = try #require(service.socketPath)
        let folder = try ScratchFolder("users")
        func user(_ words: [String]) async throws -> Tool.Outcome {
            try await Clients.outcome("gantry", ["host", "user"] + words + ["--socket", socket])
        }
        func secret(_ text: String) throws -> String {
            try "\(text)\nmore".write(toFile: folder.file("secret"), atomically: true, encoding: .utf8)
            return folder.file("secret")
        }
        let add = ["add", "kim", "--role", "vm-operator", "--full-name", "Kim K.", "--password-file"]
        #expect(try await user(add + [secret("first")]).status == 0)
        #expect(try await user(["list"]).output == "kim\tvm-operator\tKim K.\n")
        let session = try await host.login("kim", "first").get()
        #expect(
            await host.call("VM.destroy", ["OpaqueRef:x"], session: session).failureCode == "RBAC_PERMISSION_DENIED")
        #expect(try await user(["role", "kim", "pool-admin"]).status == 0)
        #expect(await host.call("VDI.get_all", session: session).failureCode == "SESSION_INVALID")
        #expect(try await user(["password", "kim", "--password-file", secret("second")]).status == 0)
        #expect(await host.login("kim", "first").failureCode == "SESSION_AUTHENTICATION_FAILED")
        let strong = try await host.login("kim", "second").get()
        #expect(await host.call("subject.destroy", ["OpaqueRef:x"], session: strong).failureCode == "HANDLE_INVALID")
        // Mistakes say what they are, and leave nothing behind.
        let again = try await user(add + [secret("x")])
        #expect(again.status == 1 && again.errors.contains("DB_UNIQUENESS_CONSTRAINT_VIOLATION"))
        let odd = try await user(["add", "lee", "--role", "vdi.destroy", "--password-file", secret("x")])
        #expect(odd.status == 2 && odd.errors.contains("there is no role vdi.destroy"))
        let empty = try await user(["add", "lee", "--role", "read-only", "--password-file", secret("")])
        #expect(empty.status == 1 && empty.errors.contains("CHANGE_PASSWORD_REJECTED"))
        #expect(try await user(["remove", "lee"]).status == 1)
        #expect(try await user(["list"]).output == "kim\tpool-admin\tKim K.\n")
        #expect(try await user(["remove", "kim"]).status == 0)
        #expect(try await user(["list"]).output == "")
        #expect(await host.login("kim", "second").failureCode == "SESSION_AUTHENTICATION_FAILED")
        #expect(host.database.read { $0.count(className: "user") + $0.count(className: "subject") } == 0)
        await service.stop()
        #expect(try await user(["list"]).errors.contains("cannot connect"))
    }
}
