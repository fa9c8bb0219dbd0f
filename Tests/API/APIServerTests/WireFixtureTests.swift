import APIServer
import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

/// Requests and answers byte by byte, for what clients do that the protocols' authors did not think of.
@Suite struct WireFixtureTests {
    struct Fixture: Sendable {
        let name: String
        let request: String
        let answer: String

        init(_ name: String, _ request: String, _ answer: String) {
            self.name = name
            self.request = request
            self.answer = answer
        }
    }

    private static func post(_ body: String, to path: String = "/", version: String = "1.1") -> String {
        "POST \(path) HTTP/\(version)\nHost: h\nContent-Length: \(body.utf8.count)\n\n\(body)"
    }

    private static func answer(_ body: String, type: String = "text/xml", version: String = "1.1") -> String {
        "HTTP/\(version) 200 OK\nContent-Type: \(type)\nContent-Length: \(body.utf8.count)\n"
            + "Cache-Control: no-cache, no-store\nAccess-Control-Allow-Origin: *\n"
            + (version == "1.0" ? "Connection: close\n" : "") + "\n\(body)"
    }

    static func call(_ method: String, _ values: String...) -> String {
        let params = values.map { "<param>\($0)</param>" }.joined()
        return "<methodCall><methodName>\(method)</methodName><params>\(params)</params></methodCall>"
    }

    static func success(_ value: String) -> String {
        envelope("<value>Success</value></member><member><name>Value</name>\(value)")
    }

    static func failure(_ words: String...) -> String {
        let items = words.map { "<value>\($0)</value>" }.joined()
        return envelope(
            "<value>Failure</value></member><member><name>ErrorDescription</name><value><array><data>\(items)"
                + "</data></array></value>")
    }

    private static func envelope(_ status: String) -> String {
        "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name>\(status)"
            + "</member></struct></value></param></params></methodResponse>"
    }

    private static func page(_ status: String, _ text: String, fields: String = "", closes: Bool = true) -> String {
        let body = "<html><body><h1>HTTP \(status)</h1><p>\(text)</p></body></html>"
        return "HTTP/1.1 \(status)\n\(fields)Content-Type: text/html\nContent-Length: \(body.utf8.count)\n"
            + (closes ? "Connection: close\n" : "") + "\n\(body)"
    }

    /// Stands for the session that the test opens, whose reference is as long, so that bodies keep their lengths.
    static let session = "OpaqueRef:11111111-2222-3333-4444-555555555555"
    static let disk = "OpaqueRef:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    private static let s = "<value>\(session)</value>"
    private static let d = "<value>\(disk)</value>"

    private static func xml(_ name: String, _ body: String, _ reply: String) -> Fixture {
        Fixture(name, post(body), answer(reply))
    }

