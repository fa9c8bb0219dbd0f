import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@testable import APIServer

@Suite struct RecordStreamTests {
    /// Python reads the answer in one go, so a wrong length would break it off or leave it waiting.
    @Test func allRecordsArriveWholeInBothEncodings() async throws {
        let host = try await TestHost()
        let names = (0..<2000).map { "disk <\($0)> \"é\\" }
        try await host.database.transaction { transaction in
            for name in names {
                transaction.insert(VDI.self, ref: .new()) { row in
                    row[VDI.nameLabel] = name
                    row[field: "sm_config"] = .map(["k": .string(name), "a": .string("&")])
                }
            }
        }
        let service = try await host.serve()
        let session = try await host.login()
        let script = """
            import http.client, json, sys, xmlrpc.client
            url, session, names = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
            server = xmlrpc.client.ServerProxy(url)
            first = server.VDI.get_all_records(session)["Value"]
            assert sorted(r["name_label"] for r in first.values()) == sorted(names)
            assert all(r["sm_config"] == {"a": "&", "k": r["name_label"]} for r in first.values())
            some = server.VDI.get_all_records_where(session, 'field "name__label" = "%s"' % "none")["Value"]
            assert some == {}, some
            ref = next(iter(first))
            assert server.VDI.get_record(session, ref)["Value"] == first[ref]
            c = http.client.HTTPConnection(url.split("//")[1])
            for version, extra in [(1, {}), (2, {"jsonrpc": "2.0"})]:
                # The same connection twice: an answer that is longer than announced would be in the way.
                c.request("POST", "/jsonrpc", json.dumps(
                    dict(extra, method="VDI.get_all_records", params=[session], id=version)))
                reply = json.load(c.getresponse())
                assert reply["id"] == version and set(reply["result"]) == set(first), version
                assert reply["result"][ref]["name_label"] == first[ref]["name_label"]
                assert isinstance(reply["result"][ref]["virtual_size"], int)
            print("done")
            """
        let list = JSONText.encode(.array(names.map(WireValue.string)))
        #expect(try await Clients.python(script, [try #require(service.httpURL), session, list]) == "done\n")
        await service.stop()
    }

    @Test func aReaderThatLeavesEndsTheStream() async throws {
        let host = try await TestHost()
        try await host.database.transaction { transaction in
            for _ in 0..<5000 { transaction.insert(VDI.self, ref: .new()) { _ in } }
        }
        let service = try await host.serve()
        let session = try await host.login()
        let script = """
            import socket, sys
            host, port = sys.argv[1].split("//")[1].split(":")
            body = ("<methodCall><methodName>VDI.get_all_records</methodName><params><param><value>%s</value></param>"
                "</params></methodCall>" % sys.argv[2])
            s = socket.create_connection((host, int(port)))
            s.sendall(("POST / HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)).encode())
            assert s.recv(1000).startswith(b"HTTP/1.1 200 OK")
            s.close()
            print("done")
            """
        #expect(try await Clients.python(script, [try #require(service.httpURL), session]) == "done\n")
        // Without patience for it: nothing is left that would need any.
        await service.stop(patience: .seconds(60))
    }

    /// The direct way and the way through a tree write the same bytes.
    @Test func writersAgreeWithTheTree() {
        var random = SeededRandom.printed()
        for _ in 0..<300 {
            let value = Self.value(depth: 3, &random)
            let request = JSONRPC.Request(RPCCall("a", []), id: .int(1), version: .v1)
            #expect(AnswerForm.xml.encode(value) == XMLRPC.encode(.success(value.wire)))
            #expect(AnswerForm.json(.v1, .int(1)).encode(value) == JSONRPC.encode(.success(value.wire), to: request))
        }
    }

    private static func value(depth: Int, _ random: inout SeededRandom) -> APIValue {
        let count = Int.random(in: 0...3, using: &random)
        switch Int.random(in: 0...(depth == 0 ? 6 : 9), using: &random) {
        case 0: return .string(text(&random))
        case 1: return .int(Int64(bitPattern: random.next()))
        case 2: return .bool(random.next() % 2 == 0)
        case 3: return .float(Double(Int64(bitPattern: random.next())) / 1000)
        case 4: return .datetime(Int64(random.next() % 5_000_000_000) - 1_000_000_000)
        case 5: return .ref("OpaqueRef:" + text(&random))
        case 6: return .void
        case 7: return .set((0..<count).map { _ in value(depth: depth - 1, &random) })
        case 8:
            return .map(
                Dictionary((0..<count).map { _ in (text(&random), value(depth: depth - 1, &random)) }) { $1 })
        default: return .record((0..<count).map { _ in APIMember(text(&random), value(depth: depth - 1, &random)) })
        }
    }

    private static func text(_ random: inout SeededRandom) -> String {
        let letters: [Character] = [
            "a", "<", "&", ">", "\"", "\\", "\r", "\n", "\t", "\u{1}", "é", "\u{FFFE}", "\u{F000}", "😀",
        ]
        return String(
            (0..<Int.random(in: 0...6, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
    }
}
