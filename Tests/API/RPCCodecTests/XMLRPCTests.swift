import CoreTypes
import RPCCodec
import TestSupport
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

private func call(_ value: String) -> [UInt8] {
    bytes("<methodCall><methodName>a.b</methodName><params><param>\(value)</param></params></methodCall>")
}

@Suite struct XMLRPCTests {
    @Test func randomCallsSurviveARoundTrip() throws {
        var random = SeededRandom.printed()
        for _ in 0..<500 {
            let sent = RPCCall("VDI.create", (0..<3).map { _ in random.value(xml: true) })
            #expect(try XMLRPC.decodeCall(XMLRPC.encode(sent)) == sent)
            let reply = RPCReply.success(random.value(xml: true))
            #expect(try XMLRPC.decodeReply(XMLRPC.encode(reply)) == reply)
            let failure = RPCReply.failure(["INTERNAL_ERROR", random.text(xml: true)])
            #expect(try XMLRPC.decodeReply(XMLRPC.encode(failure)) == failure)
        }
    }

    @Test(arguments: [
        (WireValue.string("a<b>&\"c'\u{1}\n"), "<value>a&lt;b&gt;&amp;&quot;c'\n</value>"),
        (.int(-9_223_372_036_854_775_808), "<value>-9223372036854775808</value>"),
        (.int32(7), "<value><i4>7</i4></value>"),
        (.bool(true), "<value><boolean>1</boolean></value>"),
        (.double(0.1), "<value><double>0.1</double></value>"),
        (.double(1), "<value><double>1</double></value>"),
        (.double(1.0 / 3), "<value><double>0.3333333333333333</double></value>"),
        (.double(-1e300), "<value><double>-1e+300</double></value>"),
        (.double(.infinity), "<value><double>inf</double></value>"),
        (.dateTime("19700101T00:00:00Z"), "<value><dateTime.iso8601>19700101T00:00:00Z</dateTime.iso8601></value>"),
        (.array([]), "<value><array><data></data></array></value>"),
        (.void, "<value></value>"),
        (
            .structure([WireMember("b", .string("1")), WireMember("a", .bool(false))]),
            "<value><struct><member><name>b</name><value>1</value></member>"
                + "<member><name>a</name><value><boolean>0</boolean></value></member></struct></value>"
        ),
    ])
    func valuesHaveTheirExactSpelling(_ value: WireValue, _ expected: String) {
        #expect(XMLRPC.encodeValue(value) == expected)
    }

    /// A special letter is found wherever it is in a text, however long the text.
    @Test func escapesAreMadeAtEveryPlace() {
        var specials: [(letter: Unicode.Scalar, xml: String, json: String)] = [
            ("<", "&lt;", "<"), (">", "&gt;", ">"), ("&", "&amp;", "&"), ("\"", "&quot;", "\\\""), ("\\", "\\", "\\\\"),
            ("\r", "&#13;", "\\r"), ("\n", "\n", "\\n"), ("\t", "\t", "\\t"), ("\u{FFFF}", "", "\u{FFFF}"),
            ("\u{EFFF}", "\u{EFFF}", "\u{EFFF}"), ("é", "é", "é"),
        ]
        // All others of ASCII are as they are, or control characters.
        for code in UInt8(0)..<128 where !specials.contains(where: { $0.letter.value == UInt32(code) }) {
            let letter = Unicode.Scalar(code)
            let digits = String(code, radix: 16)
            let escape = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            specials.append(code < 0x20 ? (letter, "", escape) : (letter, String(letter), String(letter)))
        }
        for length in [0, 1, 6, 7, 8, 9, 15, 16, 17, 19] {
            for place in 0...length {
                let before = String(repeating: "a", count: place)
                let after = String(repeating: "~", count: length - place)
                for (letter, inXML, inJSON) in specials {
                    var (xml, json) = (XMLRPCWriter(), JSONWriter())
                    xml.string(before + String(letter) + after)
                    json.string(before + String(letter) + after)
                    let isRight =
                        xml.bytes == bytes("<value>\(before)\(inXML)\(after)</value>")
                        && json.bytes == bytes("\"\(before)\(inJSON)\(after)\"")
                    if !isRight { Issue.record("U+\(letter.value) at \(place) of \(length): \(text(xml.bytes))") }
                }
            }
        }
    }

