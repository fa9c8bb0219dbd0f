import BlockIO
import CoreTypes
import Glibc
import NBDProtocol
import NBDTransport
import TestSupport
import Testing

/// Certificates of two authorities that know nothing of each other, made once.
struct Certificates: Sendable {
    let folder: ScratchFolder
    var good: String { folder.file("good") }
    var other: String { folder.file("other") }
    /// The good authority, but no certificate to show.
    var bare: String { folder.file("bare") }

    static let made = Result { try Certificates() }

    private init() throws {
        folder = try ScratchFolder("certificates")
        try Tool.check("mkdir", [folder.file("good"), folder.file("other"), folder.file("bare")])
        try Tool.run("sh", ["-c", "printf '[req]\\ndistinguished_name=dn\\n[dn]\\n' > \(folder.file("conf"))"])
        for authority in [good, other] {
            let signs = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
            try make(authority, "ca", nil, signs)
            for role in ["server", "client"] {
                try make(
                    authority, role, "ca",
                    [
                        "basicConstraints=critical,CA:FALSE", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "keyUsage=critical,digitalSignature", "extendedKeyUsage=\(role)Auth",
                    ])
            }
        }
        try Tool.check("cp", [good + "/ca-cert.pem", bare])
    }

    private func make(_ place: String, _ name: String, _ signer: String?, _ extensions: [String]) throws {
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        let key = curve + ["-keyout", "\(place)/\(name)-key.pem"]
        let signing = signer.map { ["-CA", "\(place)/\($0)-cert.pem", "-CAkey", "\(place)/\($0)-key.pem"] } ?? []
        try Tool.check(
            "openssl",
            ["req", "-x509", "-config", folder.file("conf"), "-days", "30", "-subj", "/CN=\(name)"] + key + signing
                + extensions.flatMap { ["-addext", $0] } + ["-out", "\(place)/\(name)-cert.pem"]
        )
    }
}

struct TLSTests {
    private let certificates: Certificates

    init() throws { certificates = try Certificates.made.get() }

    /// A server in TLS, on TCP and on a Unix socket.
    private func served(
        _ device: any BlockDevice, isRequired: Bool = true
    ) throws -> (server: NBDServer, port: UInt16, socket: String, folder: ScratchFolder) {
        let folder = try ScratchFolder("tls")
        let security = ServerSecurity(try .server(folder: certificates.good), isRequired: isRequired)
        let server = NBDServer(exports: [NBDExport(name: "disk", device: device)], security: security)
        try server.start(unixSocket: folder.file("s"))
        let port = try server.start(address: "127.0.0.1", port: 0)
        return (server, port, folder.file("s"), folder)
    }

    private func client(_ socket: String, _ credentials: String, peerName: String = "localhost") throws -> NBDClient {
        try NBDClient(
            NBDEndpoint(
                unixSocket: socket, credentials: try .client(folder: credentials), peerName: peerName))
    }

    @Test func ourClientAndServerAgreeInTLSFromManyThreads() throws {
        var random = SeededRandom.printed()
        let (server, port, socket, folder) = try served(MemoryDevice(size: 8 << 20))
        defer { withExtendedLifetime(folder) { server.stop() } }
        let first = try client(socket, certificates.good)
        let second = try NBDClient(
            NBDEndpoint(
                host: "127.0.0.1", port: port, exportName: "disk",
                credentials: try .client(folder: certificates.good)))
        try ModelRun.onThreads(4, [first, second], steps: 60, &random)
        let bytes = random.bytes(7 << 20)
        try first.put(bytes, at: 1000)
        #expect(try second.bytes(at: 1000, bytes.count) == bytes)
        try first.close()
        try second.close()
    }

    @Test func nbdcopyAndQemuImgMoveContentThroughTLS() throws {
        var random = SeededRandom.printed()
        let device = MemoryDevice(content: random.bytes(3 << 20))
        let (server, port, socket, folder) = try served(device)
        defer { withExtendedLifetime(folder) { server.stop() } }
        let uri = "nbds+unix:///disk?socket=\(socket)&tls-certificates=\(certificates.good)"
        #expect(try Tool.check("nbdinfo", ["--size", uri]) == "3145728\n")
        #expect(try Tool.check("nbdinfo", ["--json", uri]).contains("\"TLS\": true"))
        try Tool.check("nbdcopy", [uri, folder.file("copy")])
        let options = "driver=nbd,server.type=inet,server.host=localhost,server.port=\(port),export=disk,tls-creds=t"
        let secret = ["--object", "tls-creds-x509,id=t,endpoint=client,dir=\(certificates.good)"]
        let copy = "driver=raw,file.driver=file,file.filename=\(folder.file("copy"))"
        let outcome = try Tool.run("qemu-img", ["compare"] + secret + ["--image-opts", options, copy])
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
    }