    static let values: [Fixture] = [
        xml("bare string", call("system.isAlive:x", "<value>abc</value>"), success("<value>abc</value>")),
        xml(
            "tagged string", call("system.isAlive:x", "<value><string>abc</string></value>"),
            success("<value>abc</value>")),
        xml("empty value", call("system.isAlive:x", "<value/>"), success("<value></value>")),
        xml(
            "text keeps its spaces", call("system.isAlive:x", "<value> a\tb \n</value>"),
            success("<value> a\tb \n</value>")),
        xml(
            "escapes", call("system.isAlive:x", "<value>&lt;&#65;&amp;<![CDATA[<x>]]>&quot;'é</value>"),
            success("<value>&lt;A&amp;&lt;x&gt;&quot;'é</value>")),
        xml("ints are text", call("VDI.get_virtual_size", s, d), success("<value>5368709120</value>")),
        xml("booleans", call("VDI.get_read_only", s, d), success("<value><boolean>0</boolean></value>")),
        xml(
            "never is 1970", call("VDI.get_snapshot_time", s, d),
            success("<value><dateTime.iso8601>19700101T00:00:00Z</dateTime.iso8601></value>")),
        xml("null reference", call("VDI.get_SR", s, d), success("<value>OpaqueRef:NULL</value>")),
        xml(
            "floats", call("task.get_progress", s, "<value>OpaqueRef:task</value>"),
            success("<value><double>0.5</double></value>")),
        xml(
            "sets", call("VDI.get_tags", s, d),
            success("<value><array><data><value>one</value><value>two &amp; three</value></data></array></value>")),
        xml(
            "maps", call("VDI.get_sm_config", s, d),
            success("<value><struct><member><name>a&lt;b</name><value>1</value></member></struct></value>")),
        xml("enums by their spelling", call("VDI.get_type", s, d), success("<value>user</value>")),
        xml(
            "class_message", call("VDI_get_uuid", s, d), success("<value>12345678-0000-0000-0000-000000000000</value>")),
        xml("void", call("VDI.set_name_label", s, d, "<value>n</value>"), success("<value></value>")),
        xml(
            "floats as text",
            call(
                "event.from", s, "<value><array><data/></array></value>", "<value>00000000000000000000,x</value>",
                "<value>0.5</value>"), failure("EVENT_FROM_TOKEN_PARSE_FAILURE", "00000000000000000000,x")),
        xml("trailing defaults", call("VDI.snapshot", s, d), failure("NOT_IMPLEMENTED", "VDI.snapshot")),
        xml(
            "surplus arguments of messages with defaults",
            call("VDI.snapshot", s, d, "<value><struct/></value>", "<value>1</value>", "<value>2</value>"),
            failure("NOT_IMPLEMENTED", "VDI.snapshot")),
        Fixture("RPC2", post(call("VDI.get_type", s, d), to: "/RPC2"), answer(success("<value>user</value>"))),
        Fixture(
            "json is XML too", post(call("VDI.get_type", s, d), to: "/json"), answer(success("<value>user</value>"))),
        Fixture("any path", post(call("VDI.get_type", s, d), to: "/x?y=1"), answer(success("<value>user</value>"))),
        Fixture(
            "HTTP/1.0", post(call("VDI.get_type", s, d), version: "1.0"),
            answer(success("<value>user</value>"), version: "1.0")),
    ]

    static let failures: [Fixture] = [
        xml("unknown reference", call("VDI.get_record", s, "<value>x</value>"), failure("HANDLE_INVALID", "VDI", "x")),
        xml("unknown uuid", call("VDI.get_by_uuid", s, "<value>x</value>"), failure("UUID_INVALID", "VDI", "x")),
        xml(
            "dead session", call("VDI.get_type", "<value>OpaqueRef:x</value>", d),
            failure("SESSION_INVALID", "OpaqueRef:x")),
        xml(
            "too few", call("VDI.get_record", s),
            failure("MESSAGE_PARAMETER_COUNT_MISMATCH", "VDI.get_record", "1", "0")),
        xml(
            "too many", call("VDI.get_record", s, d, d),
            failure("MESSAGE_PARAMETER_COUNT_MISMATCH", "VDI.get_record", "1", "2")),
        xml(
            "required ones of a message with defaults", call("VDI.pool_migrate", s, d),
            failure("MESSAGE_PARAMETER_COUNT_MISMATCH", "VDI.pool_migrate", "3", "1")),
        xml("unknown without arguments", call("no.such"), failure("MESSAGE_METHOD_UNKNOWN", "no.such")),
        xml("unknown with a session", call("no.such", s), failure("MESSAGE_METHOD_UNKNOWN", "no.such")),
        xml("unknown with a dead one", call("no.such", "<value>x</value>"), failure("SESSION_INVALID", "x")),
        xml(
            "a class in another case", call("vdi.get_type", s, d), failure("MESSAGE_METHOD_UNKNOWN", "vdi.get_type")),
        xml(
            "not asynchronous", call("Async.VDI.get_type", s, d),
            failure("Fault", "the message VDI.get_type cannot be called asynchronously")),
        Fixture(
            "a body that is no XML", post("hello"),
            page("500 Internal Error", "the request is not a call", closes: false)),
        Fixture(
            "an answer for a call", post("<methodResponse/>"),
            page("500 Internal Error", "the request is not a call", closes: false)),
        Fixture(
            "a document type", post("<!DOCTYPE a [<!ENTITY b \"c\">]>" + call("a.b", "<value>&b;</value>")),
            page("500 Internal Error", "the request is not a call", closes: false)),
        Fixture(
            "an unknown entity", post(call("a.b", "<value>&b;</value>")),
            page("500 Internal Error", "the request is not a call", closes: false)),
    ]

