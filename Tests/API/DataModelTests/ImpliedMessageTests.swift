import CoreTypes
import DataModel
import TestSupport
import Testing

private let model = Datamodel.all

@Suite struct ImpliedMessageTests {
    @Test(arguments: [
        ("VDI.get_record", MessageOrigin.getRecord, ["self"], RequiredRole.readOnly, false),
        ("VDI.get_by_uuid", .getByUUID, ["uuid"], .readOnly, false),
        ("VDI.get_by_name_label", .getByNameLabel, ["label"], .readOnly, false),
        ("VDI.get_all", .getAll, [], .readOnly, false),
        ("VDI.get_all_records", .getAllRecords, [], .readOnly, false),
        ("VDI.get_all_where", .getAllWhere, ["expr"], .readOnly, false),
        ("VDI.get_all_records_where", .getAllRecordsWhere, ["expr"], .readOnly, false),
        ("VDI.create", .create, ["args"], .vmAdmin, true),
        ("VDI.destroy", .destroy, ["self"], .vmAdmin, true),
    ])
    func objectMessagesFollowFromTheClass(
        _ name: String, _ origin: MessageOrigin, _ parameters: [String], _ role: RequiredRole, _ isAsync: Bool
    ) throws {
        let message = try #require(model.message(name))
        #expect(message.origin == origin)
        #expect(message.parameters.map(\.name) == parameters)
        #expect(message.role == role)
        #expect(message.isAsync == isAsync)
    }

    @Test func accessorsFollowFromTheFields() throws {
        let config = try #require(model.classNamed("VDI")?.field("other_config"))
        let tags = try #require(model.classNamed("VDI")?.field("tags"))
        #expect(model.message("VDI.get_other_config")?.origin == .getField(config))
        #expect(model.message("VDI.set_other_config")?.origin == .setField(config))
        let add = try #require(model.message("VDI.add_to_other_config"))
        #expect(add.origin == .addToMap(config))
        #expect(add.parameters.map(\.name) == ["self", "key", "value"])
        #expect(add.mapKeyRoles["folder"] == .vmOperator)
        #expect(model.message("VDI.remove_from_other_config")?.origin == .removeFromMap(config))
        #expect(model.message("VDI.add_tags")?.origin == .addToSet(tags))
        #expect(model.message("VDI.remove_tags")?.origin == .removeFromSet(tags))
        #expect(model.message("VDI.set_location") == nil)
        #expect(model.message("event.get_ref") == nil)
        #expect(model.message("pool.get_by_name_label") == nil)
        #expect(model.message("SR.create")?.origin == .custom)
        #expect(model.message("VDI.set_name_label")?.origin == .custom)
    }

    @Test func internalFieldsAreNotShown() {
        for declared in model.classes {
            for field in declared.fields where field.isInternal {
                #expect(
                    !declared.allMessages.contains { $0.origin == .getField(field) || $0.origin == .setField(field) })
                #expect(!declared.recordFields.contains(field))
            }
        }
    }

    @Test func rolesAreOrdered() {
        #expect(RequiredRole.vmAdmin.permits(.poolAdmin))
        #expect(RequiredRole.vmAdmin.permits(.vmAdmin))
        #expect(!RequiredRole.vmAdmin.permits(.vmOperator))
        #expect(!RequiredRole.localRootOnly.permits(.poolAdmin))
    }
}
