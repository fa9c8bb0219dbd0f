import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

@Suite struct DispatcherTests {
    /// Calls that fail, and how. `SESSION` and `HOST` stand for the real references.
    static let failures: [(String, [WireValue], [String])] = [
        ("VDI.get_all", [], ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VDI.get_all", "0", "-1"]),
        ("VDI.get_all", ["SESSION", "more"], ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VDI.get_all", "0", "1"]),
        ("VDI_get_record", ["SESSION"], ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VDI_get_record", "1", "0"]),
        (
            "session.login_with_password", ["root"],
            ["MESSAGE_PARAMETER_COUNT_MISMATCH", "session.login_with_password", "2", "1"]
        ),
        ("VDI.get_all", ["OpaqueRef:none"], ["SESSION_INVALID", "OpaqueRef:none"]),
        ("VDI.no_such_message", [], ["MESSAGE_METHOD_UNKNOWN", "VDI.no_such_message"]),
        ("VDI.no_such_message", ["SESSION"], ["MESSAGE_METHOD_UNKNOWN", "VDI.no_such_message"]),
        ("VDI.no_such_message", ["OpaqueRef:none"], ["SESSION_INVALID", "OpaqueRef:none"]),
        ("vdi.get_all", ["SESSION"], ["MESSAGE_METHOD_UNKNOWN", "vdi.get_all"]),
        ("InternalAsync.VM.start", ["SESSION"], ["MESSAGE_METHOD_UNKNOWN", "InternalAsync.VM.start"]),
        ("VDI.get_record", ["SESSION", "OpaqueRef:x"], ["HANDLE_INVALID", "VDI", "OpaqueRef:x"]),
        ("host.set_name_label", ["SESSION", "OpaqueRef:x", "n"], ["HANDLE_INVALID", "host", "OpaqueRef:x"]),
        ("VDI.get_by_uuid", ["SESSION", "u"], ["UUID_INVALID", "VDI", "u"]),
        ("VM.start", ["SESSION", "HOST", .bool(false), .bool(false)], ["NOT_IMPLEMENTED", "VM.start"]),
        ("VDI.forget", ["SESSION", "OpaqueRef:x"], ["VDI_IN_USE", "OpaqueRef:x", "forget"]),
        (
            "host.add_to_other_config", ["SESSION", "HOST", "twice", "a"],
            ["MAP_DUPLICATE_KEY", "host", "other_config", "HOST", "twice"]
        ),
        ("session.login_with_password", ["root", "wrong"], ["SESSION_AUTHENTICATION_FAILED", "root"]),
        ("session.login_with_password", ["joe", "PASSWORD"], ["SESSION_AUTHENTICATION_FAILED", "joe"]),
        (
            "event.from", ["SESSION", .array([]), "nonsense", .double(0)],
            ["EVENT_FROM_TOKEN_PARSE_FAILURE", "nonsense"]
        ),
        ("event.inject", ["SESSION", "VM", "OpaqueRef:x"], ["HANDLE_INVALID", "VM", "OpaqueRef:x"]),
        ("event.next", ["SESSION"], ["SESSION_NOT_REGISTERED", "SESSION"]),
        ("task.cancel", ["SESSION", "OpaqueRef:x"], ["HANDLE_INVALID", "task", "OpaqueRef:x"]),
    ]

    @Test func mistakesHaveTheirExactErrors() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let real = ["SESSION": session, "HOST": host.identity.host.opaque, "PASSWORD": host.password]
        let first = await host.call(
            "host.add_to_other_config", [.string(host.identity.host.opaque), "twice", "a"], session: session)
        #expect(first == .success(.void))
        for (method, params, expected) in Self.failures {
            let params = params.map { value -> WireValue in
                guard case .string(let text) = value else { return value }
                return .string(real[text] ?? text)
            }
            let expected = expected.map { real[$0] ?? $0 }
            let result = await host.dispatcher.call(method: method, params: params)
            guard case .failure(let error) = result else {
                Issue.record("\(method) did not fail")
                continue
            }
            #expect(error.wire.starts(with: expected), "\(method)")
            // Only the texts for people may follow.
            #expect(error.wire.count <= expected.count + (expected[0].hasPrefix("SESSION_AUTH") ? 1 : 0), "\(method)")
        }
        for (method, params) in [
            ("Async.VDI.get_all", [WireValue]()), ("Async.session.logout", []),
        ] {
            let result = await host.call(method, params, session: session)
            guard case .failure(let error) = result else { throw APIError("no failure") }
            #expect(error.code == "Fault" && error.parameters.count == 1)
        }
    }

    @Test func argumentsOfTheWrongTypeAreInternalErrors() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let bad: [(String, [WireValue])] = [
            ("VDI.get_record", [.array([])]), ("event.from", ["*", "", .double(0)]),
            ("VDI.create", [.structure([WireMember("name_label", "x")])]),
            ("VDI.create", ["not a struct"]),
            ("task.set_status", ["OpaqueRef:x", "finished"]), ("VDI.get_by_uuid", [.null]),
            ("host.set_other_config", [.string(host.identity.host.opaque), .structure([WireMember("k", .array([]))])]),
        ]
        for (method, params) in bad {
            guard case .failure(let error) = await host.call(method, params, session: session) else {
                Issue.record("\(method) did not fail")
                continue
            }
            #expect(error.code == "INTERNAL_ERROR", "\(method): \(error)")
        }
        // What clients do send, in its other forms.
        let record: [WireMember] = [
            WireMember("name_label", "disk"), WireMember("virtual_size", "1048576"), WireMember("type", "USER"),
            WireMember("SR", "OpaqueRef:NULL"), WireMember("sharable", .bool(false)),
            WireMember("read_only", .bool(false)), WireMember("other_config", .structure([])),
            WireMember("no_such_field", "ignored"),
        ]
        let created = try await host.call("VDI.create", [.structure(record)], session: session).get()
        guard case .ref(let ref) = created, let row = host.database.read({ $0.row(Ref<VDI>(ref)) }) else {
            throw APIError("no disk")
        }
        #expect(row[VDI.virtualSize] == 1_048_576 && row[VDI.type] == .user)
        let empty = await host.call("event.from", [.array(["nothing"]), "", "0.0"], session: session)
        #expect((try? empty.get())?["events"] == .set([]))
    }

    @Test func fieldsAreReadAndWrittenByTheirDeclarations() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        let own = WireValue.string(host.identity.host.opaque)
        func value(_ method: String, _ params: [WireValue]) async throws -> APIValue {
            try await host.call(method, params, session: session).get()
        }
        _ = try await value("host.set_name_label", [own, "näme <&>"])
        #expect(try await value("host_get_name_label", [own]) == .string("näme <&>"))
        #expect(try await value("host.get_by_name_label", ["näme <&>"]) == .set([.ref(host.identity.host.opaque)]))
        _ = try await value("host.add_tags", [own, "a"])
        _ = try await value("host.add_tags", [own, "a"])
        _ = try await value("host.add_tags", [own, "b"])
        _ = try await value("host.remove_tags", [own, "a"])
        #expect(try await value("host.get_tags", [own]) == .set([.string("b")]))
        _ = try await value("host.add_to_other_config", [own, "k", "v"])
        _ = try await value("host.remove_from_other_config", [own, "absent"])
        let config = try await value("host.get_other_config", [own])
        #expect(config["k"] == .string("v") && config["absent"] == nil && config["boot_time"] != nil)
        let records = try await value("host.get_all_records", [])
        #expect(records[host.identity.host.opaque]?["API_version_minor"] == .int(23))
        #expect(records[host.identity.host.opaque]?["enabled"] == .bool(true))
        let pools = try await value("pool.get_all", [])
        #expect(pools == .set([.ref(host.identity.pool.opaque)]))
        // A message of the toolstack goes before the implied one, and its unknown errors are INTERNAL_ERROR.
        let failed = await host.call("VDI.set_name_label", ["OpaqueRef:x", "broken"], session: session)
        #expect(throws: APIError("INTERNAL_ERROR", "Broken()")) { try failed.get() }
        #expect(try await value("session.logout", []) == .void)
        #expect(await host.call("host.get_all", session: session) == .failure(APIError("SESSION_INVALID", session)))
    }

