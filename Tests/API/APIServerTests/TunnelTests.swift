import HTTPTypes
import Logging
import NIOCore
import TestSupport
import Testing

@testable import APIServer

/// Connections that stop being HTTP: `CONNECT`, and WebSockets.
@Suite struct TunnelTests {
    /// A server of one path, whose tunnels send back what they get.
    private func withEcho(_ work: (_ port: String) async throws -> Void) async throws {
        let host = try await TestHost()
        var routes = HTTPRoutes()
        for method in [HTTPRequest.Method.connect, .get] {
            routes.on(method, "/echo") { routed, writer in
                let granted =
                    method == .get ? try WebSocketHandshake(routed.request).response : HTTPResponse(status: .ok)
                var body = try await writer.writeHead(granted)
                for try await piece in routed.request.body { try await body.write(piece) }
                try await body.finish()
            }
        }
        let router = RequestRouter(
            rpc: RPCEndpoint(dispatcher: host.dispatcher), routes: routes, isLocal: false, logger: Logger(label: "test")
        )
        let listener = try await Listener.start(
            .tcp(HTTPAddress(host: "127.0.0.1", port: 0)), router: router, tls: nil, limits: HTTPLimits(),
            budget: ConnectionBudget(100))
        try await work(String(try #require(listener.port)))
        await listener.stop(patience: .zero)
    }

    private static let prelude = """
        import base64, os, socket, struct, sys, threading
        def connect():
            return socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60)
        def head(s):
            got = b""
            while not got.endswith(b"\\r\\n\\r\\n"):
                byte = s.recv(1)
                if not byte: raise EOFError(got)
                got += byte
            return got.decode()
        def read(s, count):
            got = b""
            while len(got) < count:
                piece = s.recv(count - len(got))
                if not piece: raise EOFError(got)
                got += piece
            return got
        def rest(s):
            got = b""
            try:
                while piece := s.recv(65536): got += piece
            except ConnectionResetError: pass
            return got
        """

    @Test func bytesBehindAConnectRequestReachTheTunnel() async throws {
        let script = """
            # With the request, after it, and more than is read at once, with the end of the client's side right behind.
            for size in [0, 5, 100_000, 1_000_000]:
                for version in ["1.0", "1.1"]:
                    s = connect()
                    content = os.urandom(size)
                    def send():
                        s.sendall(("CONNECT /echo HTTP/%s\\r\\nHost: h\\r\\n\\r\\n" % version).encode() + content)
                        s.shutdown(socket.SHUT_WR)
                    thread = threading.Thread(target=send)
                    thread.start()
                    answer = head(s)
                    assert answer == "HTTP/%s 200 OK\\r\\n\\r\\n" % version, answer
                    assert rest(s) == content, size
                    thread.join()
            s = connect()
            s.sendall(b"CONNECT /echo HTTP/1.0\\r\\n\\r\\n")
            head(s)
            for i in range(50):
                s.sendall(b"%d" % (i % 10))
                assert s.recv(10) == b"%d" % (i % 10)
            s.close()
            # Behind other requests.
            s = connect()
            s.sendall(b"GET /none HTTP/1.1\\r\\n\\r\\nCONNECT /echo HTTP/1.1\\r\\n\\r\\nGET / HTTP/1.1\\r\\n\\r\\n")
            s.shutdown(socket.SHUT_WR)
            got = rest(s)
            assert got.startswith(b"HTTP/1.1 404 ") and got.endswith(b"200 OK\\r\\n\\r\\nGET / HTTP/1.1\\r\\n\\r\\n"), got
            # What is not granted is answered like any request, and is the last one.
            s = connect()
            s.sendall(b"CONNECT /none HTTP/1.1\\r\\n\\r\\nmore")
            got = rest(s)
            assert got.startswith(b"HTTP/1.1 403 ") and b"Connection: close" in got, got
            print("done")
            """
        try await withEcho { port in
            let printed = try await Clients.python(Self.prelude + "\n" + script, [port])
            #expect(printed == "done\n")
        }
    }

    @Test func webSocketsCarryBytesInFrames() async throws {
        let script = """
            fields = "Connection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\n"
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n"
            def ask(extra=fields + key):
                return ("GET /echo HTTP/1.1\\r\\nHost: h\\r\\n" + extra + "\\r\\n").encode()
            def frame(kind, data, mask=b"abcd", last=0x80):
                size = len(data)
                length = bytes([size]) if size < 126 else b"~" + struct.pack(">H", size) if size < 65536 \\
                    else b"\\x7f" + struct.pack(">Q", size)
                if not mask: return bytes([last | kind]) + length + data
                return bytes([last | kind, length[0] | 0x80]) + length[1:] + mask + bytes(
                    b ^ mask[i % 4] for i, b in enumerate(data))
            def take(s):
                kind, size = read(s, 2)
                assert size < 128, "a server does not mask"
                if size == 126: size = struct.unpack(">H", read(s, 2))[0]
                elif size == 127: size = struct.unpack(">Q", read(s, 8))[0]
                return kind, read(s, size)
            def data(s, count):
                got = b""
                while len(got) < count:
                    kind, piece = take(s)
                    assert kind == 0x82, kind
                    got += piece
                return got

            # RFC 6455's own example, with a frame that comes with the request.
            s = connect()
            s.sendall(ask(fields + key + "Sec-WebSocket-Protocol: base64, binary\\r\\n") + frame(2, b"early"))
            answer = head(s)
            assert answer.startswith("HTTP/1.1 101 Switching Protocols\\r\\n"), answer
            assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n" in answer, answer
            assert "Sec-WebSocket-Protocol: binary\\r\\n" in answer and "chunked" not in answer, answer
            assert data(s, 5) == b"early"
            content = os.urandom(200_000)
            thread = threading.Thread(target=lambda: s.sendall(frame(2, content)))
            thread.start()
            assert data(s, len(content)) == content
            thread.join()
            s.sendall(frame(2, b"one", last=0) + frame(9, b"ping") + frame(0, b"two"))
            kinds = [take(s), take(s)]
            while sum(len(d) for k, d in kinds if k == 0x82) < 6: kinds.append(take(s))
            assert (0x8a, b"ping") in kinds and b"".join(d for k, d in kinds if k == 0x82) == b"onetwo", kinds
            s.sendall(frame(8, struct.pack(">H", 1000)))
            assert take(s) == (0x88, struct.pack(">H", 1000))
            assert rest(s) == b""

            # Whoever does not mask, or sends what is no frame, is told so.
            for bad in [frame(2, b"x", mask=b""), frame(2, b"")[:2] + b"abcd" + frame(3, b""), b"\\x82\\xff" + b"\\x7f" * 12]:
                s = connect()
                s.sendall(ask() + bad)
                head(s)
                got = rest(s)
                assert got == b"" or got[-4:-2] == b"\\x88\\x02", got

            for extra, status in [("", 426), (key, 426), (fields, 400), (fields + "Sec-WebSocket-Key: eA==\\r\\n", 400),
                    (fields.replace("13", "8") + key, 426), (fields + key + "Sec-WebSocket-Protocol: base64\\r\\n", 400)]:
                s = connect()
                s.sendall(ask(extra))
                answer = head(s)
                assert answer.startswith("HTTP/1.1 %d " % status), (extra, answer)
            print("done")
            """
        try await withEcho { port in
            let printed = try await Clients.python(Self.prelude + "\n" + script, [port])
            #expect(printed == "done\n")
        }
    }
}
