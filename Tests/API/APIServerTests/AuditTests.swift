import APIServer
import APITypes
import Foundation
import Logging
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@Suite struct AuditTests {
    private static func lines(_ log: AuditLog) throws -> [[String: Any]] {
        try log.files.flatMap { path in
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                return try #require(object as? [String: Any])
            }
        }
    }

    private static func find(_ lines: [[String: Any]], _ call: String) throws -> [String: Any] {
        try #require(lines.last { $0["call"] as? String == call }, "\(call)")
    }

    @Test func whatIsChangedIsWrittenDownWithWhoAndHowItEnded() async throws {
        let folder = try ScratchFolder("audit")
        let log = try AuditLog(path: folder.file("audit.log"), logger: Logger(label: "test"))
        let host = try await TestHost(audit: log)
        try await host.person("heidi", password: "top secret", roles: ["vm-operator"])
        let root = try await host.login()
        let session = try await host.login("heidi", "top secret").get()
        let own = WireValue.string(host.identity.host.opaque)
        for method in ["pool.get_all", "VDI.get_all_records", "role.get_all"] {
            _ = try await host.call(method, session: session).get()
        }
        _ = await host.call("event.from", [.array([]), "", .double(0)], session: session)
        _ = await host.call("host.get_name_label", [own], session: session)
        _ = await host.call("host.set_name_label", [own, "näme \"1\"\n"], session: root)
        _ = await host.call("host.set_name_label", [own, "denied"], session: session)
        _ = await host.call("VDI.forget", ["OpaqueRef:gone"], session: root)
        _ = await host.call("VM.start", ["OpaqueRef:gone", .bool(false), .bool(false)], session: root)
        _ = await host.call("VDI.set_name_label", ["OpaqueRef:gone", .array([])], session: root)
        _ = await host.login("heidi", "bad secret")
        _ = await host.call("session.change_password", ["bad secret", "top secret"], session: root)
        let started = try await host.call(
            "Async.VDI.pool_migrate", ["OpaqueRef:v", "OpaqueRef:s", .structure([])], session: root
        )
        .get()
        guard case .ref(let task) = started else { throw APIError("no task") }
        #expect(try Self.lines(log).allSatisfy { $0["call"] as? String != "Async.VDI.pool_migrate" })
        host.gate.open()
        while host.database.read({ $0.row(Ref<XenTask>(task))?[XenTask.status] }) == .pending { await Task.yield() }

        let lines = try Self.lines(log)
        let calls = Set(lines.compactMap { $0["call"] as? String })
        #expect(
            calls == [
                "user.create", "subject.create", "subject.add_to_roles", "session.login_with_password",
                "host.set_name_label", "VDI.forget", "VM.start", "VDI.set_name_label", "session.change_password",
                "Async.VDI.pool_migrate",
            ])
        let named = lines.filter { $0["call"] as? String == "host.set_name_label" }
        #expect(named.map { $0["result"] as? String } == ["ok", "denied"])
        #expect(named.map { $0["user"] as? String } == ["root", "heidi"])
        #expect(named.map { $0["role"] as? String } == ["superuser", "vm-operator"])
        let object = try #require((named[0]["objects"] as? [[String: String]])?.first)
        #expect(object["class"] == "host" && object["ref"] == host.identity.host.opaque)
        #expect(object["uuid"] == host.database.read { $0.row(host.identity.host)?.uuid })
        let forgotten = try Self.find(lines, "VDI.forget")
        #expect(forgotten["error"] as? [String] == ["VDI_IN_USE", "OpaqueRef:gone", "forget"])
        #expect(try Self.find(lines, "VM.start")["error"] as? [String] == ["NOT_IMPLEMENTED", "VM.start"])
        let failed = try Self.find(lines, "session.login_with_password")
        #expect(failed["user"] as? String == "heidi" && failed["result"] as? String == "failed")
        let moved = try Self.find(lines, "Async.VDI.pool_migrate")
        #expect(moved["task"] as? String == task && moved["result"] as? String == "ok")
        // No password and no session, not even in the errors.
        let text = try String(contentsOfFile: log.path, encoding: .utf8)
        for secret in ["top secret", "bad secret", session, root, host.password] { #expect(!text.contains(secret)) }
        #expect(Set(lines.compactMap { $0["session"] as? String }).count == 4)
    }

    @Test func blobsThatArePutAndConsolesThatAreOpenedAreWrittenDown() async throws {
        let folder = try ScratchFolder("aud")
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let toolstack = try await Toolstack.start(
            configuration: ToolstackConfiguration(
                stateDirectory: folder.file("s"), runDirectory: folder.file("r"), acceleration: "tcg", logger: logger))
        let service = try await APIService.start(
            dispatcher: toolstack.dispatcher, transfers: toolstack.transfers, services: toolstack.services,
            on: APIListeners(http: HTTPAddress(host: "127.0.0.1", port: 0)), logger: logger)
        let session = try await toolstack.dispatcher.sessions.login(
            user: "root", password: "", originator: "", client: ClientInfo(isLocalSocket: true)
        ).opaque
        let (blob, vm) = (Ref<Blob>.new(), Ref<VM>.new())
        try await toolstack.database.transaction { tx in
            tx.insert(Blob.self, ref: blob) { row in
                row[Blob.nameLabel] = "picture"
                row[Blob.mimeType] = "text/plain"
            }
            tx.insert(VM.self, ref: vm) { $0[VM.nameLabel] = "guest" }
        }
        let url = try #require(service.httpURL)
        func status(_ arguments: String...) async throws -> String {
            try await Clients.run("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}"] + arguments)
        }
        let own = "session_id=\(session)"
        #expect(try await status("-X", "PUT", "-d", "x", "\(url)/blob?ref=\(blob.opaque)&\(own)") == "200")
        #expect(try await status("-X", "PUT", "-d", "x", "\(url)/blob?uuid=none&\(own)") == "404")
        // Halted: there is no console to be had.
        #expect(try await status("-X", "CONNECT", "\(url)/console?ref=\(vm.opaque)&\(own)") == "400")
        #expect(try await status("\(url)/console?ref=\(vm.opaque)&\(own)") == "426")
        await service.stop(patience: .zero)
        await toolstack.stop()
        let lines = try Self.lines(try AuditLog(path: folder.file("s/audit.log"), logger: logger))
        func told(_ call: String) -> [String] {
            lines.filter { $0["call"] as? String == call }.map { line in
                let object = (line["objects"] as? [[String: String]])?.first ?? [:]
                return "\(line["user"] ?? "") \(object["name"] ?? object["uuid"] ?? "") \(line["result"] ?? "")"
            }
        }
        #expect(told("http/put_blob") == ["root picture ok", "root none failed"])
        #expect(told("http/connect_console") == ["root guest failed"])
        #expect(told("http/connect_console_ws") == ["root guest failed"])
    }

    @Test func aFullFileIsPutAsideAndTheOldestGoes() async throws {
        let folder = try ScratchFolder("audit")
        let log = try AuditLog(path: folder.file("audit.log"), limit: 1500, kept: 3, logger: Logger(label: "test"))
        let host = try await TestHost(audit: log)
        let root = try await host.login()
        let own = WireValue.string(host.identity.host.opaque)
        for index in 0..<40 {
            _ = try await host.call("host.set_name_label", [own, .string("n\(index)")], session: root).get()
        }
        #expect(
            log.files.map { URL(fileURLWithPath: $0).lastPathComponent } == (1...3).reversed().map { "audit.log.\($0)" }
                + ["audit.log"])
        for path in log.files {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.size] as? Int ?? 0 <= 1500)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        // All lines are whole, in order, and the latest is the last.
        let lines = try Self.lines(log)
        let times = lines.compactMap { $0["time"] as? String }
        #expect(times == times.sorted() && lines.count > 8)
        #expect((lines.last?["objects"] as? [[String: String]])?.first?["name"] == "n38")
        // Another daemon goes on in the same file.
        let next = try AuditLog(path: folder.file("audit.log"), limit: 1500, kept: 3, logger: Logger(label: "test"))
        #expect(try Self.lines(next).count == lines.count)
    }

    @Test func callsGoOnWhenTheLogCannotBeWritten() async throws {
        // A device that is always full.
        let log = try AuditLog(path: "/dev/full", logger: Logger(label: "test"))
        let host = try await TestHost(audit: log)
        let root = try await host.login()
        let own = WireValue.string(host.identity.host.opaque)
        #expect(await host.call("host.set_name_label", [own, "x"], session: root) == .success(.void))
        #expect(throws: (any Error).self) {
            _ = try AuditLog(path: "/nonexistent/audit.log", logger: Logger(label: "test"))
        }
    }
}
