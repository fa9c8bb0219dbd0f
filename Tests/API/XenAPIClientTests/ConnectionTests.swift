import Glibc
import NIOCore
import Synchronization
import Testing

@testable import XenAPIClient

@Suite struct ConnectionTests {
    private static func options(_ encoding: XenAPISession.Encoding) -> XenAPISession.Options {
        var options = XenAPISession.Options()
        options.encoding = encoding
        return options
    }

    @Test(arguments: [XenAPISession.Encoding.xmlRPC, .jsonRPC])
    func callsAndFailuresTravelInBothEncodings(_ encoding: XenAPISession.Encoding) async throws {
        try await withPeer(Self.options(encoding)) { _, call in
            switch call?.method {
            case "VDI.get_virtual_size": .value(.int(1 << 40))
            case "VDI.get_by_uuid": .failure(["UUID_INVALID", "VDI", "x"])
            default: .http(500)
            }
        } _: { session, peer in
            let size = try await session.vdi.get(\.virtualSize, of: Ref("OpaqueRef:d"))
            #expect(size == 1 << 40)
            await #expect(throws: XenAPIFailure("UUID_INVALID", "VDI", "x")) {
                try await session.vdi.getByUUID("x")
            }
            #expect(peer.requests.allSatisfy { $0.uri == (encoding == .jsonRPC ? "/jsonrpc" : "/") })
            #expect(peer.requests.last?.call?.parameters == [.string("OpaqueRef:session"), .string("x")])
        }
    }

    /// What an odd server answers, and what comes of it.
    @Test func answersThatAreNoneBecomeErrorsOfTheConnection() async throws {
        let cut = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<?xml version=\"1.0\"?><methodRes".utf8)
        try await withPeer { _, call in
            switch call?.method {
            case "a.unauthorised": .http(401, headers: [("WWW-Authenticate", "Basic realm=\"x\"")])
            case "a.broken": .http(500, body: Array("<html>Internal Error</html>".utf8))
            case "a.moved": .http(302, headers: [("Location", "https://example.org/")])
            case "a.page": .http(200, body: Array("<html><body>hello</body></html>".utf8))
            case "a.cut": .raw(cut)
            case "a.closed": .raw([])
            default: .raw(Array("SSH-2.0-OpenSSH\r\n".utf8))
            }
        } _: { session, peer in
            func outcome(_ method: String) async -> ConnectionError? {
                do {
                    _ = try await session.call(method, [])
                    return nil
                } catch { return error as? ConnectionError }
            }
            #expect(await outcome("a.unauthorised") == .status(peer.address, path: "/", status: 401))
            #expect(await outcome("a.broken") == .status(peer.address, path: "/", status: 500))
            #expect(
                await outcome("a.moved")
                    == .redirected(peer.address, path: "/", location: "https://example.org/"))
            if case .malformed? = await outcome("a.page") {} else { Issue.record("a page is no reply") }
            for method in ["a.cut", "a.closed", "a.other"] {
                if case .lost? = await outcome(method) {} else { Issue.record("\(method) broke the connection") }
            }
        }
    }

    @Test func anEndlessAnswerIsCutOff() async throws {
        var options = XenAPISession.Options()
        options.longestReply = 1 << 20
        try await withPeer(options) { _, _ in
            .endless([UInt8](repeating: 32, count: 65536))
        } _: { session, peer in
            let error = ConnectionError.malformed(peer.address, reason: "the answer is longer than 1048576 bytes")
            await #expect(throws: error) { _ = try await session.vdi.getAll() }
        }
    }

    @Test func aCallThatMayTakeSoLongTakesNoLonger() async throws {
        var options = XenAPISession.Options()
        // It holds for the login as well, which is to be through.
        options.callTimeout = .milliseconds(700)
        let begun = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<?xml version=\"1.0\"?>".utf8)
        for answer in [FakePeer.Answer.silence, .stalled(begun)] {
            try await withPeer(options) { _, _ in
                answer
            } _: { session, peer in
                let error = ConnectionError.lost(peer.address, reason: "the call took longer than it may")
                await #expect(throws: error) { _ = try await session.vdi.getAll() }
            }
        }
    }

    @Test func callsThatWaitMayTakeLongerThanTheyWereToldToWait() {
        var options = XenAPISession.Options()
        options.callTimeout = .seconds(5)
        func limit(_ method: String, _ timeout: WireValue) -> Duration? {
            HTTPTransport.limit(of: method, [.string("OpaqueRef:s"), .array([]), .string(""), timeout], options)
        }
        #expect(limit("event.from", .double(30)) == .seconds(150))
        #expect(limit("event.from", .int(0)) == .seconds(120))
        for odd in [WireValue.double(-1), .double(.nan), .double(.infinity), .double(1e300), .null] {
            #expect(limit("event.from", odd) == nil)
        }
        #expect(limit("event.next", .double(30)) == nil)
        #expect(limit("VDI.copy", .double(30)) == .seconds(5))
    }

    /// More at a time than the HTTP library opens connections by itself.
    @Test func callsThatWaitDoNotKeepOthersFromBeingMade() async throws {
        try await withPeer { _, call in
            call?.method == "event.from" ? .silence : .value(.array([]))
        } _: { session, peer in
            let waiting = (0..<20).map { _ in
                Task { for try await _ in session.events(of: ["vm"]) {} }
            }
            while peer.calls.count(where: { $0 == "event.from" }) < 20 { await Task.yield() }
            let disks = try await session.vdi.getAll()
            #expect(disks.isEmpty)
            for task in waiting {
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
    }

    /// "Nothing was sent" is said only of connections that did not come about.
    @Test func openConnectionsThatTheNetworkDropsAreLost() {
        for code in [ETIMEDOUT, EHOSTUNREACH, ENETUNREACH] {
            #expect(!HTTPTransport.isFromConnect(IOError(errnoCode: code, reason: "read(descriptor:pointer:size:)")))
            #expect(HTTPTransport.isFromConnect(IOError(errnoCode: code, reason: "connect(descriptor:addr:size:)")))
        }
        #expect(HTTPTransport.isFromConnect(IOError(errnoCode: ECONNREFUSED, reason: "connection reset (error set)")))
    }

    @Test func aCancelledTaskLogsOutThoughItSucceeded() async throws {
        let peer = try await FakePeer { _, _ in .value(.string("OpaqueRef:s")) }
        let (entered, report) = AsyncStream.makeStream(of: Bool.self)
        let task = Task {
            try await XenAPISession.with(at: peer.address, user: "root", password: "p") { _ in
                report.yield(true)
                while !Task.isCancelled { await Task.yield() }
            }
        }
        var first = entered.makeAsyncIterator()
        #expect(await first.next() == true)
        task.cancel()
        try await task.value
        #expect(peer.calls == ["session.login_with_password", "session.logout"])
        await peer.stop()
    }

    @Test func logoutIsMadeInACancelledTaskToo() async throws {
        let peer = try await FakePeer { _, _ in .value(.string("OpaqueRef:s")) }
        let session = try await XenAPISession.login(at: peer.address, user: "root", password: "p")
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await session.logout()
        }
        task.cancel()
        await task.value
        #expect(peer.calls == ["session.login_with_password", "session.logout"])
        await peer.stop()
    }

    /// Another session, that somebody was given, ends; this one goes on.
    @Test func aSessionThatWasMadeForSomebodyElseIsEnded() async throws {
        let peer = try await FakePeer { _, call in
            call?.parameters.first?.text == "OpaqueRef:over"
                ? .failure(["SESSION_INVALID", "OpaqueRef:over"]) : .value(.string("OpaqueRef:s"))
        }
        let session = try await XenAPISession.login(at: peer.address, user: "root", password: "p")
        for other in ["OpaqueRef:other", "OpaqueRef:over"] { await session.endSession(other) }
        _ = try await session.call("pool.get_all", [])
        let calls = peer.requests.compactMap(\.call).dropFirst()
        #expect(calls.map(\.method) == ["session.logout", "session.logout", "pool.get_all"])
        #expect(
            calls.map { $0.parameters.map(\.text) } == [["OpaqueRef:other"], ["OpaqueRef:over"], ["OpaqueRef:s"]])
        await peer.stop()
        await session.endSession("OpaqueRef:late")
        await session.close()
    }

    // MARK: - Coordinators

    /// The same port at two addresses of this machine: a member and the coordinator that it names.
    @Test func aMemberLeadsToItsCoordinator() async throws {
        let coordinator = try await FakePeer(host: "127.0.0.2") { _, call in
            call?.method == "session.login_with_password" ? .value(.string("OpaqueRef:there")) : .value(.array([]))
        }
        let member = try await FakePeer(port: coordinator.port) { _, _ in .failure(["HOST_IS_SLAVE", "127.0.0.2"]) }
        let session = try await XenAPISession.login(at: member.address, user: "root", password: "p")
        #expect(session.address == coordinator.address && session.ref == "OpaqueRef:there")
        #expect(try await session.vdi.getAll() == [])
        await session.logout()
        #expect(member.calls == ["session.login_with_password"])
        #expect(coordinator.calls == ["session.login_with_password", "VDI.get_all", "session.logout"])

        var options = XenAPISession.Options()
        options.followsCoordinator = false
        await #expect(throws: XenAPIFailure("HOST_IS_SLAVE", "127.0.0.2")) {
            try await XenAPISession.login(at: member.address, user: "root", password: "p", options: options)
        }
        await member.stop()
        await coordinator.stop()
    }

    @Test(arguments: ["127.0.0.1", "x/../y", "a@b", "", "host name"])
    func hostsThatSendInCirclesOrNowhereAreRefused(_ name: String) async throws {
        let peer = try await FakePeer { _, _ in .failure(["HOST_IS_SLAVE", name]) }
        await #expect(throws: XenAPIFailure("HOST_IS_SLAVE", name)) {
            try await XenAPISession.login(at: peer.address, user: "root", password: "p")
        }
        #expect(peer.calls.count == 1)
        await peer.stop()
    }

    @Test func aSessionMovesWithTheCoordinator() async throws {
        let next = try await FakePeer(host: "127.0.0.2") { _, call in
            call?.method == "session.login_with_password" ? .value(.string("OpaqueRef:b")) : .value(.array([]))
        }
        let isMember = Mutex(false)
        let first = try await FakePeer(port: next.port) { _, call in
            if isMember.withLock({ $0 }) { return .failure(["HOST_IS_SLAVE", "127.0.0.2"]) }
            return call?.method == "session.login_with_password" ? .value(.string("OpaqueRef:a")) : .value(.array([]))
        }
        let session = try await XenAPISession.login(at: first.address, user: "root", password: "p")
        #expect(try await session.sr.getAll() == [])
        isMember.withLock { $0 = true }
        #expect(try await session.sr.getAll() == [])
        #expect(session.address == next.address && session.ref == "OpaqueRef:b" && session.loginCount == 2)
        await session.logout()
        await first.stop()
        await next.stop()
    }

    // MARK: - Sessions that the server forgot

    private func forgetful() async throws -> (peer: FakePeer, restart: @Sendable () -> Void) {
        let valid = Mutex(0)
        let peer = try await FakePeer { _, call in
            if call?.method == "session.login_with_password" {
                return .value(.string("OpaqueRef:\(valid.withLock { $0 })"))
            }
            guard case .string(let ref)? = call?.parameters.first, ref == "OpaqueRef:\(valid.withLock { $0 })" else {
                return .failure(["SESSION_INVALID", call?.parameters.first?.text ?? ""])
            }
            return .value(.array([]))
        }
        return (peer, { valid.withLock { $0 += 1 } })
    }

    @Test func aForgottenSessionIsOpenedAnewOnceForAllCalls() async throws {
        let (peer, restart) = try await forgetful()
        let session = try await XenAPISession.login(at: peer.address, user: "root", password: "p")
        for _ in 0..<3 {
            restart()
            try await withThrowingTaskGroup(of: [Ref<VDI>].self) { group in
                for _ in 0..<20 { group.addTask { try await session.vdi.getAll() } }
                for try await disks in group { #expect(disks == []) }
            }
        }
        #expect(session.loginCount == 4)
        #expect(peer.calls.count { $0 == "session.login_with_password" } == 4)
        await session.logout()
        await peer.stop()
    }

    @Test func withoutLeaveOrAfterItsEndASessionStaysForgotten() async throws {
        let (peer, restart) = try await forgetful()
        var options = XenAPISession.Options()
        options.reconnects = false
        let once = try await XenAPISession.login(at: peer.address, user: "root", password: "p", options: options)
        let attached = XenAPISession.attached(to: once.ref, at: peer.address)
        #expect(try await attached.vdi.getAll() == [])
        restart()
        for session in [once, attached] {
            await #expect(throws: XenAPIFailure("SESSION_INVALID", "OpaqueRef:0")) { try await session.vdi.getAll() }
        }
        await attached.close()
        await once.logout()
        #expect(peer.calls.count { $0 == "session.login_with_password" } == 1)
        await peer.stop()
    }

    /// What the server says of another session is no reason to open this one anew.
    @Test func aWordAboutAnotherSessionIsLeftAlone() async throws {
        try await withPeer { _, _ in
            .failure(["SESSION_INVALID", "OpaqueRef:other"])
        } _: { session, peer in
            await #expect(throws: XenAPIFailure("SESSION_INVALID", "OpaqueRef:other")) {
                try await session.vdi.getAll()
            }
            #expect(session.loginCount == 1)
        }
    }

    /// A session that nobody logs out of: the process lives on.
    @Test func aSessionMayBeLetGo() async throws {
        let peer = try await FakePeer { _, _ in .value(.string("OpaqueRef:s")) }
        _ = try await XenAPISession.login(at: peer.address, user: "root", password: "p")
        await peer.stop()
    }

    @Test func theVersionIsTheCoordinators() async throws {
        try await withPeer { _, call in
            switch call?.method {
            case "pool.get_all": .value(.array([.string("OpaqueRef:p")]))
            case "pool.get_master": .value(.string("OpaqueRef:h"))
            case "host.get_API_version_major": .value(.string("2"))
            case "host.get_API_version_minor": .value(.string("9"))
            default: .http(500)
            }
        } _: { session, _ in
            let version = try await session.apiVersion()
            #expect(version == APIVersion(2, 9) && version < .ofLibrary && APIVersion(1, 30) < version)
        }
    }

    @Test func fingerprintsAreReadInEachSpelling() throws {
        let text = (0..<32).map { String($0 + 16, radix: 16, uppercase: true) }.joined(separator: ":")
        let print = try #require(CertificateFingerprint(text))
        #expect(print.description == text)
        #expect(CertificateFingerprint(text.replacing(":", with: "").lowercased()) == print)
        #expect(CertificateFingerprint(String(text.dropLast())) == nil && CertificateFingerprint("") == nil)
        #expect(CertificateFingerprint(String(repeating: "é", count: 32)) == nil)
        #expect(throws: (any Error).self) { try CertificatePolicy.known(pem: "no certificate") }
    }

    /// Of a stream that is asked for: whether it begins, and how it is written.
    @Test func anAnswerSaysWhatItGrants() {
        func answer(_ lines: String...) -> RelayAnswer {
            RelayAnswer(head: Array(lines.joined(separator: "\r\n").utf8))
        }
        let field = (name: "x-coding", value: "zstd")
        for granted in ["x-coding: zstd", "A: b\r\nX-Coding:\t zstd \t\r\nc", "x-coding:zstd\r\nx-coding: none"] {
            let answer = answer("HTTP/1.1 200 OK", granted)
            #expect(answer.isGranted && answer.says(field), "\(granted)")
        }
        for plain in ["", "x-coding: zstd, gzip", "x-coding", "x-coding : zstd", "x-codings: zstd", "x-coding: ZSTD"] {
            let answer = answer("HTTP/1.0 200 OK", plain)
            #expect(answer.isGranted && !answer.says(field), "\(plain)")
        }
        for refused in ["", "HTTP/1.1 403 Forbidden", "HTTP/1.1", "200"] { #expect(!answer(refused).isGranted) }
        #expect(answer("HTTP/1.1 403 Forbidden", "x: y").line == "HTTP/1.1 403 Forbidden")
    }
}
