import APIServer
import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@Suite struct RPCServerTests {
    @Test func theUnmodifiedPythonSDKWorks() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        host.gate.open()
        let script = """
            import XenAPI, sys, time
            url, password, socket_path = sys.argv[1:]
            session = XenAPI.Session(url)
            try:
                session.login_with_password("root", "wrong", "1.0", "test")
                sys.exit("logged in with a wrong password")
            except XenAPI.Failure as failure:
                assert failure.details[:2] == ["SESSION_AUTHENTICATION_FAILED", "root"], failure.details
            session.login_with_password("root", password, "1.0", "test")
            x = session.xenapi
            assert session.API_version == "2.23", session.API_version
            pool = x.pool.get_all()[0]
            host = x.pool.get_master(pool)
            record = x.host.get_record(host)
            assert record["address"].count(".") == 3 and record["enabled"] is True, record
            assert x.host.get_API_version_major(host) == "2"
            assert list(record)[:3] == ["uuid", "name_label", "name_description"], list(record)[:3]
            assert x.session.get_is_local_superuser(session._session) is True
            size = 5 << 30
            disk = x.VDI.create({"name_label": "a <&> \\u00fc", "SR": "OpaqueRef:NULL", "virtual_size": str(size),
                "type": "user", "sharable": False, "read_only": False, "other_config": {},
                "sm_config": {"image-format": "qcow2"}})
            record = x.VDI.get_record(disk)
            assert record["virtual_size"] == str(size) and record["name_label"] == "a <&> \\u00fc", record
            assert record["snapshot_time"].value == "19700101T00:00:00Z", record["snapshot_time"]
            task = x.Async.VDI.pool_migrate(disk, "OpaqueRef:sr", {"dest-img-format": "vhd"})
            token = ""
            while x.task.get_status(task) == "pending":
                batch = getattr(x.event, "from")(["task"], token, 30.0)
                token = batch["token"]
                assert batch["valid_ref_counts"]["pool"] == 1, batch["valid_ref_counts"]
            assert x.task.get_result(task) == "<value>%s</value>" % disk, x.task.get_result(task)
            assert x.task.get_progress(task) == 1.0
            x.task.destroy(task)
            try:
                x.VDI.get_record("OpaqueRef:none")
                sys.exit("no failure")
            except XenAPI.Failure as failure:
                assert failure.details == ["HANDLE_INVALID", "VDI", "OpaqueRef:none"], failure.details
            # What the SDK's own xapi_local() does, at our path.
            local = XenAPI.Session("http://%s/" % socket_path.replace("/", "_"), transport=XenAPI.XenAPI.UDSTransport())
            local.login_with_password("root", "")
            assert local.xenapi.session.get_is_local_superuser(local._session) is True
            local.xenapi.session.logout()
            old = session._session
            x.session.logout()
            import xmlrpc.client
            answer = xmlrpc.client.ServerProxy(url).pool.get_all(old)
            assert answer == {"Status": "Failure", "ErrorDescription": ["SESSION_INVALID", old]}, answer
            print("done")
            """
        let url = try #require(service.httpURL)
        let output = try await Clients.python(script, [url, host.password, service.socketPath ?? ""])
        #expect(output == "done\n")
        await service.stop()
    }

    @Test func jsonCallersHaveBothVersions() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let script = """
            import json, sys, urllib.request, urllib.error
            url, password = sys.argv[1:]
            def post(body, path="/jsonrpc"):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                with urllib.request.urlopen(urllib.request.Request(url + path, data)) as reply:
                    assert reply.headers["Content-Type"] == "application/json", reply.headers
                    assert reply.headers["Cache-Control"] == "no-cache, no-store"
                    assert reply.headers["Access-Control-Allow-Origin"] == "*"
                    return json.load(reply)
            login = {"method": "session.login_with_password", "params": ["root", password], "id": 1}
            old = post(login)
            assert old["error"] is None and old["id"] == 1 and "jsonrpc" not in old, old
            session = old["result"]
            new = post({"jsonrpc": "2.0", "method": "host.get_all_records", "params": [session], "id": "a"})
            assert new["id"] == "a" and new["jsonrpc"] == "2.0", new
            record = list(new["result"].values())[0]
            assert record["API_version_minor"] == 23 and record["enabled"] is True, record
            bad = post({"jsonrpc": "2.0", "method": "VDI.get_record", "params": [session, "OpaqueRef:x"], "id": 2})
            assert bad["error"] == {"code": 1, "message": "HANDLE_INVALID", "data": ["VDI", "OpaqueRef:x"]}, bad
            bad = post({"method": "VDI.get_record", "params": [session, "OpaqueRef:x"], "id": 2})
            assert bad["error"] == ["HANDLE_INVALID", "VDI", "OpaqueRef:x"] and bad["result"] is None, bad
            assert "VDI.pool_migrate" in post({"method": "system.listMethods", "params": [], "id": 3})["result"]
            for body in [b"{", b"[]", b'{"method": "pool.get_all", "params": []}']:
                try:
                    post(body)
                    sys.exit("accepted %r" % body)
                except urllib.error.HTTPError as error:
                    assert error.code == 500, error
            print("done")
            """
        let url = try #require(service.httpURL)
        #expect(try await Clients.python(script, [url, host.password]) == "done\n")
        await service.stop()
    }

    @Test func theSocketNeedsNoPasswordAndIsPrivate() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let script = """
            import http.client, os, socket, stat, sys, xmlrpc.client
            path = sys.argv[1]
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
            class Connection(http.client.HTTPConnection):
                def connect(self):
                    self.sock = socket.socket(socket.AF_UNIX)
                    self.sock.connect(path)
            class Transport(xmlrpc.client.Transport):
                def make_connection(self, host): return Connection("localhost")
            server = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=Transport(), allow_none=False)
            session = server.session.login_with_password("root", "", "1.0", "driver")["Value"]
            assert server.host.get_all(session)["Status"] == "Success"
            assert server.session.get_originator(session, session)["Value"] == "driver"
            assert "VM.start" in server.system.listMethods()
            print("done")
            """
        #expect(try await Clients.python(script, [try #require(service.socketPath)]) == "done\n")
        await service.stop()
    }

    /// Arguments for curl, and what the reply starts with.
    static let requests: [([String], String)] = [
        (
            ["-X", "OPTIONS", "-H", "Access-Control-Request-Headers: a", "/jsonrpc"],
            "HTTP/1.1 200 OK|access-control-allow-headers: a, X-Requested-With"
        ),
        (["/"], "HTTP/1.1 200 OK|content-type: text/html"),
        (["-0", "/"], "HTTP/1.0 200 OK|connection: close"),
        (["/nothing"], "HTTP/1.1 404 Not Found|<html>"),
        (["-X", "DELETE", "/"], "HTTP/1.1 501 Not Implemented"),
        (["-X", "PUT", "-d", "x", "/elsewhere"], "HTTP/1.1 403 Forbidden"),
        (["-d", "x", "/"], "HTTP/1.1 500 |Internal Error"),
        (["-H", "Transfer-Encoding: chunked", "-d", "x", "/RPC2"], "HTTP/1.1 500 |Content-Length"),
        (["-H", "Content-Length: 307201", "-d", "x", "/"], "HTTP/1.1 413 "),
        (["/export_raw_vdi?vdi=disk"], "HTTP/1.1 401 Unauthorized|www-authenticate: Basic realm="),
        (["-X", "PUT", "-d", "x", "/import_raw_vdi?vdi=disk&session_id=OpaqueRef:none"], "HTTP/1.1 401 "),
        (["-u", "root:wrong", "/export_raw_vdi?vdi=disk"], "HTTP/1.1 401 "),
        (
            [
                "-d",
                "<methodCall><methodName>system.isAlive:x</methodName><params><param><value>abc</value></param>"
                    + "</params></methodCall>", "/RPC2",
            ], "HTTP/1.1 200 OK|content-type: text/xml|abc"
        ),
        (["-d", "<methodCall><methodName>x\u{1}</methodName></methodCall>", "/"], "HTTP/1.1 "),
    ]

    @Test func repliesHaveTheirStatusAndHeaders() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let url = try #require(service.httpURL)
        for (arguments, expected) in Self.requests {
            let target = arguments[arguments.count - 1]
            let reply = try await Clients.run("curl", ["-s", "-i"] + arguments.dropLast() + [url + target])
            for part in expected.split(separator: "|") {
                #expect(reply.lowercased().contains(part.lowercased()), "\(arguments): \(reply)")
            }
        }
        await service.stop()
    }

    @Test func waitingClientsAreAnsweredWhenTheServerStops() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let session = try await host.login()
        guard case .int(let now) = try await host.call("event.get_current_id", session: session).get() else {
            throw APIError("no id")
        }
        let script = """
            import sys, xmlrpc.client
            server = xmlrpc.client.ServerProxy(sys.argv[1])
            answer = getattr(server.event, "from")(sys.argv[2], ["vm"], "%s,0" % sys.argv[3], 600.0)
            print(len(answer["Value"]["events"]))
            """
        let client = Task { [url = service.httpURL] in
            try await Clients.python(script, [url ?? "", session, String(now)])
        }
        await service.stop(patience: .seconds(60))
        // Whether it came before the end or after: it is not left hanging.
        let output = try? await client.value
        #expect(output == nil || output == "0\n")
    }
}