    @Test func idleSessionsEndAndTheOldestMakeRoom() async throws {
        let host = try await TestHost()
        let now = Int64(Date().timeIntervalSince1970)
        func idle(_ session: String, _ seconds: Int64) async throws {
            try await host.database.transaction {
                try $0.set(Ref<Session>(session), Session.lastActive, APIDate(seconds: now - seconds))
            }
        }
        func activity(_ session: String) -> Int64? {
            host.database.read { $0.row(Ref<Session>(session))?[Session.lastActive].seconds }
        }
        let session = try await host.login()
        for (seconds, isRefreshed) in [(500, false), (700, true), (86000, true)] as [(Int64, Bool)] {
            try await idle(session, seconds)
            #expect(try await host.call("pool.get_all", session: session).get() != .set([]))
            #expect((activity(session) ?? 0 >= now) == isRefreshed, "idle for \(seconds) s")
        }
        try await idle(session, 86500)
        let late = await host.call("pool.get_all", session: session)
        #expect(late == .failure(APIError("SESSION_INVALID", session)))
        #expect(activity(session) == nil)

        var all: [String] = []
        for index in 0..<500 {
            let answer = await host.dispatcher.call(
                method: "session.login_with_password", params: ["root", "", "1.0", "busy"],
                client: ClientInfo(isLocalSocket: true))
            guard case .success(.ref(let one)) = answer else { throw APIError("no session") }
            all.append(one)
            if index == 7 { try await idle(one, 100) }
        }
        let other = try await host.login()
        _ = await host.dispatcher.call(
            method: "session.login_with_password", params: ["root", "", "1.0", "busy"],
            client: ClientInfo(isLocalSocket: true))
        #expect(all.filter { activity($0) == nil } == [all[7]])
        #expect(activity(other) != nil)
    }