    @Test func envelopesHaveTheirExactSpelling() {
        let head = "<?xml version=\"1.0\"?><methodResponse><params><param><value>"
        let tail = "</value></param></params></methodResponse>"
        #expect(
            text(XMLRPC.encode(.success(.void))) == head
                + "<struct><member><name>Status</name><value>Success</value></member>"
                + "<member><name>Value</name><value></value></member></struct>" + tail)
        #expect(
            text(XMLRPC.encode(.failure(["SESSION_INVALID", "x"]))) == head
                + "<struct><member><name>Status</name><value>Failure</value></member>"
                + "<member><name>ErrorDescription</name><value><array><data><value>SESSION_INVALID</value>"
                + "<value>x</value></data></array></value></member></struct>" + tail)
        #expect(
            text(XMLRPC.encodeBare(.array([.string("a")]))) == head
                + "<array><data><value>a</value></data></array>" + tail)
    }

    @Test(arguments: [
        ("<value/>", WireValue.string("")),
        ("<value></value>", .string("")),
        ("<value> a b </value>", .string(" a b ")),
        ("<value> <string> a </string>\n</value>", .string(" a ")),
        ("<value><string/></value>", .string("")),
        ("<value>12</value>", .string("12")),
        ("<value><int> 12 </int></value>", .int(12)),
        ("<value><i4>-3</i4></value>", .int(-3)),
        ("<value><i8>+9223372036854775807</i8></value>", .int(.max)),
        ("<value><boolean>true</boolean></value>", .bool(false)),
        ("<value><boolean>1</boolean></value>", .bool(true)),
        ("<value><double>-2.5e3</double></value>", .double(-2500)),
        ("<value><nil/></value>", .null),
        ("<value><base64>AA==</base64></value>", .base64("AA==")),
        ("<value><base64/></value>", .base64("")),
        ("<value><dateTime.iso8601>20250101T00:00:00</dateTime.iso8601></value>", .dateTime("20250101T00:00:00")),
        ("<value>a<!-- <b> -->c<![CDATA[<&>]]>&#x41;&#66;&apos;&lt;</value>", .string("ac<&>AB'<")),
        ("<value>a\r\nb\rc&#13;</value>", .string("a\nb\nc\r")),
        ("<value><array><data/></array></value>", .array([])),
        ("<value><struct/></value>", .structure([])),
        (
            "<value x='>'><struct ><member><name>n</name><value/></member></struct></value >",
            .structure([WireMember("n", .string(""))])
        ),
    ])
    func clientsMayWriteValuesInManyWays(_ written: String, _ expected: WireValue) throws {
        #expect(try XMLRPC.decodeCall(call(written)).parameters == [expected])
    }

    @Test func paramsMayBeAbsentAndTheTextMayHaveADeclaration() throws {
        let plain = "<methodCall><methodName>system.listMethods</methodName></methodCall>"
        for written in [
            plain, "\u{FEFF}" + plain, "<?xml version='1.0' encoding='UTF-8'?>\n<!-- x -->\n\(plain)\n",
            "<methodCall><methodName>system.listMethods</methodName><params/></methodCall>",
        ] {
            #expect(try XMLRPC.decodeCall(bytes(written)) == RPCCall("system.listMethods", []))
        }
    }

    @Test func faultsAndBareAnswersAreUnderstood() throws {
        let fault =
            "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value>"
            + "</member><member><name>faultString</name><value>bad</value></member></struct></value></fault>"
            + "</methodResponse>"
        #expect(try XMLRPC.decodeReply(bytes(fault)) == .failure(["Fault", "bad"]))
        let bare = WireValue.array([.string("VDI.create")])
        #expect(try XMLRPC.decodeReply(XMLRPC.encodeBare(bare)) == .success(bare))
        #expect(try XMLRPC.decodeValue("<value>OpaqueRef:1</value>") == .string("OpaqueRef:1"))
    }
}
