import CoreTypes
import RPCCodec
import TestSupport
import Testing

private func request(_ text: String) throws(RPCError) -> JSONRPC.Request {
    try JSONRPC.decodeRequest(Array(text.utf8))
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct JSONRPCTests {
    @Test func randomRequestsAndAnswersSurviveARoundTrip() throws {
        var random = SeededRandom.printed()
        for round in 0..<500 {
            let version: JSONRPC.Version = round % 2 == 0 ? .v1 : .v2
            let sent = JSONRPC.Request(
                RPCCall("SR.scan", [random.value(xml: false), .double(0.5)]),
                id: round % 3 == 0 ? .int(Int64(round)) : .string("id \(round)"), version: version)
            #expect(try JSONRPC.decodeRequest(JSONRPC.encode(sent)) == sent)
            for reply in [RPCReply.success(random.value(xml: false)), .failure(["X", random.text(xml: false)])] {
                let (back, id) = try JSONRPC.decodeReply(JSONRPC.encode(reply, to: sent))
                #expect(back == reply)
                #expect(id == sent.id)
            }
        }
    }

    @Test func answersHaveTheirExactSpelling() throws {
        let one = try request(#"{"method":"a.b","params":[],"id":5}"#)
        let two = try request(#"{"jsonrpc":"2.0","method":"a.b","id":"x"}"#)
        let error = RPCReply.failure(["CODE", "p1", "p2"])
        #expect(text(JSONRPC.encode(.success(.int(1)), to: one)) == #"{"result":1,"error":null,"id":5}"#)
        #expect(text(JSONRPC.encode(error, to: one)) == #"{"result":null,"error":["CODE","p1","p2"],"id":5}"#)
        #expect(text(JSONRPC.encode(.success(.void), to: two)) == #"{"jsonrpc":"2.0","result":"","id":"x"}"#)
        #expect(
            text(JSONRPC.encode(error, to: two))
                == #"{"jsonrpc":"2.0","error":{"code":1,"message":"CODE","data":["p1","p2"]},"id":"x"}"#)
        #expect(
            text(JSONRPC.encodeEarlyFailure(["HOST_STILL_BOOTING"]))
                == #"{"jsonrpc":"2.0","error":["HOST_STILL_BOOTING"],"id":0}"#)
        #expect(try JSONRPC.decodeReply(JSONRPC.encodeEarlyFailure(["A", "b"])).reply == .failure(["A", "b"]))
    }

    @Test func paramsMayBeAnObjectOrAbsentInVersionTwoOnly() throws {
        let object = try request(#"{"jsonrpc":"2.0","method":"a.b","params":{"x":1},"id":1}"#)
        #expect(object.call.parameters == [.structure([WireMember("x", .int(1))])])
        #expect(try request(#"{"jsonrpc":"2.0","method":"a.b","id":1}"#).call.parameters.isEmpty)
        for bad in [
            #"{"method":"a.b","params":{"x":1},"id":1}"#, #"{"method":"a.b","id":1}"#,
            #"{"method":"a.b","params":[]}"#, #"{"method":"a.b","params":[],"id":null}"#,
            #"{"method":"a.b","params":[],"id":1.5}"#, #"{"params":[],"id":1}"#, "[]",
            #"{"jsonrpc":"3.0","method":"a.b","params":[],"id":1}"#,
        ] {
            #expect(throws: RPCError.self) { try request(bad) }
        }
    }

    @Test(arguments: [
        ("9223372036854775807", WireValue.int(.max)), ("-0", .int(0)), ("9223372036854775808", .double(0x1p63)),
        ("1.0", .double(1)), ("1E2", .double(100)), (#""\u00e9\ud83d\ude00\/""#, .string("é😀/")),
        (" [ true , null ] ", .array([.bool(true), .null])),
    ])
    func jsonIsReadIntoValues(_ text: String, _ expected: WireValue) throws {
        #expect(try JSONText.decode(text) == expected)
    }

    @Test(arguments: [
        (WireValue.double(1), "1.0"), (.double(1e22), "1e+22"), (.double(.nan), "null"), (.int32(3), "3"),
        (.string("\u{1}\"\\\n😀"), #""\u0001\"\\\n😀""#), (.dateTime("20250101T00:00:00Z"), "\"20250101T00:00:00Z\""),
    ])
    func valuesAreWrittenAsJSON(_ value: WireValue, _ expected: String) {
        #expect(JSONText.encode(value) == expected)
    }
}