    private static let t = "<value>OpaqueRef:task</value>"

    /// What clients may send for a value, one after another.
    static let inputs: [Fixture] = [
        xml(
            "a float as a number", call("task.set_progress", s, t, "<value><i4>1</i4></value>"),
            success("<value></value>")),
        xml("a number as a float", call("task.get_progress", s, t), success("<value><double>1</double></value>")),
        xml("a float as text", call("task.set_progress", s, t, "<value>0.25</value>"), success("<value></value>")),
        xml("text as a float", call("task.get_progress", s, t), success("<value><double>0.25</double></value>")),
        xml(
            "a float that is none", call("task.set_progress", s, t, "<value>x</value>"),
            failure("INTERNAL_ERROR", "the value of value is not of type float: &lt;value&gt;x&lt;/value&gt;")),
        xml(
            "nil is no value", call("task.set_progress", s, t, "<value><nil/></value>"),
            failure(
                "INTERNAL_ERROR", "the value of value is not of type float: &lt;value&gt;&lt;nil/&gt;&lt;/value&gt;")),
        xml("an enum in any case", call("task.set_status", s, t, "<value>SUCCESS</value>"), success("<value></value>")),
        xml("an enum as it is spelled", call("task.get_status", s, t), success("<value>success</value>")),
        xml(
            "an enum's unknown word", call("task.set_status", s, t, "<value>nope</value>"),
            failure(
                "INTERNAL_ERROR",
                "the value of value is not of type enum task_status_type: &lt;value&gt;nope&lt;/value&gt;")),
        xml(
            "a key", call("VDI.add_to_other_config", s, d, "<value>k</value>", "<value>v</value>"),
            success("<value></value>")),
        xml(
            "a key twice", call("VDI.add_to_other_config", s, d, "<value>k</value>", "<value>v</value>"),
            failure("MAP_DUPLICATE_KEY", "VDI", "other_config", disk, "k")),
        xml(
            "no such key", call("VDI.remove_from_other_config", s, d, "<value>absent</value>"),
            success("<value></value>")),
        xml(
            "a record without what it needs",
            call(
                "VDI.create", s,
                "<value><struct><member><name>name_label</name><value>a</value></member></struct></value>"),
            failure("INTERNAL_ERROR", "the record of VDI.create has no member SR")),
        xml(
            "an echo of a number", call("system.isAlive:x", "<value><int>5</int></value>"), success("<value>5</value>")),
        xml(
            "an echo of a list",
            call("system.isAlive:x", "<value><array><data><value>a</value></data></array></value>"),
            success("<value><array><data><value>a</value></data></array></value>")),
        xml(
            "an echo of nothing", call("system.isAlive:x"),
            failure("MESSAGE_PARAMETER_COUNT_MISMATCH", "system.isAlive:x", "1", "0")),
        xml(
            "no session at all", call("VM.get_all"),
            failure("MESSAGE_PARAMETER_COUNT_MISMATCH", "VM.get_all", "0", "-1")),
        xml(
            "bytes where a text is due", call("VM.get_by_name_label", s, "<value><base64>YQ==</base64></value>"),
            failure(
                "INTERNAL_ERROR",
                "the value of label is not of type string: &lt;value&gt;&lt;base64&gt;YQ==&lt;/base64&gt;&lt;/value&gt;"
            )),
        xml(
            "bytes where the session is due", call("VM.get_all", "<value><base64>YQ==</base64></value>"),
            failure("INTERNAL_ERROR", "the session is not a string")),
        xml(
            "a field that was removed", call("VBD.get_metrics", s, "<value>OpaqueRef:x</value>"),
            failure("MESSAGE_REMOVED")),
        xml("the objects of a class that was removed", call("VMPP.get_all", s), failure("MESSAGE_REMOVED")),
        xml("a removed message", call("host.reset_cpu_features", s, d), failure("MESSAGE_REMOVED")),
        xml(
            "a removed message to a dead session", call("host.reset_cpu_features", "<value>x</value>", d),
            failure("SESSION_INVALID", "x")),
        xml(
            "an unknown one asynchronously", call("Async.no.such", s),
            failure("MESSAGE_METHOD_UNKNOWN", "Async.no.such")),
        xml(
            "what hosts say to each other", call("InternalAsync.VM.start", s),
            failure("MESSAGE_METHOD_UNKNOWN", "InternalAsync.VM.start")),
    ]

