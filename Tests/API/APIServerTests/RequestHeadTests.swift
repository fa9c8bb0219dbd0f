import CoreTypes
import TestSupport
import Testing

@testable import APIServer

@Suite struct RequestHeadTests {
    private func read(_ text: String) throws -> RequestHead { try RequestHead(Array(text.utf8)) }

    @Test func whatARequestSaysIsRead() throws {
        let head = try read(
            "\r\nPUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 12 \r\nX-Empty:\r\nx-list: 1\r\nX-List: 2\r\n\r\n"
        )
        #expect(head.method == "PUT" && head.target == "/a%20b?c=d" && head.minorVersion == 1)
        #expect(head.framing == .length(12) && head.isKeepAlive && !head.expectsContinue)
        #expect(head["host"] == "x" && head["x-empty"] == "" && head["x-list"] == "1" && head["none"] == nil)
        #expect(head.allFields.map(\.name) == ["Host", "Content-Length", "X-Empty", "x-list", "X-List"])
    }

    @Test func lineFeedsAloneEndLines() throws {
        let head = try read("GET / HTTP/1.0\nA: b\n\n")
        #expect(head["a"] == "b" && head.minorVersion == 0 && !head.isKeepAlive && head.framing == .none)
    }

    @Test(arguments: [
        ("Connection: close", false), ("connection: Keep-Alive, CLOSE", false), ("Connection: keep-alive", true),
        ("Connection: closed", true), ("X: close", true),
    ])
    func theConnectionGoesOnUnlessToldOtherwise(_ field: String, _ goesOn: Bool) throws {
        #expect(try read("GET / HTTP/1.1\r\n\(field)\r\n\r\n").isKeepAlive == goesOn)
    }

    @Test func aCodedBodyHasNoLength() throws {
        let head = try read("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(head.framing == .coded)
        #expect(try read("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n").expectsContinue)
        #expect(
            try read("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n").framing == .length(5))
    }

    @Test(arguments: [
        ("\r\n\r\n", 400), ("GET\r\n\r\n", 400), ("GET /\r\n\r\n", 400), ("GET / HTTP/1.2\r\n\r\n", 400),
        ("GET / http/1.1\r\n\r\n", 400), ("G ET / HTTP/1.1\r\n\r\n", 400), ("GET /a b HTTP/1.1\r\n\r\n", 400),
        ("GET  HTTP/1.1\r\n\r\n", 400), ("GET /\u{1} HTTP/1.1\r\n\r\n", 400), ("G(T / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA\r\n\r\n", 400), ("GET / HTTP/1.1\r\n: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA: \u{0}\r\n\r\n", 400), ("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400), ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 1,1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 129) + "\r\n", 431),
    ])
    func whatIsNoRequestIsRefused(_ text: String, _ status: Int) {
        do throws(RequestHead.Malformed) {
            _ = try RequestHead(Array(text.utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.status == status)
        }
    }

    @Test func noDamageTraps() {
        var random = SeededRandom.printed()
        let good = Array("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: close, x\r\n\r\n".utf8)
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes.removeLast(Int.random(in: 0...bytes.count / 2, using: &random))
            // Either outcome is right; a trap would end the test run.
            _ = try? RequestHead(bytes).allFields
        }
    }
}
