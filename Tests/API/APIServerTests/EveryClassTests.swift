import APITypes
import DataModel
import PoolDatabase
import RPCCodec
import TestSupport
import Testing
import Toolstack

private let model = Datamodel.all

/// What the datamodel implies, for every class and every field of it.
@Suite struct EveryClassTests {
    @Test func objectsOfEveryClassAreFoundReadAndQueried() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        for declared in model.classes where declared.inDatabase && !["role", "message"].contains(declared.name) {
            let ref = "OpaqueRef:one-\(declared.name)"
            let label = "label of \(declared.name)"
            try await host.database.transaction { transaction in
                transaction.insert(className: declared.name, ref: ref) { row in
                    if declared.hasNameLabel { row[field: "name_label"] = .string(label) }
                }
            }
            func value(_ message: String, _ params: [WireValue]) async throws -> APIValue {
                try await host.call("\(declared.name).\(message)", params, session: session).get()
            }
            let row = try #require(host.database.read { $0.row(className: declared.name, ref: ref) })
            let removed = APIError("MESSAGE_REMOVED")
            if declared.state == .removed {
                for message in ["get_record", "get_by_uuid"] {
                    let answer = await host.call("\(declared.name).\(message)", [.string(ref)], session: session)
                    #expect(answer == .failure(removed), "\(declared.name).\(message)")
                }
                continue
            }
            let record = try await value("get_record", [.string(ref)])
            guard case .record(let members) = record else { throw APIError("no record") }
            #expect(members.map(\.name) == declared.recordFields.map(\.name), "\(declared.name)")
            #expect(try await value("get_by_uuid", [.string(row.uuid)]) == .ref(ref))
            for field in declared.recordFields {
                // It is in the record still.
                if field.state == .removed {
                    let answer = await host.call(
                        "\(declared.name).get_\(field.name)", [.string(ref)], session: session)
                    #expect(answer == .failure(removed), "\(declared.name).\(field.name)")
                    continue
                }
                let read = try await value("get_\(field.name)", [.string(ref)])
                #expect(
                    read == record[field.name] && field.type.admits(read, in: model), "\(declared.name).\(field.name)")
            }
            if declared.hasNameLabel {
                #expect(try await value("get_by_name_label", [.string(label)]) == .set([.ref(ref)]), "\(declared.name)")
            }
            let missing = await host.call("\(declared.name).get_record", ["OpaqueRef:x"], session: session)
            #expect(missing == .failure(.handleInvalid(declared.name, "OpaqueRef:x")))
            let unknown = await host.call("\(declared.name).get_by_uuid", ["x"], session: session)
            #expect(unknown == .failure(.uuidInvalid(declared.name, "x")))
            guard declared.hasGetAllFamily else { continue }
            let all = try await value("get_all", [])
            guard case .set(let refs) = all, case .map(let records) = try await value("get_all_records", []) else {
                throw APIError("no set")
            }
            #expect(refs.contains(.ref(ref)) && records[ref] == record && records.count == refs.count)
            #expect(try await value("get_all_where", ["true"]) == all)
            // Every column can be asked for, by the text that its value has in the database.
            for field in declared.recordFields {
                let query =
                    #"field "_ref" = "\#(ref)" and (field "\#(field.columnName)" = field "\#(field.columnName)")"#
                #expect(try await value("get_all_where", [.string(query)]) == .set([.ref(ref)]), "\(query)")
            }
            let byUUID = WireValue.string(#"not (field "uuid" = "\#(row.uuid)" or false) and true"#)
            #expect(try await value("get_all_records_where", [byUUID]) == .map(records.filter { $0.key != ref }))
        }
    }

    @Test func everyPlainSetterStoresAndEveryMapAndSetTakesAndLosesEntries() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        var changed = 0
        for declared in model.classes where declared.inDatabase && !["role", "message", "user"].contains(declared.name)
        {
            let ref = "OpaqueRef:one-\(declared.name)"
            try await host.database.transaction { $0.insert(className: declared.name, ref: ref) { _ in } }
            for field in declared.recordFields {
                guard field.qualifier == .readWrite, field.state != .removed,
                    model.message("\(declared.name).set_\(field.name)")?.origin != .custom
                else { continue }
                func call(_ name: String, _ params: [WireValue]) async -> Result<APIValue, APIError> {
                    await host.call("\(declared.name).\(name)", [.string(ref)] + params, session: session)
                }
                func value() async throws -> APIValue { try await call("get_\(field.name)", []).get() }
                let sample = Self.sample(field.type)
                let place = "\(declared.name).\(field.name)"
                #expect(await call("set_\(field.name)", [sample.wire]) == .success(.void), "\(place)")
                #expect(try await value() == sample, "\(place)")
                changed += 1
                if case .map(_, let type) = field.type, model.message("\(declared.name).add_to_\(field.name)") != nil {
                    #expect(await call("set_\(field.name)", [.structure([])]) == .success(.void))
                    let entry: [WireValue] = ["7", Self.sample(type).wire]
                    #expect(await call("add_to_\(field.name)", entry) == .success(.void), "\(place)")
                    #expect(
                        await call("add_to_\(field.name)", entry)
                            == .failure(APIError("MAP_DUPLICATE_KEY", declared.name, field.columnName, ref, "7")))
                    #expect(try await value() == .map(["7": Self.sample(type)]), "\(place)")
                    for _ in 1...2 { #expect(await call("remove_from_\(field.name)", ["7"]) == .success(.void)) }
                    #expect(try await value() == .map([:]), "\(place)")
                }
                if case .set(let type) = field.type {
                    #expect(await call("set_\(field.name)", [.array([])]) == .success(.void))
                    for _ in 1...2 {
                        #expect(
                            await call("add_\(field.name)", [Self.sample(type).wire]) == .success(.void), "\(place)")
                    }
                    #expect(try await value() == .set([Self.sample(type)]), "\(place)")
                    #expect(await call("remove_\(field.name)", [Self.sample(type).wire]) == .success(.void))
                    #expect(try await value() == .set([]), "\(place)")
                }
            }
        }
        #expect(changed > 100)
    }

    @Test func everyMessageIsAnsweredImplementedOrNamedAsMissing() async throws {
        let host = try await TestHost()
        let session = try await host.login()
        #expect(host.dispatcher.coverage.count == 2258 + 4)
        for message in model.messages where message.origin == .custom && message.parameters.isEmpty {
            guard host.dispatcher.coverage(of: message) == .missing, message.needsSession, !message.isPoolInternal
            else {
                continue
            }
            let outcome = await host.call(message.wireName, session: session)
            #expect(outcome == .failure(APIError("NOT_IMPLEMENTED", message.wireName)))
        }
        guard case .success(.set(let names)) = await host.call("system.listMethods", session: nil) else {
            throw APIError("no list")
        }
        #expect(names.count == 2258 + 4)
    }

    private static func sample(_ type: ModelType) -> APIValue {
        switch type {
        case .string: .string("text ✓")
        case .int: .int(1 << 40)
        case .bool: .bool(true)
        case .float: .float(0.5)
        case .datetime: .datetime(86400)
        case .enumeration(let name): .string(model.enumNamed(name)?.values.last ?? "")
        case .ref: .ref("OpaqueRef:other")
        case .set(let element): .set([sample(element)])
        case .map(_, let value): .map(["9": sample(value)])
        case .record, .option, .void: .void
        }
    }
}
