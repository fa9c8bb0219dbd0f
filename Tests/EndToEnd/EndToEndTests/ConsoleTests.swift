import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct Consoles {
        /// A real guest's screen through `CONNECT /console`, as proxies of XenAPI clients open it, and its serial console.
        @Test func aGuestsScreenIsReachedThroughTheAPI() async throws {
            let files = try GuestFiles.make()
            try await withToolstack { toolstack in
                let vm = try await Machines.make(toolstack, files)
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let script = toolstack.folder.file("console.py")
                try Data(Self.program.utf8).write(to: URL(fileURLWithPath: script))
                let output = try Tool.check("python3", [script, toolstack.httpURL, toolstack.password, vm])
                for line in ["rows ok", "screen ok", "serial ok", "refusals ok"] {
                    #expect(output.contains(line), "\(output)")
                }
                try await toolstack.call("VM.hard_shutdown", .string(vm))
                let ended = try Tool.check("python3", [script, toolstack.httpURL, toolstack.password, vm, "halted"])
                #expect(ended.contains("halted ok"), "\(ended)")
            }
        }

        private static let program = """
            import socket, ssl, struct, sys
            from urllib.parse import urlparse
            import XenAPI
            url, password, vm = sys.argv[1:4]
            session = XenAPI.Session(url)
            session.xenapi.login_with_password("root", password, "2.23", "console")
            x, sid = session.xenapi, session._session

            def open_(target, cookie=sid, version="1.0", base=url):
                place = urlparse(base)
                s = socket.create_connection((place.hostname, place.port), 20)
                if place.scheme == "https":
                    context = ssl.create_default_context()
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    s = context.wrap_socket(s)
                head = f"CONNECT {target} HTTP/{version}\\r\\nHost: {place.hostname}\\r\\n"
                if cookie:
                    head += f"Cookie: session_id={cookie}\\r\\n"
                s.sendall((head + "\\r\\n").encode())
                answer = b""
                while not answer.endswith(b"\\r\\n\\r\\n"):
                    byte = s.recv(1)
                    if not byte:
                        break
                    answer += byte
                return s, answer.split(b"\\r\\n")[0].decode()

            def read(s, count):
                data = b""
                while len(data) < count:
                    piece = s.recv(count - len(data))
                    assert piece, "the console ended"
                    data += piece
                return data

            record = x.VM.get_record(vm)
            consoles = {x.console.get_protocol(c): x.console.get_record(c) for c in record["consoles"]}

            if len(sys.argv) > 4:
                assert record["consoles"] == [] and x.console.get_all() == []
                metrics = x.VM_metrics.get_record(record["metrics"])
                assert metrics["memory_actual"] == "0" and metrics["state"] == []
                names = [m["name"] for m in x.message.get_all_records().values() if m["obj_uuid"] == record["uuid"]]
                assert sorted(names) == ["VM_SHUTDOWN", "VM_STARTED"], names
                assert " 400 " in open_(f"/console?uuid={record['uuid']}")[1]
                print("halted ok")
                sys.exit()

            assert sorted(consoles) == ["rfb", "vt100"]
            location = urlparse(consoles["rfb"]["location"])
            target = f"{location.path}?{location.query}"
            assert target == f"/console?uuid={consoles['rfb']['uuid']}", consoles
            metrics = x.VM_metrics.get_record(record["metrics"])
            assert int(metrics["memory_actual"]) == int(record["memory_static_max"]) and metrics["state"] == ["running"]
            assert metrics["VCPUs_number"] == record["VCPUs_at_startup"] and metrics["hvm"] is True
            guest = x.VM_guest_metrics.get_record(record["guest_metrics"])
            assert guest["other"]["guest-agent"] == "none" and guest["live"] is False
            print("rows ok")

            # RFB 3.8 (RFC 6143): version, no security, a shared screen, one update.
            for version, base in (("1.0", url), ("1.1", url), ("1.0", consoles["rfb"]["location"])):
                s, status = open_(target, version=version, base=base)
                assert status == f"HTTP/{version} 200 OK", status
                assert read(s, 12) == b"RFB 003.008\\n"
                s.sendall(b"RFB 003.008\\n")
                kinds = read(s, read(s, 1)[0])
                assert 1 in kinds
                s.sendall(b"\\x01")
                assert read(s, 4) == bytes(4)
                s.sendall(b"\\x01")
                width, height = struct.unpack(">HH", read(s, 4))
                read(s, 16)
                name = read(s, struct.unpack(">I", read(s, 4))[0])
                assert width > 0 and height > 0 and name.startswith(b"QEMU"), name
                s.sendall(struct.pack(">BBHi", 2, 0, 1, 0))
                s.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
                assert read(s, 1) == b"\\x00"
                s.close()
            print("screen ok")

            s, status = open_(f"/console?ref={[c for c in record['consoles'] if x.console.get_protocol(c) == 'vt100'][0]}")
            assert " 200 " in status, status
            # A guest that has booted says nothing by itself; its terminal echoes.
            s.sendall(b"\\n")
            assert read(s, 1)
            s.close()
            print("serial ok")

            assert " 401 " in open_(target, cookie=None)[1]
            assert " 401 " in open_(target, cookie="OpaqueRef:none")[1]
            assert " 404 " in open_("/console?uuid=none")[1]
            assert " 404 " in open_("/console?ref=OpaqueRef:none")[1]
            print("refusals ok")
            """
    }
}
