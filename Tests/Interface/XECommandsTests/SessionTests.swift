import APITypes
import Foundation
import RPCCodec
import Synchronization
import TestSupport
import Testing

@testable import XenAPIClient

@Suite struct SessionTests {
    /// A server that logs everybody in and answers the methods of `replies`.
    private func server(_ folder: ScratchFolder, _ replies: [String: RPCReply]) throws -> ScriptedServer {
        try ScriptedServer(path: folder.file("api")) { line, body in
            if line.hasPrefix("PUT /import_raw_vdi?") { return .early(head: "task-id: OpaqueRef:t\r\n") }
            if line.hasPrefix("GET /export_raw_vdi?") {
                return .reply(head: "200 OK\r\ntask-id: OpaqueRef:t\r\n", body: Array(repeating: 7, count: 3_000_001))
            }
            if line.hasPrefix("GET") { return .reply(head: "403 Forbidden\r\n", body: []) }
            guard let call = try? XMLRPC.decodeCall(body) else { return .hangUp }
            if call.method == "session.login_with_password" {
                return .reply(head: "200 OK\r\n", body: XMLRPC.encode(.success(.string("OpaqueRef:session"))))
            }
            guard let reply = replies[call.method] else { return .hangUp }
            return .reply(head: "200 OK\r\nContent-Type: text/xml\r\n", body: XMLRPC.encode(reply))
        }
    }

    /// Logs in to a server of `replies`, runs `body`, and puts everything away.
    private func session(
        _ replies: [String: RPCReply] = [:], _ body: (XenAPISession, ScriptedServer, ScratchFolder) async throws -> Void
    ) async throws {
        let folder = try ScratchFolder("session")
        let server = try server(folder, replies)
        defer { server.stop() }
        let session = try await XenAPISession.login(at: .unixSocket(path: server.path), user: "root", password: "p&w")
        do { try await body(session, server, folder) } catch {
            await session.logout()
            throw error
        }
        await session.logout()
    }

    @Test func loginSendsUserAndPasswordAndCallsCarryTheSession() async throws {
        let size = RPCReply.success(.string("42"))
        try await session(["VDI.get_virtual_size": size, "session.logout": .success(.void)]) { session, server, _ in
            let size = try await session.call("VDI.get_virtual_size", [.string("OpaqueRef:d")])
            #expect(size == .string("42"))
            let calls = try server.requests.map { try XMLRPC.decodeCall($0.body) }
            #expect(calls[0].parameters.prefix(2) == [.string("root"), .string("p&w")])
            #expect(calls[1].parameters == [.string("OpaqueRef:session"), .string("OpaqueRef:d")])
        }
    }

    @Test func failuresOfTheServerAreAPIErrors() async throws {
        try await session(["SR.scan": .failure(["SR_HAS_NO_PBDS", "OpaqueRef:s"])]) { session, _, _ in
            let failure = APIError("SR_HAS_NO_PBDS", "OpaqueRef:s")
            await #expect(throws: failure) { _ = try await session.call("SR.scan", []) }
        }
    }

    @Test func brokenConnectionsAreToldApartFromAbsentServers() async throws {
        try await session { session, server, folder in
            do {
                _ = try await session.call("VM.start", [])
                Issue.record("the server hung up")
            } catch let error as ConnectionError {
                guard case .lost = error else { throw error }
            }
            do {
                _ = try await XenAPISession.login(at: .unixSocket(path: folder.file("none")), user: "", password: "")
                Issue.record("there is no server")
            } catch let error as ConnectionError {
                guard case .unreachable(_, "No such file or directory") = error else { throw error }
            }
        }
    }

