import APIServer
import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@Suite struct TransferServerTests {
    private func finished(_ host: TestHost, _ task: Ref<XenTask>) async throws -> Row {
        while true {
            let (row, generation) = host.database.read { ($0.row(task), $0.generation) }
            let found = try #require(row)
            if found[XenTask.status] != .pending { return found }
            await host.database.waitForChange(after: generation, timeout: .seconds(60))
        }
    }

    private func latestTask(_ host: TestHost) throws -> Ref<XenTask> {
        try #require(host.database.read { $0.rows(XenTask.self).last?.typedRef(XenTask.self) })
    }

    @Test func disksGoInAndOutUnchanged() async throws {
        var random = SeededRandom.printed()
        let host = try await TestHost()
        let service = try await host.serve()
        let url = try #require(service.httpURL)
        let session = try await host.login()
        let content = random.bytes(3_000_000 + Int(random.next() % 1_000_000))
        let file = host.folder.file("disk.raw")
        try Data(content).write(to: URL(fileURLWithPath: file))
        // Every way to say who asks; curl waits for 100-continue with a body of this size.
        let ways: [([String], String)] = [
            ([], "&session_id=\(session)"), (["-b", "session_id=\(session)"], ""),
            (["-u", "root:\(host.password)"], ""), (["-0", "-u", "root:\(host.password)"], ""),
            (["--unix-socket", service.socketPath ?? ""], ""),
        ]
        for (index, (arguments, query)) in ways.enumerated() {
            let name = "disk\(index)"
            let head = try await Clients.run(
                "curl",
                ["-s", "-S", "-i", "-T", file] + arguments + ["\(url)/import_raw_vdi?vdi=\(name)&format=RAW" + query])
            #expect(head.contains(" 200 OK") && head.lowercased().contains("connection: close"), "\(head)")
            let task = try latestTask(host)
            #expect(head.contains("task-id: \(task.opaque)"))
            // The response ends when the import does.
            let row = try #require(host.database.read { $0.row(task) })
            #expect(row[XenTask.status] == .success && row[XenTask.result] == "<value>\(name)</value>")
            #expect(host.disks[name] == content)
            let copy = host.folder.file("copy\(index)")
            let fields = try await Clients.run(
                "curl", ["-s", "-S", "-D", "-", "-o", copy] + arguments + ["\(url)/export_raw_vdi?vdi=\(name)" + query])
            #expect(fields.contains("filename=\"\(name).raw\"") && fields.contains("application/octet-stream"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == Data(content))
        }
        // Sessions made for one request are gone; ours is not.
        #expect(host.database.read { $0.rows(Session.self).map(\.ref) } == [session])
        await service.stop()
    }

    @Test func theStatusComesBeforeTheBodyIsSent() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let session = try await host.login()
        guard case .ref(let task) = try await host.call("task.create", ["import", ""], session: session).get() else {
            throw APIError("no task")
        }
        let script = """
            import socket, struct, sys
            host, port = sys.argv[1].split("//")[1].split(":")
            frames = (struct.pack("<QI", 0, 4) + b"abcd" + struct.pack("<QI", 10, 2) + b"ef" + struct.pack("<QI", 0, 0))
            s = socket.create_connection((host, int(port)))
            s.sendall(("PUT /import_raw_vdi?vdi=disk&chunked=true&session_id=%s&task_id=%s HTTP/1.0\\r\\n"
                "Content-Length: %d\\r\\n\\r\\n" % (sys.argv[2], sys.argv[3], len(frames))).encode())
            reply = b""
            while b"\\r\\n\\r\\n" not in reply: reply += s.recv(1000)
            assert reply.startswith(b"HTTP/1.0 200 OK\\r\\n"), reply
            assert b"task-id: " + sys.argv[3].encode() in reply, reply
            for byte in frames: s.sendall(bytes([byte]))
            assert s.recv(1000) == b""
            print("done")
            """
        #expect(try await Clients.python(script, [try #require(service.httpURL), session, task]) == "done\n")
        let row = try await finished(host, Ref(task))
        #expect(row[XenTask.status] == .success && row[XenTask.nameLabel] == "import")
        // The disk's own process takes the frames apart.
        let frames: [UInt8] =
            [0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0] + Array("abcd".utf8) + [10, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]
        #expect(host.disks["disk"] == frames + Array("ef".utf8) + [UInt8](repeating: 0, count: 12))
        #expect(host.disks.framedImports == ["disk"])
        await service.stop()
    }

    @Test func aTransferIsDescribedByCookiesToo() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let url = try #require(service.httpURL)
        let session = try await host.login()
        func put(_ cookie: String, _ query: String) async throws -> String {
            try await Clients.run(
                "curl",
                [
                    "-s", "-i", "-X", "PUT", "-d", "x", "-b", cookie,
                    "\(url)/import_raw_vdi?session_id=\(session)\(query)",
                ])
        }
        #expect(try await put("vdi=a; chunked=true", "").hasPrefix("HTTP/1.1 200 "))
        #expect(try await put("vdi=b; format=vhd", "").hasPrefix("HTTP/1.1 200 "))
        // What the query says counts.
        #expect(try await put("vdi=a; chunked=true", "&vdi=c").hasPrefix("HTTP/1.1 200 "))
        #expect(try await put("chunked=true", "&vdi=d&format=vhd").hasPrefix("HTTP/1.1 404 "))
        #expect(try await put("chunked=true", "&sr_uuid=sr").hasPrefix("HTTP/1.1 400 "))
        #expect(host.disks.framedImports == ["a", "c"] && host.disks["b"] == [0x78] && host.disks["d"] == nil)
        await service.stop()
    }

    /// Query, arguments for curl, the status, and the task's error. An empty code: the task is not looked at.
    static let refusals: [(String, [String], Int, String)] = [
        ("import_raw_vdi?vdi=disk&format=vmdk", ["-X", "PUT", "-d", "x"], 404, "INTERNAL_ERROR"),
        ("import_raw_vdi?vdi=disk&format=tar", ["-X", "PUT", "-d", "x"], 404, "INTERNAL_ERROR"),
        ("export_raw_vdi?vdi=disk&format=tar", [], 404, "INTERNAL_ERROR"),
        ("import_raw_vdi?vdi=disk&format=vhd&chunked", ["-X", "PUT", "-d", "x"], 404, "INTERNAL_ERROR"),
        (
            "import_raw_vdi?vdi=disk", ["-X", "PUT", "-H", "Transfer-Encoding: chunked", "-d", "x"], 404,
            "INTERNAL_ERROR"
        ),
        ("import_raw_vdi?sr_id=sr&format=vhd", ["-X", "PUT", "-d", "x"], 400, "INTERNAL_ERROR"),
        ("import_raw_vdi?format=raw", ["-X", "PUT", "-d", "x"], 400, "VDI_MISSING"),
        ("import_raw_vdi?vdi=missing", ["-X", "PUT", "-d", "x"], 400, "HANDLE_INVALID"),
        ("export_raw_vdi?vdi=missing", [], 400, "HANDLE_INVALID"),
        ("export_raw_vdi?vdi=missing&format=iso", [], 404, "INTERNAL_ERROR"),
        ("export_raw_vdi?vdi=missing&task_id=OpaqueRef:none", [], 400, ""),
        ("import_raw_vdi?vdi=full", ["-X", "PUT", "-d", "x"], 200, "SR_FULL"),
    ]

    @Test func whatCannotBeTransferredSaysSoTwice() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let url = try #require(service.httpURL)
        let session = try await host.login()
        host.disks.breakDisk("full")
        for (query, arguments, status, code) in Self.refusals {
            let reply = try await Clients.run(
                "curl", ["-s", "-i"] + arguments + ["\(url)/\(query)&session_id=\(session)"])
            #expect(reply.hasPrefix("HTTP/1.1 \(status) "), "\(query): \(reply)")
            guard !code.isEmpty else { continue }
            let row = try await finished(host, try latestTask(host))
            #expect(row[XenTask.status] == .failure && row[XenTask.errorInfo].first == code, "\(query)")
            try await host.database.transaction { $0.delete(row.typedRef(XenTask.self)) }
        }
        #expect(host.disks.abortedImports == ["full"])
        // Whoever has not logged in does not change the task that is named.
        guard case .ref(let task) = try await host.call("task.create", ["export", ""], session: session).get() else {
            throw APIError("no task")
        }
        for stranger in ["", "&session_id=OpaqueRef:none"] {
            let reply = try await Clients.run(
                "curl", ["-s", "-i", "\(url)/export_raw_vdi?vdi=disk&task_id=\(task)\(stranger)"])
            #expect(reply.hasPrefix("HTTP/1.1 401 "))
        }
        let row = try #require(host.database.read { $0.row(Ref<XenTask>(task)) })
        #expect(row[XenTask.status] == .pending && row[XenTask.errorInfo] == [])
        await service.stop()
    }

    @Test func halfTransfersAreNotTakenForWholeOnes() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let url = try #require(service.httpURL)
        let session = try await host.login()
        let script = """
            import socket, sys
            host, port = sys.argv[1].split("//")[1].split(":")
            s = socket.create_connection((host, int(port)))
            s.sendall(("PUT /import_raw_vdi?vdi=disk&session_id=%s HTTP/1.1\\r\\nHost: a\\r\\n"
                "Content-Length: 1000\\r\\n\\r\\nhalf" % sys.argv[2]).encode())
            assert s.recv(1000).startswith(b"HTTP/1.1 200 OK")
            s.close()
            """
        _ = try await Clients.python(script, [url, session])
        let row = try await finished(host, try latestTask(host))
        #expect(row[XenTask.errorInfo] == ["IMPORT_ERROR_PREMATURE_EOF"])
        #expect(host.disks.abortedImports == ["disk"] && host.disks["disk"] == nil)

        host.disks["bad"] = [UInt8](repeating: 1, count: 1 << 20)
        host.disks.breakDisk("bad")
        let target = "\(url)/export_raw_vdi?vdi=bad&session_id=\(session)"
        let broken = try await Clients.outcome("curl", ["-s", "-o", "/dev/null", target])
        #expect(!broken.succeeded, "curl took half a disk for a whole one")
        #expect(try await finished(host, try latestTask(host))[XenTask.errorInfo].first == "VDI_IO_ERROR")
        await service.stop()
    }

    /// Nobody waits for the time that a silent client has.
    @Test(arguments: [true, false]) func aCancelledTransferEndsThoughItsClientIsSilent(isUpload: Bool) async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let session = try await host.login()
        guard case .ref(let task) = try await host.call("task.create", ["transfer", ""], session: session).get() else {
            throw APIError("no task")
        }
        let script = """
            import json, http.client, socket, sys, time
            url, session, task, upload = sys.argv[1:]
            host, port = url.split("//")[1].split(":")
            s = socket.create_connection((host, int(port)))
            if upload == "true":
                head = "PUT /import_raw_vdi?vdi=disk&session_id=%s&task_id=%s HTTP/1.1\\r\\nContent-Length: 1000\\r\\n\\r\\nx"
            else:
                head = "GET /export_raw_vdi?vdi=endless&session_id=%s&task_id=%s HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
            s.sendall((head % (session, task)).encode())
            assert s.recv(12) == b"HTTP/1.1 200"
            c = http.client.HTTPConnection(host, int(port))
            def call(method, *params):
                c.request("POST", "/jsonrpc", json.dumps(dict(method=method, params=[session, *params], id=1)))
                reply = json.load(c.getresponse())
                assert not reply["error"], reply
                return reply["result"]
            call("task.cancel", task)
            while call("task.get_status", task) == "pending": time.sleep(0.01)
            print(call("task.get_status", task))
            """
        let url = try #require(service.httpURL)
        let output = try await Clients.python(script, [url, session, task, String(isUpload)])
        #expect(output == "cancelled\n")
        if isUpload { #expect(host.disks.abortedImports == ["disk"]) }
        await service.stop()
    }

    @Test func slowReadersHoldTheSourceBack() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let session = try await host.login()
        let script = """
            import socket, sys, time
            host, port = sys.argv[1].split("//")[1].split(":")
            s = socket.create_connection((host, int(port)))
            s.sendall(("GET /export_raw_vdi?vdi=endless&session_id=%s HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
                % sys.argv[2]).encode())
            got = 0
            while got < 8 << 20:
                got += len(s.recv(65536))
                if got % (1 << 20) < 65536: time.sleep(0.01)
            s.close()
            """
        _ = try await Clients.python(script, [try #require(service.httpURL), session])
        let row = try await finished(host, try latestTask(host))
        #expect(row[XenTask.status] == .failure)
        #expect(host.disks.endlessBytes < 64 << 20, "the server read \(host.disks.endlessBytes) bytes ahead")
        await service.stop()
    }
}
