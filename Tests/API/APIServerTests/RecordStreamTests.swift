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

    @Test func everybodysListsAreMadeOfRows() async throws {
        let host = try await TestHost()
        try await host.database.transaction { tx in
            for number in 0..<40 { tx.insert(VDI.self, ref: .new()) { $0[VDI.nameLabel] = "d\(number)" } }
        }
        try await host.person("reader", password: "long enough", roles: ["read-only"])
        let session = try await host.login("reader", "long enough").get()
        func answer(_ method: String, _ params: WireValue...) async -> Result<CallAnswer, APIError> {
            await host.dispatcher.answer(method: method, params: params, client: ClientInfo())
        }
        guard case .success(.records(let all)) = await answer("VDI.get_all_records", .string(session)) else {
            Issue.record("a list was made as a whole")
            return
        }
        #expect(all.count == 40)
        let query = WireValue.string("field \"name__label\" = \"d7\"")
        guard case .success(.records(let some)) = await answer("VDI.get_all_records_where", .string(session), query)
        else {
            Issue.record("a list was made as a whole")
            return
        }
        #expect(some.count == 1)
        // Whoever may not is told so, and what is wrong with a call is said as ever.
        for params in [[WireValue.string("OpaqueRef:none")], [.string(session), .string("x")], [], [.int(1)]] {
            guard
                case .failure = await host.dispatcher.answer(
                    method: "VDI.get_all_records", params: params, client: ClientInfo())
            else {
                Issue.record("\(params) was accepted")
                continue
            }
        }
    }

    /// Python compares each event's snapshot with the object's record, over one connection.
    @Test func manyEventsArriveWholeInBothEncodings() async throws {
        let host = try await TestHost()
        // All references together are more than one piece.
        let count = 3000
        try await host.database.transaction { transaction in
            for index in 0..<count {
                transaction.insert(VDI.self, ref: .new()) { $0[VDI.nameLabel] = "disk <\(index)> \"é\\" }
            }
        }
        let service = try await host.serve()
        try await host.person("reader", password: "long enough", roles: ["read-only"])
        let session = try await host.login("reader", "long enough").get()
        let params: [WireValue] = [.string(session), .array([.string("vdi")]), .string(""), .double(0)]
        guard
            case .success(.events(let batch)) = await host.dispatcher.answer(
                method: "event.from", params: params, client: ClientInfo())
        else {
            Issue.record("the events were made as a whole")
            return
        }
        #expect(batch.count == count)
        // Who asks for values has them, and few are shared.
        guard
            case .set(let events)? = try await host.dispatcher.call(method: "event.from", params: params).get()[
                "events"]
        else {
            Issue.record("no events")
            return
        }
        #expect(events.count == count && events.first == batch.event(0))
        let script = """
            import http.client, json, sys, xmlrpc.client
            url, session, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
            server = xmlrpc.client.ServerProxy(url)
            answer = getattr(server, "event.from")(session, ["vdi"], "", 0.0)["Value"]
            assert sorted(answer) == ["events", "token", "valid_ref_counts"], list(answer)
            assert len(answer["events"]) == count and answer["valid_ref_counts"]["vdi"] == count
            records = server.VDI.get_all_records(session)["Value"]
            for event in answer["events"]:
                assert event["operation"] == "add" and event["class"] == "vdi"
                assert event["snapshot"] == records[event["ref"]], event
            later = getattr(server, "event.from")(session, ["vdi"], answer["token"], 0.0)["Value"]
            assert later["events"] == []
            c = http.client.HTTPConnection(url.split("//")[1])
            for version, extra in [(1, {}), (2, {"jsonrpc": "2.0"})]:
                # The same connection twice: an answer that is longer than announced would be in the way.
                c.request("POST", "/jsonrpc", json.dumps(dict(
                    extra, method="event.from", params=[session, ["vdi"], "", 0.0], id=version)))
                reply = json.load(c.getresponse())
                assert reply["id"] == version and len(reply["result"]["events"]) == count
                assert {e["ref"] for e in reply["result"]["events"]} == set(records)
                assert reply["result"]["token"] == answer["token"]
            # So are other long answers: all references, in some hundred KiB.
            c.request("POST", "/jsonrpc", json.dumps(dict(method="VDI.get_all", params=[session], id=1)))
            assert set(json.load(c.getresponse())["result"]) >= set(records)
            assert set(server.VDI.get_all(session)["Value"]) >= set(records)
            print("done")
            """
        let url = try #require(service.httpURL)
        #expect(try await Clients.python(script, [url, session, String(count)]) == "done\n")
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