    private static func json(_ name: String, _ body: String, _ reply: String) -> Fixture {
        Fixture(name, post(body, to: "/jsonrpc"), answer(reply, type: "application/json"))
    }

    private static func noCall(_ name: String, _ body: String) -> Fixture {
        Fixture(
            name, post(body, to: "/jsonrpc"),
            page("500 Internal Error", "the request is not a call", closes: false))
    }

    static let jsonFixtures: [Fixture] = [
        json(
            "1.0", "{\"method\":\"VDI.get_virtual_size\",\"params\":[\"\(session)\",\"\(disk)\"],\"id\":7}",
            "{\"result\":5368709120,\"error\":null,\"id\":7}"),
        json(
            "2.0",
            "{\"jsonrpc\":\"2.0\",\"method\":\"VDI.get_read_only\",\"params\":[\"\(session)\",\"\(disk)\"],\"id\":\"a\"}",
            "{\"jsonrpc\":\"2.0\",\"result\":false,\"id\":\"a\"}"),
        json(
            "dates are strings",
            "{\"method\":\"VDI.get_snapshot_time\",\"params\":[\"\(session)\",\"\(disk)\"],\"id\":1}",
            "{\"result\":\"19700101T00:00:00Z\",\"error\":null,\"id\":1}"),
        json(
            "floats keep their point",
            "{\"method\":\"task.get_progress\",\"params\":[\"\(session)\",\"OpaqueRef:task\"],\"id\":1}",
            "{\"result\":0.5,\"error\":null,\"id\":1}"),
        json(
            "void", "{\"method\":\"VDI.set_name_label\",\"params\":[\"\(session)\",\"\(disk)\",\"n\"],\"id\":1}",
            "{\"result\":\"\",\"error\":null,\"id\":1}"),
        json(
            "1.0 failure", "{\"method\":\"VDI.get_uuid\",\"params\":[\"\(session)\",\"x\"],\"id\":1}",
            "{\"result\":null,\"error\":[\"HANDLE_INVALID\",\"VDI\",\"x\"],\"id\":1}"),
        json(
            "2.0 failure",
            "{\"jsonrpc\":\"2.0\",\"method\":\"VDI.get_uuid\",\"params\":[\"\(session)\",\"x\"],\"id\":1}",
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"HANDLE_INVALID\",\"data\":[\"VDI\",\"x\"]},\"id\":1}"
        ),
        json(
            "2.0 without params", "{\"jsonrpc\":\"2.0\",\"method\":\"no.such\",\"id\":1}",
            "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"MESSAGE_METHOD_UNKNOWN\",\"data\":[\"no.such\"]},"
                + "\"id\":1}"),
        json(
            "a number below zero as id", "{\"method\":\"system.isAlive:x\",\"params\":[true],\"id\":-7}",
            "{\"result\":true,\"error\":null,\"id\":-7}"),
        json(
            "params by name",
            "{\"jsonrpc\":\"2.0\",\"method\":\"system.isAlive:x\",\"params\":{\"a\":[1]},\"id\":\"\"}",
            "{\"jsonrpc\":\"2.0\",\"result\":{\"a\":[1]},\"id\":\"\"}"),
        json(
            "any character is stored",
            "{\"method\":\"VDI.set_tags\",\"params\":[\"\(session)\",\"\(disk)\",[\"\\u0001a\\ud83e\\udd93\"]],\"id\":1}",
            "{\"result\":\"\",\"error\":null,\"id\":1}"),
        json(
            "and told in JSON", "{\"method\":\"VDI.get_tags\",\"params\":[\"\(session)\",\"\(disk)\"],\"id\":1}",
            "{\"result\":[\"\\u0001a🦓\"],\"error\":null,\"id\":1}"),
        xml(
            "and without what XML cannot hold", call("VDI.get_tags", s, d),
            success("<value><array><data><value>a🦓</value></data></array></value>")),
        noCall("an id with a fraction", "{\"method\":\"pool.get_all\",\"params\":[],\"id\":1.5}"),
        noCall("an id that is no number", "{\"method\":\"pool.get_all\",\"params\":[],\"id\":true}"),
        noCall("another version", "{\"jsonrpc\":\"3.0\",\"method\":\"pool.get_all\",\"id\":1}"),
        noCall("several calls", "[{\"method\":\"pool.get_all\",\"params\":[],\"id\":1}]"),
        noCall("no method", "{\"params\":[],\"id\":1}"),
        Fixture(
            "no id", post("{\"method\":\"pool.get_all\",\"params\":[]}", to: "/jsonrpc"),
            page("500 Internal Error", "the request is not a call", closes: false)),
        Fixture(
            "null id", post("{\"method\":\"pool.get_all\",\"params\":[],\"id\":null}", to: "/jsonrpc"),
            page("500 Internal Error", "the request is not a call", closes: false)),
        Fixture(
            "1.0 without params", post("{\"method\":\"pool.get_all\",\"id\":1}", to: "/jsonrpc"),
            page("500 Internal Error", "the request is not a call", closes: false)),
    ]