    @Test(arguments: ["nbdkit", "qemu-nbd"]) func ourClientSpeaksTLSWithOtherServers(tool: String) throws {
        var random = SeededRandom.printed()
        let server = try ClientPeerTests.Background(tool) { folder in
            if tool == "nbdkit" {
                return [
                    "--tls=require", "--tls-certificates=\(certificates.good)", "--tls-verify-peer", "memory", "4M",
                ]
            }
            _ = try? Tool.check("truncate", ["-s", "4M", folder.file("image")])
            return [
                "--object", "tls-creds-x509,id=t,endpoint=server,dir=\(certificates.good),verify-peer=yes",
                "--tls-creds", "t", "-f", "raw", folder.file("image"),
            ]
        }
        let connected = try client(server.socket, certificates.good)
        try ModelRun.onThreads(2, [connected], steps: 40, &random)
        try connected.close()
        #expect { try NBDClient.connect(unixSocket: server.socket) } throws: { ($0 as? BlockError)?.code == .denied }
    }

    @Test func whoShowsNoGoodCertificateGetsNothing() throws {
        let (server, _, socket, folder) = try served(MemoryDevice(size: 1 << 20))
        defer { withExtendedLifetime(folder) { server.stop() } }
        let good = try client(socket, certificates.good)
        // A stranger's authority on the client's side; on the server's side; none to show; the wrong name; no TLS at all.
        #expect { try client(socket, certificates.other) } throws: { ($0 as? BlockError)?.code == .denied }
        #expect(throws: BlockError.self) { try client(socket, certificates.bare) }
        #expect { try client(socket, certificates.good, peerName: "elsewhere") } throws: {
            ($0 as? BlockError)?.code == .denied
        }
        #expect { try NBDClient.connect(unixSocket: socket) } throws: { ($0 as? BlockError)?.code == .denied }
        #expect(try !Tool.run("nbdinfo", ["nbd+unix:///disk?socket=\(socket)"]).succeeded)
        #expect(
            try !Tool.run("nbdinfo", ["nbds+unix:///?socket=\(socket)&tls-certificates=\(certificates.bare)"]).succeeded
        )
        let mixed = certificates.folder.file("mixed")
        try Tool.check("cp", ["-r", certificates.other, mixed])
        try Tool.check("cp", [certificates.good + "/ca-cert.pem", mixed])
        #expect(throws: BlockError.self) { try client(socket, mixed) }
        try good.put([1], at: 0)
        #expect(try good.bytes(at: 0, 1) == [1])
    }

    @Test func aServerWithoutTLSGetsNoWordFromAClientThatDemandsIt() throws {
        let plain = try Served(MemoryDevice(size: 1 << 20))
        #expect { try client(plain.path, certificates.good) } throws: { ($0 as? BlockError)?.code == .denied }
        // Where TLS is only offered, both kinds of clients are served.
        let (server, _, socket, folder) = try served(MemoryDevice(size: 1 << 20), isRequired: false)
        defer { withExtendedLifetime(folder) { server.stop() } }
        #expect(try NBDClient.connect(unixSocket: socket).size == 1 << 20)
        #expect(try client(socket, certificates.good).size == 1 << 20)
    }

    @Test func olderVersionsAndWordsPutBehindSTARTTLSAreRefused() throws {
        let (server, _, socket, folder) = try served(MemoryDevice(size: 1 << 20))
        defer { withExtendedLifetime(folder) { server.stop() } }
        let script = """
            import socket, ssl, struct, sys
            path, certificates = sys.argv[1:]
            def started(extra=b""):
                s = socket.socket(socket.AF_UNIX); s.connect(path)
                assert len(s.recv(18, socket.MSG_WAITALL)) == 18
                s.sendall(struct.pack(">I", 3))
                for option in (1 << 20, 3, 6, 7, 8, 9, 10):
                    s.sendall(b"IHAVEOPT" + struct.pack(">II", option, 0))
                    reply = s.recv(20, socket.MSG_WAITALL)
                    kind, length = struct.unpack(">II", reply[12:])
                    assert kind == (1 << 31) + 5, (option, kind)
                    s.recv(length, socket.MSG_WAITALL)
                s.sendall(b"IHAVEOPT" + struct.pack(">II", 5, 0) + extra)
                return s
            def context(version):
                c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                c.load_verify_locations(certificates + "/ca-cert.pem")
                c.load_cert_chain(certificates + "/client-cert.pem", certificates + "/client-key.pem")
                c.minimum_version = c.maximum_version = version
                return c
            good = started(); assert good.recv(20, socket.MSG_WAITALL)[12:16] == b"\\0\\0\\0\\1"
            t = context(ssl.TLSVersion.TLSv1_3).wrap_socket(good, server_hostname="localhost")
            # A second STARTTLS inside is refused, and the handshake goes on.
            t.sendall(b"IHAVEOPT" + struct.pack(">II", 5, 0))
            assert t.recv(20)[12:16] == b"\\x80\\0\\0\\3"
            old = started(); old.recv(20, socket.MSG_WAITALL)
            try: context(ssl.TLSVersion.TLSv1_2).wrap_socket(old, server_hostname="localhost")
            except ssl.SSLError: pass
            else: raise AssertionError("TLS 1.2")
            smuggled = started(b"IHAVEOPT" + struct.pack(">II", 3, 0))
            rest = b""
            while True:
                part = smuggled.recv(1000)
                if not part: break
                rest += part
            assert len(rest) == 20, rest
            for garbage in (b"\\x16\\x03\\x01\\x40\\x00" + bytes(9000), bytes(100), b"\\x17\\x03\\x03\\xff\\xff" + b"x" * 70000):
                s = started(); s.recv(20, socket.MSG_WAITALL)
                try:
                    s.sendall(garbage); s.shutdown(socket.SHUT_WR)
                    while s.recv(65536): pass
                except (ConnectionError, BrokenPipeError): pass
            """
        try Tool.check("python3", ["-c", script, socket, certificates.good])
        #expect(try client(socket, certificates.good).bytes(at: 0, 1) == [0])
    }

    /// A URI is all that a mirror's destination says of itself.
    @Test func aLocationLeadsThroughTLSOverSeveralConnections() throws {
        var random = SeededRandom.printed()
        let (server, port, socket, folder) = try served(MemoryDevice(size: 4 << 20))
        defer { withExtendedLifetime(folder) { server.stop() } }
        let query = "tls-certificates=\(certificates.good)"
        let far = try #require(NBDLocation(parsing: "nbds://127.0.0.1:\(port)/disk?\(query)"))
        let device = try NBDConnections(far, count: 3)
        #expect(device.count == 3)
        let bytes = random.bytes(3 << 20)
        try device.put(bytes, at: 512)
        try device.flush()
        let near = try #require(NBDLocation(parsing: "nbds+unix:///disk?socket=\(socket)&\(query)"))
        #expect(try NBDConnections(near, count: 1).bytes(at: 512, bytes.count) == bytes)
        // Whom the certificate does not name, an authority that nobody knows, and a folder without any.
        for (query, code) in [
            ("\(query)&tls-hostname=elsewhere", BlockError.Code.denied),
            ("tls-certificates=\(certificates.other)", .denied),
            ("tls-certificates=\(folder.path)", .notFound),
        ] {
            let wrong = try #require(NBDLocation(parsing: "nbds://127.0.0.1:\(port)/disk?\(query)"))
            #expect { try NBDConnections(wrong, count: 1) } throws: { ($0 as? BlockError)?.code == code }
        }
        try device.close()
    }

    /// However slowly a client goes through its handshake, and wherever in it: it is cut, and others are served meanwhile.
    @Test func aHandshakeThatDripsIsCut() throws {
        let folder = try ScratchFolder("drip")
        let server = NBDServer(
            exports: [NBDExport(name: "disk", device: MemoryDevice(size: 1 << 20))],
            security: ServerSecurity(try .server(folder: certificates.good), isRequired: false), handshakeSeconds: 1)
        defer { server.stop() }
        try server.start(unixSocket: folder.file("s"))
        // Whom a busy machine did not let finish in time either tries again.
        var good: NBDClient?
        while good == nil { good = try? NBDClient.connect(unixSocket: folder.file("s")) }
        let flags: [UInt8] = [0, 0, 0, 3]
        let list = RawPeer.option(NBDOption.list)
        // What each sends at once, and what it goes on with, a byte at a time: options that are fine, an option's data, and
        // a long record of TLS.
        let peers = try [
            (flags, list), (flags + RawPeer.option(99, length: 60_000), [0]),
            (flags + RawPeer.option(NBDOption.startTLS), [0]),
        ].map { start, drops in
            let peer = try RawPeer(folder.file("s"))
            peer.send(start)
            _ = peer.receive(18)
            return (peer: peer, drops: drops)
        }
        _ = peers[2].peer.receive(20)
        peers[2].peer.send([0x16, 3, 1, 0x40, 0])
        var open = peers
        var turn = 0
        while !open.isEmpty {
            open.removeAll { !$0.peer.send([$0.drops[turn % $0.drops.count]]) }
            turn += 1
            usleep(10_000)
        }
        #expect(turn > 1)
        // One that got through in time may be silent as long as it likes.
        #expect(try good?.bytes(at: 0, 1) == [0])
    }

    /// Nor does one inside TLS last, whose records never become whole.
    @Test func aRecordThatDripsInsideTLSIsCut() throws {
        let folder = try ScratchFolder("drip")
        let server = NBDServer(
            exports: [NBDExport(name: "disk", device: MemoryDevice(size: 1 << 20))],
            security: ServerSecurity(try .server(folder: certificates.good), isRequired: true), handshakeSeconds: 1)
        defer { server.stop() }
        try server.start(unixSocket: folder.file("s"))
        let script = """
            import socket, ssl, struct, sys, time
            path, certificates = sys.argv[1:]
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            c.load_verify_locations(certificates + "/ca-cert.pem")
            c.load_cert_chain(certificates + "/client-cert.pem", certificates + "/client-key.pem")
            def secured():
                s = socket.socket(socket.AF_UNIX); s.connect(path)
                s.recv(18, socket.MSG_WAITALL)
                s.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 5, 0))
                s.recv(20, socket.MSG_WAITALL)
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                t = c.wrap_bio(incoming, outgoing, server_hostname="localhost")
                while True:
                    try: t.do_handshake(); break
                    except ssl.SSLWantReadError:
                        s.sendall(outgoing.read()); part = s.recv(65536)
                        if not part: raise ConnectionError
                        incoming.write(part)
                s.sendall(outgoing.read())
                t.write(bytes(16000))
                return s, outgoing.read()
            while True:
                # Whom a busy machine did not let finish in time tries again.
                try: s, record = secured(); break
                except OSError: pass
            for byte in record:
                try: s.sendall(bytes([byte]))
                except OSError: sys.exit(0)
                time.sleep(0.01)
            raise AssertionError("it was never cut")
            """
        try Tool.check("python3", ["-c", script, folder.file("s"), certificates.good])
    }

    @Test func revokedAndUnusableCertificatesAreRefusedWithReasons() throws {
        let folder = try ScratchFolder("broken")
        #expect { try TLSCredentials.server(folder: folder.file("none")) } throws: {
            ($0 as? BlockError)?.code == .notFound
        }
        // The key of another certificate.
        try Tool.check("cp", ["-r", certificates.good, folder.file("mixed")])
        try Tool.check("cp", [certificates.other + "/server-key.pem", folder.file("mixed")])
        #expect { try TLSCredentials.server(folder: folder.file("mixed")) } throws: {
            ($0 as? BlockError)?.code == .denied && ($0 as? BlockError)?.path?.hasSuffix("server-key.pem") == true
        }
        try Tool.check("sh", ["-c", "echo no certificate > \(folder.file("mixed"))/ca-cert.pem"])
        #expect { try TLSCredentials.client(folder: folder.file("mixed")) } throws: {
            ($0 as? BlockError)?.code == .denied
        }
        // A list of revoked certificates without any does no harm; one that cannot be read does.
        let listed = folder.file("listed")
        try Tool.check("cp", ["-r", certificates.good, listed])
        try Tool.check("sh", ["-c", "echo none > \(listed)/ca-crl.pem"])
        #expect(throws: BlockError.self) { try TLSCredentials.server(folder: listed) }
        let script = """
            cd \(listed) && : > index && echo 01 > number
            printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\ncrlnumber=number\\ndefault_md=sha256\\ndefault_crl_days=9\\n' > conf
            openssl ca -config conf -cert ca-cert.pem -keyfile ca-key.pem -revoke client-cert.pem
            openssl ca -config conf -cert ca-cert.pem -keyfile ca-key.pem -gencrl -out ca-crl.pem
            """
        try Tool.check("sh", ["-ec", script])
        let server = NBDServer(
            exports: [NBDExport(name: "disk", device: MemoryDevice(size: 512))],
            security: ServerSecurity(try .server(folder: listed)))
        defer { server.stop() }
        try server.start(unixSocket: folder.file("s"))
        #expect(throws: BlockError.self) { try client(folder.file("s"), certificates.good) }
    }
}
