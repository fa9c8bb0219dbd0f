import CoreTypes
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import APIServer

/// Heads as the decoder of the server reads them.
@Suite struct RequestHeadTests {
    private func read(_ bytes: [UInt8]) throws -> RequestHead? {
        let decoder = HTTPRequestDecoder(limitConfiguration: HTTPLimits().decoding)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(decoder))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        guard case .head(let head)? = try channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        return RequestHead(head)
    }

    private func read(_ text: String) throws -> RequestHead { try #require(try read(Array(text.utf8))) }

    @Test func whatARequestSaysIsRead() throws {
        let head = try read(
            "\r\nPUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 12 \r\nX-Empty:\r\nx-list: 1\r\nX-List: 2 \t\r\n\r\n"
        )
        #expect(head.method == "PUT" && head.target == "/a%20b?c=d" && head.minorVersion == 1)
        #expect(head.framing == .length(12) && head.isKeepAlive && !head.expectsContinue && head.tunnel == nil)
        #expect(head["host"] == "x" && head["x-empty"] == "" && head["x-list"] == "1" && head["none"] == nil)
        #expect(head.allFields.map(\.name) == ["Host", "Content-Length", "X-Empty", "x-list", "X-List"])
        #expect(head.allFields.map(\.value) == ["x", "12", "", "1", "2"])
        #expect(try read("GET / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n").framing == .length(.max))
    }

    @Test(arguments: [
        ("1.1", "Connection: close", false), ("1.1", "connection: Keep-Alive, CLOSE", false),
        ("1.1", "Connection: keep-alive", true), ("1.1", "Connection: closed", true), ("1.1", "X: close", true),
        ("1.1", "Connection: upgrade\r\nUpgrade: h2c", false), ("1.1", "Upgrade: h2c", true),
        // As XenAPI servers do it.
        ("1.0", "Connection: keep-alive", false), ("1.0", "X: close", false),
    ])
    func theConnectionGoesOnUnlessToldOtherwise(_ version: String, _ field: String, _ goesOn: Bool) throws {
        #expect(try read("GET / HTTP/\(version)\r\n\(field)\r\n\r\n").isKeepAlive == goesOn)
    }

    @Test func aCodedBodyHasNoLength() throws {
        #expect(try read("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").framing == .coded)
        #expect(try read("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n").expectsContinue)
    }

    @Test func tunnelsAreKnownByTheirRequests() throws {
        let upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
        #expect(try read("CONNECT /console?uuid=x HTTP/1.0\r\n\r\n").tunnel == .bytes)
        #expect(try read("GET /console HTTP/1.1\r\n\(upgrade)").tunnel == .webSocket)
        #expect(try read("GET /console HTTP/1.0\r\n\(upgrade)").tunnel == nil)
        #expect(try read("POST /console HTTP/1.1\r\n\(upgrade)").tunnel == nil)
        #expect(try read("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").tunnel == nil)
    }

    @Test(arguments: [
        ("GET\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET / HTTP/1.2\r\n\r\n", 400),
        ("GET / http/1.1\r\n\r\n", 400), ("G ET / HTTP/1.1\r\n\r\n", 400), ("GET /a b HTTP/1.1\r\n\r\n", 400),
        ("GET  HTTP/1.1\r\n\r\n", 400), ("GET /\u{1} HTTP/1.1\r\n\r\n", 400), ("G(T / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA\r\n\r\n", 400), ("GET / HTTP/1.1\r\n: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA: \u{0}\r\n\r\n", 400), ("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", 400),
        ("GET / HTTP/1.0\nA: b\n\n", 400), ("GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 1,1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 129) + "\r\n", 431),
        ("GET / HTTP/1.1\r\nA: " + String(repeating: "b", count: 33_000), 431),
        ("GET /" + String(repeating: "b", count: 33_000), 431),
    ])
    func whatIsNoRequestIsRefused(_ text: String, _ status: Int) throws {
        do {
            _ = try read(Array(text.utf8))
            Issue.record("accepted")
        } catch {
            let told = try #require(Malformed(error, limits: HTTPLimits()))
            #expect(told.status.code == status && !told.reason.isEmpty)
        }
    }

    @Test func noDamageTraps() {
        var random = SeededRandom.printed()
        let good = Array("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: close, x\r\n\r\n".utf8)
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes.removeLast(Int.random(in: 0...bytes.count / 2, using: &random))
            // Any outcome is right; a trap would end the test run.
            do { _ = try read(bytes)?.allFields } catch { #expect(Malformed(error, limits: HTTPLimits()) != nil) }
        }
    }

    /// Another maker's toolstack asks so for an NBD export; what it sends behind the head is that's, in HTTP/1.0 as in 1.1.
    @Test(arguments: ["1.0", "1.1"]) func aPutForAnExportIsATunnel(version: String) throws {
        let path = "/services/SM/nbd/0/sr/disk/dp?session_id=x"
        #expect(try read("PUT \(path) HTTP/\(version)\r\nHost: x\r\n\r\n").tunnel == .bytes)
        #expect(try read("PUT \(path) HTTP/\(version)\r\nTransfer-Encoding: chunked\r\n\r\n").tunnel == .bytes)
        #expect(try read("GET \(path) HTTP/\(version)\r\nHost: x\r\n\r\n").tunnel == nil)
        #expect(try read("PUT /import?x=/services/SM/nbd HTTP/\(version)\r\nHost: x\r\n\r\n").tunnel == nil)
    }
}
