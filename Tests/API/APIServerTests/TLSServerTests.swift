import APITypes
import Foundation
import NIOSSL
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack
import XenAPIClient

@testable import APIServer

@Suite struct TLSServerTests {
    @Test func thePythonSDKWorksOverTLS() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let script = """
            import ssl, sys, xmlrpc.client, XenAPI
            url, password, certificate = sys.argv[1:]
            session = XenAPI.Session(url, ignore_ssl=True)
            session.login_with_password("root", password, "1.0", "test")
            assert session.xenapi.host.get_all_records(), "no host"
            session.xenapi.session.logout()
            # As scripts do without the SDK, and with the host's certificate as the authority.
            for context in [ssl._create_unverified_context(), ssl.create_default_context(cafile=certificate)]:
                server = xmlrpc.client.ServerProxy(url, context=context)
                answer = server.session.login_with_password("root", password)
                assert answer["Status"] == "Success", answer
                assert server.session.logout(answer["Value"])["Status"] == "Success"
            try:
                xmlrpc.client.ServerProxy(url, context=ssl.create_default_context()).system.listMethods()
                sys.exit("a certificate that nobody vouches for was accepted")
            except ssl.SSLCertVerificationError: pass
            print("done")
            """
        let url = try #require(service.httpsURL)
        #expect(
            try await Clients.python(script, [url, host.password, host.folder.file("tls/certificate.pem")]) == "done\n")
        await service.stop()
    }

    /// A connection that both sides have taken leave of has ended, and keeps no daemon from ending.
    @Test func aConnectionEndsWithItsClientsFarewell() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let script = """
            import socket, ssl, sys
            plain = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            connection = ssl._create_unverified_context().wrap_socket(plain)
            connection.sendall(b"GET /nothing HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n")
            while connection.recv(65536): pass
            plain = connection.unwrap()
            # NIO's TLS gives a farewell five seconds that has not come.
            plain.settimeout(4)
            assert plain.recv(1) == b""
            print("done")
            """
        let port = try #require(service.httpsURL.flatMap { URL(string: $0)?.port })
        #expect(try await Clients.python(script, [String(port)]) == "done\n")
        await service.stop()
    }

    @Test func ourClientChecksCertificatesAsItIsTold() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let port = try #require(service.httpsURL.flatMap { URL(string: $0)?.port })
        let address = ServerAddress.tcp(host: "127.0.0.1", port: port, tls: true)
        let file = host.folder.file("tls/certificate.pem")
        let pem = try String(contentsOfFile: file, encoding: .utf8)
        let shown = try await Clients.run("openssl", ["x509", "-in", file, "-noout", "-fingerprint", "-sha256"])
        let fingerprint = try #require(
            shown.split(separator: "=").last.flatMap {
                CertificateFingerprint($0.trimmingCharacters(in: .whitespacesAndNewlines))
            })
        let other = try #require(CertificateFingerprint(String(repeating: "0F", count: 32)))
        for policy in [
            CertificatePolicy.unchecked, .authorities(file: file), .pinned([other, fingerprint]), try .known(pem: pem),
        ] {
            let session = try await XenAPISession.login(
                at: address, user: "root", password: host.password, certificates: policy)
            #expect(try await session.call("host.get_all", []).items?.count == 1)
            await session.logout()
        }
        await #expect(throws: ConnectionError.self) {
            _ = try await XenAPISession.login(at: address, user: "root", password: host.password)
        }
        do {
            _ = try await XenAPISession.login(
                at: address, user: "root", password: host.password, certificates: .pinned([other]))
            Issue.record("another certificate was accepted")
        } catch let error as ConnectionError {
            guard case .unreachable(_, let reason) = error else { throw error }
            #expect(reason.contains(fingerprint.description))
        }
        // Nobody but the three above logged in: the password did not go to a stranger.
        #expect(host.database.read { $0.rows(Session.self).isEmpty })
        // A server that speaks no TLS is not taken for one.
        let plain = try #require(service.httpURL.flatMap { URL(string: $0)?.port })
        await #expect(throws: ConnectionError.self) {
            _ = try await XenAPISession.login(
                at: .tcp(host: "127.0.0.1", port: plain, tls: true), user: "root", password: host.password,
                certificates: .unchecked)
        }
        await service.stop()
    }

    @Test func theCertificateNamesTheHostAndItsKeyIsPrivate() async throws {
        let folder = try ScratchFolder("tls")
        defer { folder.remove() }
        let identity = try TLSIdentity(folder: folder.file("tls"), listeningOn: "storage.example")
        let attributes = try FileManager.default.attributesOfItem(atPath: identity.keyFile)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let text = try await Clients.run("openssl", ["x509", "-in", identity.certificateFile, "-noout", "-text"])
        for part in ["DNS:storage.example", "DNS:localhost", "IP Address:127.0.0.1", "id-ecPublicKey", "256 bit"] {
            #expect(text.contains(part), "\(text)")
        }
        let check = ["verify", "-CAfile", identity.certificateFile, "-purpose", "sslserver", identity.certificateFile]
        #expect(try await Clients.run("openssl", check).hasSuffix(": OK\n"))
        // The same files serve the next start.
        let before = try Data(contentsOf: URL(fileURLWithPath: identity.certificateFile))
        _ = try TLSIdentity(folder: folder.file("tls"), listeningOn: "other.example")
        #expect(try Data(contentsOf: URL(fileURLWithPath: identity.certificateFile)) == before)
    }

    @Test func badFilesAreNamedAndNeverReplaceGoodOnes() async throws {
        let folder = try ScratchFolder("tls")
        defer { folder.remove() }
        let identity = try TLSIdentity(folder: folder.path, listeningOn: "0.0.0.0")
        let old = identity.current
        func message(_ work: () throws -> Void) -> String {
            do {
                try work()
                return "accepted"
            } catch { return "\(error)" }
        }
        func put(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        let other = try ServerCertificate.make(for: ["other"])
        try put(other.key, identity.keyFile)
        #expect(message { try identity.reload() }.contains(identity.keyFile))
        #expect(identity.current === old)
        try put(other.certificate, identity.certificateFile)
        try identity.reload()
        #expect(identity.current !== old)
        try put("hello", identity.certificateFile)
        #expect(message { try identity.reload() }.contains(identity.certificateFile))
        try FileManager.default.removeItem(atPath: identity.certificateFile)
        #expect(message { _ = try TLSIdentity(folder: folder.path, listeningOn: "x") }.contains("is missing"))
    }

    /// A reader that takes 8 MiB of an endless disk: what the server has made of it may be that and little more, and
    /// the process must not hold what lies between.
    @Test func slowReadersHoldTheSourceBackOverTLS() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let session = try await host.login()
        let script = """
            import socket, ssl, sys, time
            host, port = sys.argv[1].split("//")[1].split(":")
            s = ssl._create_unverified_context().wrap_socket(socket.create_connection((host, int(port))))
            s.sendall(("GET /export_raw_vdi?vdi=endless&session_id=%s HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
                % sys.argv[2]).encode())
            got = 0
            while got < 8 << 20:
                got += len(s.recv(65536))
                if got % (1 << 20) < 65536: time.sleep(0.05)
            s.close()
            """
        _ = try await Clients.python(script, [try #require(service.httpsURL), session])
        #expect(host.disks.endlessBytes < 32 << 20, "the server read \(host.disks.endlessBytes) bytes ahead")
        await service.stop()
    }

    @Test func brokenHandshakesHurtNobody() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let script = """
            import socket, ssl, sys
            host, port = sys.argv[1].split("//")[1].split(":")
            silent = [socket.create_connection((host, int(port)), 60) for _ in range(100)]
            for text in [b"GET / HTTP/1.1\\r\\n\\r\\n", b"\\x16\\x03\\x01\\xff\\xff" + b"x" * 70000, b"\\x80" * 1000, b""]:
                s = socket.create_connection((host, int(port)), 60)
                try:
                    s.sendall(text)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536): pass
                except OSError: pass
            s = ssl._create_unverified_context().wrap_socket(socket.create_connection((host, int(port)), 60))
            s.sendall(b"GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n")
            got = b""
            while piece := s.recv(65536): got += piece
            assert got.startswith(b"HTTP/1.1 200 OK"), got
            print("done")
            """
        #expect(try await Clients.python(script, [try #require(service.httpsURL)]) == "done\n")
        await service.stop()
    }
}
