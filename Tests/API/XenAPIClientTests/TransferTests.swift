import Foundation
import NIOHTTP1
import Synchronization
import TestSupport
import Testing
import XenAPIClient

@Suite struct TransferTests {
    private static func task(_ call: RPCCall?, _ errors: [String] = []) -> FakePeer.Answer {
        switch call?.method {
        case "task.create": return .value(.string("OpaqueRef:t"))
        case "task.get_record", "event.from":
            let record = WireValue.members([
                ("status", .string(errors.isEmpty ? "success" : "failure")), ("progress", .double(1)),
                ("error_info", .array(errors.map(WireValue.string))),
            ])
            if call?.method == "task.get_record" { return .value(record) }
            let event = WireValue.members([
                ("class", .string("task")), ("operation", .string("add")), ("ref", .string("OpaqueRef:t")),
                ("snapshot", record),
            ])
            return .value(.members([("events", .array([event])), ("token", .string("1"))]))
        case "VDI.get_virtual_size": return .value(.string("5"))
        default: return .value(.void)
        }
    }

    private func pieces(_ pieces: [[UInt8]]) -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            for piece in pieces { continuation.yield(piece) }
            continuation.finish()
        }
    }

    @Test func bytesAreSentAndReceivedInsideATask() async throws {
        try await withPeer { request, call in
            if request.uri.hasPrefix("/import_raw_vdi") { return .http(200) }
            if request.uri.hasPrefix("/export_raw_vdi") { return .http(200, body: Array("image".utf8)) }
            return Self.task(call)
        } _: { session, peer in
            let disk = Ref<VDI>("OpaqueRef:d")
            let done = Mutex<[UInt64]>([])
            try await session.importDisk(bytes: pieces([[1, 2], [], [3]]), length: 3, format: .vhd, into: disk) {
                progress in done.withLock { $0.append(progress.done) }
            }
            #expect(done.withLock { $0 } == [2, 2, 3])
            let put = try #require(peer.requests.first { $0.method == .PUT })
            #expect(put.body == [1, 2, 3])
            let query = "vdi=OpaqueRef%3Ad&format=vhd&task_id=OpaqueRef%3At&session_id=OpaqueRef%3Asession"
            #expect(put.uri == "/import_raw_vdi?" + query)

            var image: [UInt8] = []
            for try await piece in session.contents(of: disk, format: .qcow2, changedSince: Ref("OpaqueRef:b")) {
                image += piece
            }
            #expect(String(decoding: image, as: UTF8.self) == "image")
            #expect(peer.requests.contains { $0.uri.hasPrefix("/export_raw_vdi?vdi=OpaqueRef%3Ad&format=qcow2&base=") })
            #expect(peer.calls.count { $0 == "task.destroy" } == 2)
        }
    }

    /// The server forgot the session: the transfer goes with the one that was opened for its task.
    @Test func transfersGoWithTheSessionThatIsValid() async throws {
        let logins = Mutex(0)
        let peer = try await FakePeer { request, call in
            if request.uri.contains("_raw_vdi") { return .http(200) }
            let valid = logins.withLock { $0 }
            switch call?.method {
            case "session.login_with_password":
                logins.withLock { $0 += 1 }
                return .value(.string("OpaqueRef:\(valid + 1)"))
            case "task.create" where valid == 1: return .failure(["SESSION_INVALID", "OpaqueRef:1"])
            default: return Self.task(call)
            }
        }
        try await XenAPISession.with(at: peer.address, user: "root", password: "p") { session in
            try await session.importDisk(bytes: pieces([[1]]), length: 1, into: Ref("OpaqueRef:d"))
        }
        let put = try #require(peer.requests.first { $0.method == .PUT })
        #expect(put.uri.hasSuffix("&session_id=OpaqueRef%3A2"))
        await peer.stop()
    }

    /// The connection only breaks; the task says why.
    @Test func theTaskSaysWhyATransferFailed() async throws {
        let full = ["SR_FULL", "1", "0"]
        try await withPeer { request, call in
            request.uri.contains("_raw_vdi") ? .raw([]) : Self.task(call, full)
        } _: { session, peer in
            let failure = XenAPIFailure("SR_FULL", "1", "0")
            let disk = Ref<VDI>("OpaqueRef:d")
            await #expect(throws: failure) {
                try await session.importDisk(bytes: pieces([[1]]), length: 1, into: disk)
            }
            await #expect(throws: failure) { for try await _ in session.contents(of: disk) {} }
            #expect(peer.calls.count { $0 == "task.destroy" } == 2)
        }
    }

    /// The body ended as if all were well: only the task knows better.
    @Test func anExportThatFailedLeavesNoFile() async throws {
        let folder = try ScratchFolder("transfer")
        defer { folder.remove() }
        let file = folder.file("image")
        try await withPeer { request, call in
            request.uri.contains("_raw_vdi")
                ? .http(200, body: Array("ima".utf8)) : Self.task(call, ["SR_FULL", "1", "0"])
        } _: { session, peer in
            await #expect(throws: XenAPIFailure("SR_FULL", "1", "0")) {
                try await session.exportDisk(Ref("OpaqueRef:d"), to: file)
            }
            #expect(!FileManager.default.fileExists(atPath: file))
            #expect(peer.calls.count { $0 == "task.destroy" } == 1)
            #expect(!peer.calls.contains("task.cancel"))
        }
    }

    @Test func aSequenceOfAnotherLengthOrThatFailsIsTheCallersError() async throws {
        struct Broken: Error {}
        try await withPeer { request, call in
            request.uri.contains("_raw_vdi") ? .http(200) : Self.task(call)
        } _: { session, peer in
            let disk = Ref<VDI>("OpaqueRef:d")
            for length in [UInt64(2), 4] {
                await #expect(throws: TransferFileError.self) {
                    try await session.importDisk(bytes: pieces([[1, 2, 3]]), length: length, into: disk)
                }
            }
            let broken = AsyncThrowingStream<[UInt8], any Error> { $0.finish(throwing: Broken()) }
            await #expect(throws: Broken.self) { try await session.importDisk(bytes: broken, length: 1, into: disk) }
            #expect(peer.calls.count { $0 == "task.cancel" } == 3)
        }
    }

    @Test func filesFollowToTheHostThatHasTheDisk() async throws {
        let folder = try ScratchFolder("transfer")
        defer { folder.remove() }
        let file = folder.file("image")
        try Data([7, 8, 9]).write(to: URL(fileURLWithPath: file))
        let other = try await FakePeer { request, _ in
            request.method == .PUT ? .http(200) : .http(200, body: Array("image".utf8))
        }
        let away = "http://127.0.0.1:\(other.port)"
        try await withPeer { request, call in
            guard request.uri.contains("_raw_vdi"), let path = request.uri.split(separator: "?").first else {
                return Self.task(call)
            }
            return .http(302, headers: [("Location", "\(away)\(path)?vdi=x")])
        } _: { session, _ in
            let disk = Ref<VDI>("OpaqueRef:d")
            try await session.importDisk(from: file, into: disk)
            try await session.exportDisk(disk, to: folder.file("copy"))
            var streamed: [UInt8] = []
            for try await piece in session.contents(of: disk) { streamed += piece }
            #expect(other.requests.map(\.method) == [.PUT, .GET, .GET])
            #expect(other.requests[0].body == [7, 8, 9])
            #expect(other.requests.allSatisfy { $0.uri.contains("session_id=OpaqueRef%3Asession") })
            #expect(streamed == Array("image".utf8))
            #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("copy"))) == Data("image".utf8))
        }
        await other.stop()
    }

    /// Elsewhere than to the same path at a host, and around in circles.
    @Test(arguments: ["", "ftp://127.0.0.1/export_raw_vdi", "http://127.0.0.1/other", "//x", "self"])
    func redirectionsThatLeadAstrayAreRefused(_ location: String) async throws {
        let own = Mutex("")
        try await withPeer { request, call in
            guard request.uri.hasPrefix("/export_raw_vdi") else { return Self.task(call) }
            let target = location == "self" ? own.withLock { $0 } : location
            return .http(302, headers: [("Location", target)])
        } _: { session, peer in
            own.withLock { $0 = "http://127.0.0.1:\(peer.port)/export_raw_vdi" }
            do {
                for try await _ in session.contents(of: Ref("OpaqueRef:d")) {}
                Issue.record("there is nothing to read")
            } catch let error as ConnectionError {
                guard case .redirected(_, let path, _) = error else { throw error }
                #expect(path == "/export_raw_vdi")
            }
            #expect(peer.requests.count { $0.method == .GET } == (location == "self" ? 4 : 1))
        }
    }
}