    static let queries: [(String, [String])] = [
        (#"field "name__label" = "a""#, ["a"]),
        (#""a" = field "name__label""#, ["a"]),
        ("true", ["a", "b", "c"]),
        ("not true", []),
        (#"not field "name__label" = "a" and field "sharable" = "true""#, ["b"]),
        (#"field "name__label" = "a" or true and false"#, []),
        (#"field "name__label" = "a" or (true and false)"#, ["a"]),
        (#"field "virtual_size" = "3"  and field "type"="user""#, ["c"]),
        (#"field "tags" = "('x' 'y')""#, ["b"]),
        (#"field "tags" = "()" and field "sm_config" = "(('k' 'v'))""#, ["a"]),
        (#"field "snapshot_time" = "19700101T00:00:00Z""#, ["a", "b", "c"]),
        (#"field "_ref" = "OpaqueRef:c""#, ["c"]),
        (#"not not (field "name__label" = "c")"#, ["c"]),
    ]

    @Test func queriesSelectRows() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        try await host.database.transaction { transaction in
            for (size, name) in [(1, "a"), (2, "b"), (3, "c")] as [(Int64, String)] {
                transaction.insert(VDI.self, ref: Ref("OpaqueRef:\(name)")) { row in
                    row[VDI.nameLabel] = name
                    row[VDI.virtualSize] = size
                    row[VDI.type] = .user
                    row[VDI.sharable] = name == "b"
                    if name == "b" { row[VDI.tags] = ["x", "y"] }
                    if name == "a" { row[VDI.smConfig] = ["k": "v"] }
                }
            }
        }
        for (text, names) in Self.queries {
            let refs = await host.call("VDI.get_all_where", [.string(text)], session: session)
            #expect(refs == .success(.set(names.map { .ref("OpaqueRef:\($0)") })), "\(text)")
            let records = try await host.call("VDI.get_all_records_where", [.string(text)], session: session).get()
            guard case .map(let entries) = records else { throw APIError("no map") }
            #expect(entries.keys.sorted() == names.map { "OpaqueRef:\($0)" }, "\(text)")
        }
        let long = String(repeating: #"field "uuid" = "x" or "#, count: 10_000) + #"field "name__label" = "b""#
        let found = await host.call("VDI.get_all_where", [.string(long)], session: session)
        #expect(found == .success(.set([.ref("OpaqueRef:b")])))
        let deep = String(repeating: "(", count: 100_000)
        for text in [
            "", "true and", "field name = \"a\"", "(true", "\"a = b", "TRUE", "true true", "field \"nope\" = \"\"",
            "\"a\"", "1 = 1", deep,
        ] {
            guard case .failure(let error) = await host.call("VDI.get_all_where", [.string(text)], session: session)
            else {
                Issue.record("\(text.prefix(40)) was understood")
                continue
            }
            #expect(error.code == "INVALID_VALUE" && error.parameters.first == text)
        }
    }
}
