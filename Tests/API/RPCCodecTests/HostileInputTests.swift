import CoreTypes
import RPCCodec
import TestSupport
import Testing

private func decode(_ text: String) throws(RPCError) -> RPCCall { try XMLRPC.decodeCall(Array(text.utf8)) }

private func kind(of work: () throws(RPCError) -> Void) -> RPCError.Kind? {
    do throws(RPCError) {
        try work()
        return nil
    } catch { return error.kind }
}

@Suite struct HostileInputTests {
    private static func call(_ value: String) -> String {
        "<methodCall><methodName>a.b</methodName><params><param>\(value)</param></params></methodCall>"
    }

    @Test(arguments: [
        ("", RPCError.Kind.malformed),
        ("<methodCall>", .malformed),
        ("x<methodCall/>", .malformed),
        ("<methodResponse/>", .malformed),
        (call("<value><int>12x</int></value>"), .malformed),
        (call("<value><int>9223372036854775808</int></value>"), .malformed),
        (call("<value><double>one</double></value>"), .malformed),
        (call("<value>a<int>1</int></value>"), .malformed),
        (call("<value><int>1</int>a</value>"), .malformed),
        (call("<value><int>1</string></value>"), .malformed),
        (call("<value><base64>AA==<b/></base64></value>"), .malformed),
        (call("<value><base16>AA==</base16></value>"), .malformed),
        (call("<value><struct><name>a</name></struct></value>"), .malformed),
        (call("<value>\u{1}</value>"), .malformed),
        (call("<value/>") + "<more/>", .malformed),
        ("<!DOCTYPE methodCall [<!ENTITY a \"b\">]>" + call("<value>&a;</value>"), .forbidden),
        ("<?php x?>" + call("<value/>"), .forbidden),
        (call("<value>&a;</value>"), .forbidden),
        (call("<value>&#0;</value>"), .forbidden),
        (call("<value>&#xD800;</value>"), .forbidden),
        (call("<value>&#x110000;</value>"), .forbidden),
        ("<?xml version='1.0' encoding='UTF-16'?>" + call("<value/>"), .forbidden),
    ])
    func badCallsAreRefusedWithTheirReason(_ text: String, _ expected: RPCError.Kind) {
        #expect(kind { () throws(RPCError) in _ = try decode(text) } == expected)
    }

    @Test func textThatIsNotUTF8IsNamed() {
        var bytes = Array(Self.call("<value>abXc</value>").utf8)
        bytes[bytes.firstIndex(of: UInt8(ascii: "X")) ?? 0] = 0xFF
        do throws(RPCError) {
            _ = try XMLRPC.decodeCall(bytes)
            Issue.record("accepted")
        } catch {
            #expect(error.kind == .invalidUTF8)
            #expect(error.offendingText == "ab\u{FFFD}c")
        }
        #expect(
            kind { () throws(RPCError) in _ = try JSONRPC.decodeRequest([0x22, 0xC0, 0x80, 0x22]) } == .invalidUTF8)
    }

    @Test func depthIsBounded() throws {
        func xml(_ depth: Int) -> String {
            Self.call(
                String(repeating: "<value><array><data>", count: depth - 1) + "<value>x</value>"
                    + String(repeating: "</data></array></value>", count: depth - 1))
        }
        func json(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try decode(xml(WireLimits.depth))
        _ = try JSONText.decode(json(WireLimits.depth))
        for depth in [WireLimits.depth + 1, 100_000] {
            #expect(kind { () throws(RPCError) in _ = try decode(xml(depth)) } == .tooDeep)
            #expect(kind { () throws(RPCError) in _ = try JSONText.decode(json(depth)) } == .tooDeep)
        }
        let structures = String(repeating: "<value><struct><member><name>a</name>", count: 1000)
        #expect(kind { () throws(RPCError) in _ = try decode(Self.call(structures)) } == .tooDeep)
    }

    @Test func everyTruncationIsAnErrorAndNoDamageTraps() throws {
        var random = SeededRandom.printed()
        let call = RPCCall(
            "VDI.create", [random.value(xml: true), .structure([WireMember("a", .array([.double(1)]))])])
        let xml = XMLRPC.encode(call)
        for length in 0..<xml.count {
            #expect(throws: RPCError.self) { try XMLRPC.decodeCall(Array(xml.prefix(length))) }
        }
        let request = JSONRPC.Request(
            RPCCall("VDI.create", [random.value(xml: false), .string("\u{1}é\u{1F600}")]), id: .string("1"))
        let json = JSONRPC.encode(request)
        for length in 0..<json.count {
            #expect(throws: RPCError.self) { try JSONRPC.decodeRequest(Array(json.prefix(length))) }
        }
        for source in [xml, json] {
            for _ in 0..<3000 {
                var damaged = source
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8(
                        truncatingIfNeeded: random.next())
                }
                // Either outcome is right; a trap would end the test run.
                _ = try? XMLRPC.decodeCall(damaged)
                _ = try? XMLRPC.decodeReply(damaged)
                _ = try? JSONRPC.decodeRequest(damaged)
            }
        }
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "-", "1.", "1e", "+1", "nul", "\"\\x\"", "\"\\u12\"",
        "\"\\uD800\"", "\"\\uD800\\u0041\"", "\"\\uDC00\"", "\"\n\"", "1 2", "[1 2]", "\"\\u+123\"", "1e999999x",
    ])
    func badJSONIsRefused(_ text: String) {
        #expect(throws: RPCError.self) { try JSONText.decode(text) }
    }
}
