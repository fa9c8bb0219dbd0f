import DataModel
import Foundation
import Testing
import XenAPIClient

@Suite struct RecordTests {
    /// A disk as an odd server sends it.
    private func disk(_ changes: [(name: String, value: WireValue?)] = []) throws -> WireValue {
        let declared = try #require(Datamodel.all.classNamed("VDI"))
        var members = declared.recordFields.map { (name: $0.name, value: WireValue.standIn($0.type)) }
        for change in changes {
            members.removeAll { $0.name == change.name }
            if let value = change.value { members.append((change.name, value)) }
        }
        return .members(members)
    }

    @Test func recordsOfEveryClassAreReadFromWhatTheDatamodelDeclares() throws {
        func read<Class: RecordClass>(_ type: Class.Type) throws {
            let declared = try #require(Datamodel.all.classNamed(Class.className))
            let record = WireValue.members(declared.recordFields.map { ($0.name, .standIn($0.type)) })
            _ = try Class.Record(wire: record)
            // In another order, and as JSON has it: integers and dates are of other kinds there.
            guard case .structure(let members) = record else { return }
            let json = try JSONText.decode(JSONText.encode(.structure(members.reversed())))
            let (one, other) = (try Class.Record(wire: json), try Class.Record(wire: record))
            #expect(one == other, "\(Class.className)")
        }
        for type in everyRecordClass { try read(type) }
        let recorded = Set(everyRecordClass.map { $0.className })
        let declared = Set(Datamodel.all.classes.filter { !$0.recordFields.isEmpty }.map(\.name))
        #expect(recorded == declared)
    }

    @Test func unknownWordsAreKeptAndUnknownMembersPassedOver() throws {
        let wire = try disk([
            ("type", .string("hologram")), ("allowed_operations", .array([.string("snapshot"), .string("teleport")])),
            ("colour", .array([.null])),
        ])
        let record = try VDIRecord(wire: wire)
        #expect(record.type == .unknown("hologram") && record.type.known == nil && record.type != .user)
        #expect(record.allowedOperations == [.known(.snapshot), .unknown("teleport")])
        #expect(record.allowedOperations.contains(.snapshot) && !record.allowedOperations.contains(.clone))
        #expect(record.type.wire == .string("hologram"))
        let known = try VDIRecord(wire: try disk([("type", .string("USER"))]))
        #expect(known.type == .user)
        switch known.type {
        case .user: break
        default: Issue.record("a known word is matched")
        }
    }

    @Test func whatOlderServersLackIsNilAndWhatAllHaveIsDemanded() throws {
        let record = try VDIRecord(wire: try disk([("cbt_enabled", nil)]))
        #expect(record.cbtEnabled == nil)
        #expect(throws: WireMismatch(expected: "there", in: "VDI.name_label")) {
            try VDIRecord(wire: try disk([("name_label", nil)]))
        }
        #expect(throws: WireMismatch(expected: "an integer", in: "VDI.virtual_size")) {
            try VDIRecord(wire: try disk([("virtual_size", .string("much"))]))
        }
        #expect(throws: WireMismatch(expected: "a text", in: "VDI.sm_config.x")) {
            try VDIRecord(wire: try disk([("sm_config", .members([("x", .array([]))]))]))
        }
        #expect(throws: WireMismatch(expected: "a record", in: "VDI")) { try VDIRecord(wire: .array([])) }
    }

    @Test func valuesAreReadFromEachSpellingAndWrittenInOne() throws {
        for wire in [WireValue.string("-7"), .int(-7), .int32(-7), .double(-7)] {
            #expect(try Int64(wire: wire) == -7)
        }
        #expect(throws: WireMismatch.self) { try Int64(wire: .double(1e300)) }
        #expect(throws: WireMismatch.self) { try Bool(wire: .string("1")) }
        #expect(try APIDate(wire: .dateTime("20250131T08:15:00Z")).date == Date(timeIntervalSince1970: 1_738_311_300))
        #expect(try APIDate(wire: .string("19700101T00:00:00Z")).date == nil)
        #expect(APIDate(Date(timeIntervalSince1970: -0.5)).seconds == -1)
        #expect(throws: WireMismatch.self) { try APIDate(wire: .string("soon")) }
        #expect(["b": "2", "a": "1"].wire == .members([("a", .string("1")), ("b", .string("2"))]))
        #expect(throws: WireMismatch.self) { try [Int64: Double](wire: .members([("x", .double(1))])) }
    }

    @Test func whatCreateTakesHasTheMembersThatWereGiven() {
        let creation = VDICreation(
            nameLabel: "disk", sr: Ref("OpaqueRef:s"), virtualSize: 5, type: .user, smConfig: ["image-format": "vhd"])
        let expected = WireValue.members([
            ("name_label", .string("disk")), ("SR", .string("OpaqueRef:s")), ("virtual_size", .int(5)),
            ("type", .string("user")), ("sharable", .bool(false)), ("read_only", .bool(false)),
            ("other_config", .members([])), ("sm_config", .members([("image-format", .string("vhd"))])),
        ])
        #expect(creation.wire == expected)
    }
}

extension WireValue {
    /// Some value of the type, as XML has it.
    static func standIn(_ type: ModelType) -> WireValue {
        switch type {
        case .string: .string("text")
        case .int: .string("42")
        case .bool: .bool(true)
        case .float: .double(0.5)
        case .datetime: .dateTime("20250131T08:15:00Z")
        case .enumeration(let name): .string(Datamodel.all.enumNamed(name)?.values.last ?? "")
        case .ref: .string("OpaqueRef:NULL")
        case .set(let element): .array([standIn(element)])
        case .map(.int, let value): .members([("7", standIn(value))])
        case .map(.enumeration(let name), let value):
            .members([(Datamodel.all.enumNamed(name)?.values.first ?? "", standIn(value))])
        case .map(_, let value): .members([("key", standIn(value))])
        case .record(let name):
            .members((Datamodel.all.classNamed(name)?.recordFields ?? []).map { ($0.name, standIn($0.type)) })
        case .option(let wrapped): standIn(wrapped)
        case .void: .void
        }
    }
}