    @Test func uploadStreamsTheWholeFileThoughTheAnswerComesFirst() async throws {
        try await session { session, server, folder in
            var random = SeededRandom.printed()
            let content = random.bytes((5 << 20) + 13)
            try Data(content).write(to: URL(fileURLWithPath: folder.file("disk")))
            let seen = Mutex<UInt64>(0)
            let task = try await session.upload(
                file: folder.file("disk"), to: "/import_raw_vdi", query: [("vdi", "OpaqueRef:d"), ("format", "raw")]
            ) { done, total in
                #expect(total == UInt64(content.count))
                seen.withLock { $0 = done }
            }
            #expect(task == "OpaqueRef:t")
            #expect(seen.withLock { $0 } == UInt64(content.count))
            let request = try #require(server.requests.last)
            #expect(
                request.line
                    == "PUT /import_raw_vdi?vdi=OpaqueRef%3Ad&format=raw&session_id=OpaqueRef%3Asession HTTP/1.1")
            #expect(request.body == content)
        }
    }

    @Test func downloadWritesANewFileOfItsOwnerAndNeverOverwrites() async throws {
        try await session { session, _, folder in
            let file = folder.file("disk")
            let task = try await session.download(from: "/export_raw_vdi", query: [("vdi", "d")], to: file) { _ in }
            #expect(task == "OpaqueRef:t")
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(attributes[.size] as? Int == 3_000_001)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            await #expect(throws: TransferFileError(path: file, reason: "File exists")) {
                try await session.download(from: "/export_raw_vdi", query: [("vdi", "d")], to: file) { _ in }
            }
        }
    }

    /// What has the file's name is whole: until it was confirmed there is none, and after a failure nothing is left.
    @Test func aDownloadHasItsNameOnlyWhenItIsConfirmed() async throws {
        struct Broken: Error {}
        try await session { session, _, folder in
            let file = folder.file("disk")
            await #expect(throws: Broken.self) {
                try await session.download(
                    from: "/export_raw_vdi", query: [("vdi", "d")], to: file,
                    confirm: {
                        #expect(!FileManager.default.fileExists(atPath: file))
                        // A kill in this moment leaves nothing: there is no name to be left.
                        #expect(try folder.contents() == ["api"])
                        throw Broken()
                    }
                ) { _ in }
            }
            let left = try folder.contents()
            #expect(left == ["api"])
            // Somebody else made the file meanwhile: theirs stays as it is.
            await #expect(throws: TransferFileError(path: file, reason: "File exists")) {
                try await session.download(
                    from: "/export_raw_vdi", query: [("vdi", "d")], to: file,
                    confirm: { try Data([7]).write(to: URL(fileURLWithPath: file)) }
                ) { _ in }
            }
            let names = try folder.contents()
            let content = try Data(contentsOf: URL(fileURLWithPath: file))
            #expect(names.sorted() == ["api", "disk"] && content == Data([7]))
        }
    }

    /// The mark of what is unfinished takes nothing away from the longest name, and a longer one is refused at once.
    @Test func aDownloadMayHaveTheLongestName() async throws {
        try await session { session, _, folder in
            for name in [String(repeating: "n", count: 255), String(repeating: "ö", count: 127), "n"] {
                let file = folder.file(name)
                try await session.download(from: "/export_raw_vdi", query: [("vdi", "d")], to: file) { _ in }
                #expect(try folder.contents().sorted() == ["api", name].sorted())
                try FileManager.default.removeItem(atPath: file)
            }
            let file = folder.file(String(repeating: "n", count: 256))
            await #expect(throws: TransferFileError(path: file, reason: "File name too long")) {
                try await session.download(from: "/export_raw_vdi", query: [("vdi", "d")], to: file) { _ in }
            }
            #expect(try folder.contents() == ["api"])
        }
    }

    @Test func refusedTransferLeavesNoFile() async throws {
        try await session { session, server, folder in
            let refused = ConnectionError.status(.unixSocket(path: server.path), path: "/nothing", status: 403)
            await #expect(throws: refused) {
                try await session.download(from: "/nothing", query: [], to: folder.file("x")) { _ in }
            }
            let left = try folder.contents()
            #expect(left == ["api"])
        }
    }
}
