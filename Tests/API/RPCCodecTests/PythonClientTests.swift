import CoreTypes
import RPCCodec
import TestSupport
import Testing

/// Python's own XML-RPC library on the other side: what the stock SDK uses.
@Suite struct PythonClientTests {
    /// Prints a call marshalled by Python; values are what the SDK's users pass.
    private static let marshal = """
        import sys, datetime, xmlrpc.client as x
        s = sys.stdin.buffer.read().decode()
        print(x.dumps((s, 7, -2**31, True, 0.25, [s, []], {"k": s, "e": {}}, x.DateTime("20250102T03:04:05Z"), None),
            "VDI.create", allow_none=True), end="")
        """

    @Test func callsMarshalledByPythonAreReadRight() throws {
        var random = SeededRandom.printed()
        for _ in 0..<5 {
            // Python writes a carriage return bare, and XML makes a line feed of it. By scalars: "\r\n" is one character.
            let written = random.text(xml: true).unicodeScalars.filter { $0 != "\r" }
            let text = String(String.UnicodeScalarView(written)) + "é<&>\n"
            let marshalled = try Tool.check("python3", ["-c", Self.marshal], input: text)
            let call = try XMLRPC.decodeCall(Array(marshalled.utf8))
            #expect(call.method == "VDI.create")
            #expect(
                call.parameters == [
                    .string(text), .int(7), .int(-2_147_483_648), .bool(true), .double(0.25),
                    .array([.string(text), .array([])]),
                    .structure([WireMember("k", .string(text)), WireMember("e", .structure([]))]),
                    .dateTime("20250102T03:04:05Z"), .null,
                ])
        }
    }

    /// Reads a response and prints it as JSON.
    private static let unmarshal = """
        import sys, json, xmlrpc.client as x
        def plain(v):
            if isinstance(v, x.DateTime): return v.value
            if isinstance(v, dict): return {k: plain(w) for k, w in v.items()}
            if isinstance(v, list): return [plain(w) for w in v]
            return v
        print(json.dumps(plain(x.loads(sys.stdin.buffer.read())[0][0])))
        """

    @Test func answersOfOursAreReadRightByPython() throws {
        var random = SeededRandom.printed()
        let value = WireValue.structure([
            WireMember("text", .string(random.text(xml: true) + "]]>\r\n\u{1F600}")),
            WireMember("size", .int(8_589_934_592)), WireMember("count", .int32(3)), WireMember("flag", .bool(true)),
            WireMember("ratio", .double(0.5)), WireMember("when", .dateTime("20250102T03:04:05Z")),
            WireMember("list", .array([.string(""), .array([]), .structure([])])),
        ])
        let printed = try Tool.check(
            "python3", ["-c", Self.unmarshal],
            input: String(decoding: XMLRPC.encode(.success(value)), as: UTF8.self))
        let read = try JSONText.decode(printed.trimmingSuffix { $0.isWhitespace })
        #expect(read["Status"] == .string("Success"))
        #expect(read["Value"]?["text"] == value["text"])
        #expect(read["Value"]?["size"] == .string("8589934592"))
        #expect(read["Value"]?["count"] == .int(3))
        #expect(read["Value"]?["flag"] == .bool(true))
        #expect(read["Value"]?["ratio"] == .double(0.5))
        #expect(read["Value"]?["when"] == .string("20250102T03:04:05Z"))
        #expect(read["Value"]?["list"] == value["list"])
    }
}

extension String {
    fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> String {
        var rest = Substring(self)
        while let last = rest.last, matches(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
