import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct HTTPSTests {
        /// A disk of 4 GiB, of which a client takes 96 MiB in many small bites: the daemon may grow by less than 64 MiB.
        @Test func aSlowDownloadOverTLSKeepsTheDaemonSmall() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "raw").ref
                let disk = try await toolstack.makeDisk(in: sr, bytes: 4 << 30, format: "raw")
                let before = try toolstack.memory("VmHWM")
                let target = "/export_raw_vdi?vdi=\(disk)&format=raw&session_id=\(try toolstack.session.ref)"
                let script = """
                    import socket, ssl, sys, time
                    host, port = sys.argv[1].split("//")[1].split(":")
                    plain = socket.socket()
                    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                    plain.connect((host, int(port)))
                    s = ssl._create_unverified_context().wrap_socket(plain)
                    s.sendall(("GET %s HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" % sys.argv[2]).encode())
                    got = 0
                    while got < 96 << 20:
                        got += len(s.recv(16384))
                        if got % (4 << 20) < 16384: time.sleep(0.05)
                    s.close()
                    """
                _ = try Tool.check("python3", ["-c", script, toolstack.httpsURL, target])
                let grown = try toolstack.memory("VmHWM") - before
                #expect(grown < 64 << 10, "the daemon grew by \(grown) KiB")
            }
        }

        @Test func xeTalksToAServerOverTLS() async throws {
            try await withToolstack { toolstack in
                let port = try #require(toolstack.httpsURL.split(separator: ":").last.map(String.init))
                let login = ["-s", "127.0.0.2", "-p", port, "-u", "root"]
                let right = try Tool.check("xe", login + ["-pw", toolstack.password, "host-list", "--minimal"])
                #expect(right.count == 37, "\(right)")
                let sr = try await toolstack.makeRepository("a", formats: "raw").ref
                let disk = try await toolstack.makeDisk(in: sr, bytes: 3 << 20, format: "raw")
                let uuid = try await toolstack.text("VDI.get_uuid", .string(disk))
                let file = toolstack.folder.file("copy")
                _ = try Tool.check(
                    "xe", login + ["-pw", toolstack.password, "vdi-export", "uuid=\(uuid)", "filename=\(file)"])
                #expect(try Tool.check("stat", ["-c", "%s", file]) == "\(3 << 20)\n")
                // A port without TLS is not spoken to in the clear because TLS failed.
                let plain = try #require(toolstack.httpURL.split(separator: ":").last.map(String.init))
                let wrong = try Tool.run(
                    "xe", ["-s", "127.0.0.2", "-p", plain, "-u", "root", "-pw", toolstack.password, "host-list"])
                #expect(!wrong.succeeded)
            }
        }
    }
}