    private static let cors = "Access-Control-Allow-Origin: *\n"

    static let http: [Fixture] = [
        Fixture(
            "the last call",
            "POST / HTTP/1.1\nConnection: close\nContent-Length: 114\n\n"
                + call("system.isAlive:x", "<value>a</value>"),
            "HTTP/1.1 200 OK\nContent-Type: text/xml\nContent-Length: 227\nCache-Control: no-cache, no-store\n"
                + "Access-Control-Allow-Origin: *\nConnection: close\n\n" + success("<value>a</value>")),
        Fixture(
            "OPTIONS of nothing in particular", "OPTIONS / HTTP/1.1\n\n",
            "HTTP/1.1 200 OK\n\(cors)Access-Control-Allow-Headers: X-Requested-With\n"
                + "Access-Control-Allow-Methods: PUT\nContent-Length: 0\n\n"),
        Fixture(
            "OPTIONS", "OPTIONS /jsonrpc HTTP/1.1\nAccess-Control-Request-Headers: X-A\n\n",
            "HTTP/1.1 200 OK\n\(cors)Access-Control-Allow-Headers: X-A, X-Requested-With\n"
                + "Access-Control-Allow-Methods: PUT\nContent-Length: 0\n\n"),
        Fixture(
            "GET of nothing", "GET /a<b HTTP/1.1\n\n", page("404 Not Found", "there is no /a&lt;b", closes: false)),
        Fixture(
            "PUT of nothing", "PUT /a HTTP/1.1\nContent-Length: 0\n\n",
            page("403 Forbidden", "the method PUT has nothing at /a", closes: false)),
        Fixture(
            "DELETE", "DELETE / HTTP/1.1\n\n",
            page("501 Not Implemented", "the method DELETE is not known here", closes: false)),
        Fixture(
            "a call in chunks", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\n\n",
            page("500 Internal Error", "a call needs a Content-Length")),
        Fixture(
            "a call without a length", "POST / HTTP/1.1\n\n",
            page("500 Internal Error", "a call needs a Content-Length")),
        Fixture(
            "a call of 300 KiB and a byte", "POST / HTTP/1.1\nContent-Length: 307201\n\n",
            page("413 Content Too Large", "a call has at most 307200 bytes")),
        Fixture("no request", "hello\n\n", page("400 Bad Request", "the request does not begin with a method of HTTP")),
        Fixture(
            "another version", "GET / HTTP/2.0\n\n",
            page("400 Bad Request", "the version is neither HTTP/1.0 nor HTTP/1.1")),
        Fixture(
            "two lengths", "POST / HTTP/1.1\nContent-Length: 1\nContent-Length: 2\n\n",
            page("400 Bad Request", "the request has two lengths")),
        Fixture(
            "a length that is none", "POST / HTTP/1.1\nContent-Length: +1\n\n",
            page("400 Bad Request", "the Content-Length is not a number")),
        Fixture(
            "a folded field", "GET / HTTP/1.1\nA: b\n c\n\n",
            page("400 Bad Request", "a header field has a character that may not be there")),
        Fixture(
            "a length and chunks", "POST / HTTP/1.1\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
            page("400 Bad Request", "the request is not one of HTTP/1.1")),
        Fixture(
            "a method that nobody knows", "BREW / HTTP/1.1\n\n",
            page("400 Bad Request", "the request does not begin with a method of HTTP")),
        Fixture(
            "a space before the colon", "GET / HTTP/1.1\nA : b\n\n",
            page("400 Bad Request", "a header field has a character that may not be there")),
        Fixture(
            "nobody", "GET /export_raw_vdi?vdi=x HTTP/1.1\n\n",
            page(
                "401 Unauthorized", "log in first: SESSION_AUTHENTICATION_FAILED",
                fields: "WWW-Authenticate: Basic realm=\"Gantry\"\n", closes: false)),
    ]

    /// Sends each request on a connection of its own and compares all bytes up to the answer's length.
    private static let runner = """
        import json, re, socket, sys
        host, port = sys.argv[1].split("//")[1].split(":")
        bad = 0
        for name, request, expected in json.loads(sys.argv[2]):
            s = socket.create_connection((host, int(port)), 60)
            s.sendall(request.encode())
            wanted, got = expected.encode(), b""
            while len(got) < len(wanted):
                piece = s.recv(65536)
                if not piece: break
                got += piece
            if b"Connection: close" in wanted: got += s.recv(65536)
            if got != wanted:
                bad += 1
                print("%s:\\n sent     %r\\n got      %r\\n expected %r" % (name, request.encode(), got, wanted))
            s.close()
        print("%d wrong" % bad)
        """

    @Test(arguments: ["values", "failures", "inputs", "json", "http"])
    func oddRequestsHaveTheirExactAnswers(_ group: String) async throws {
        let host = try await TestHost()
        try await Self.fill(host.database)
        let service = try await host.serve()
        let real = try await host.login()
        #expect(real.utf8.count == Self.session.utf8.count)
        let fixtures = [
            "values": Self.values, "failures": Self.failures, "inputs": Self.inputs, "json": Self.jsonFixtures,
            "http": Self.http,
        ]
        // Lines of heads end with CR LF; the bodies here have one line, or mean the line feed.
        let wire = try (fixtures[group] ?? []).map { fixture in
            [fixture.name]
                + (try [fixture.request, fixture.answer].map { text in
                    try Self.wire(text).replacingOccurrences(of: Self.session, with: real)
                })
        }
        let text = JSONText.encode(.array(wire.map { .array($0.map(WireValue.string)) }))
        let url = try #require(service.httpURL)
        let printed = try await Clients.python(Self.runner, [url, text])
        #expect(printed == "0 wrong\n", "\(printed)")
        await service.stop()
    }

    private static func wire(_ text: String) throws -> String {
        let end = try #require(text.range(of: "\n\n"))
        return text[..<end.upperBound].replacingOccurrences(of: "\n", with: "\r\n") + text[end.upperBound...]
    }

    static func fill(_ database: PoolDatabase) async throws {
        try await database.transaction { transaction in
            transaction.insert(VDI.self, ref: Ref(disk)) { row in
                row[field: "uuid"] = .string("12345678-0000-0000-0000-000000000000")
                row[field: "virtual_size"] = .int(5 << 30)
                row[field: "tags"] = .set([.string("one"), .string("two & three")])
                row[field: "sm_config"] = .map(["a<b": .string("1")])
                row[field: "type"] = .string("user")
            }
            transaction.insert(XenTask.self, ref: Ref("OpaqueRef:task")) { $0[field: "progress"] = .float(0.5) }
        }
    }

    @Test func textThatIsNotUTF8IsAnErrorOfTheAPI() async throws {
        let host = try await TestHost()
        let service = try await host.serve()
        let script = """
            import sys, urllib.request
            body = b"<methodCall><methodName>system.isAlive:x</methodName><params><param><value>a\\xffb</value></param>" \\
                b"</params></methodCall>"
            reply = urllib.request.urlopen(urllib.request.Request(sys.argv[1], body)).read().decode()
            assert "<value>Failure</value>" in reply and "<value>INVALID_VALUE</value>" in reply, reply
            assert "<value>a\\ufffdb</value>" in reply, reply
            print("done")
            """
        #expect(try await Clients.python(script, [try #require(service.httpURL)]) == "done\n")
        await service.stop()
    }
}
