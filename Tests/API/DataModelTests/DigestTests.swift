import CoreTypes
import DataModel
import TestSupport
import Testing

private let model = Datamodel.all

/// Everything that is declared, as text, in one number. Whoever changes a declaration on purpose changes the number, too;
/// whoever changes one by mistake learns of it here. Texts for people are not part of it.
@Suite struct DigestTests {
    @Test func theDeclarationsAreThoseOfAPI223() {
        let theirs = Self.lines.filter { line in !Self.ours.contains { line.hasPrefix($0) } }
        #expect(theirs.count == 73 + 950 + 2258 + 3127 + 75 + 605 + 64 + 57)
        let ours = 4 + 3 + 8 + 2 + 1
        #expect(Self.lines.count == theirs.count + ours, "four messages of ours, their parameters, one more")
        var digest = FNV()
        for line in theirs { digest.add(line) }
        #expect(digest.value == 0x1C2E_6DE2_3C8E_2F40, "the declarations have changed")
    }

    /// What the API does not have without us.
    private static let ours = [
        "message|VDI.plan_pool_migrate|", "parameter|VDI.plan_pool_migrate|", "message|VM.plan_migrate_send|",
        "parameter|VM.plan_migrate_send|", "message|VM.get_peer_moves|", "message|VM.settle_peer_move|",
        "parameter|VM.settle_peer_move|", "parameter|VM.assert_can_migrate|vdi_format_map|",
    ]

    @Test func everyMessageGuardedKeyAndCheckedPathHasOnePermission() {
        let permissions = model.permissions
        #expect(Set(permissions.map(\.name)).count == permissions.count)
        #expect(permissions.allSatisfy { $0.name == $0.name.lowercased() || $0.name.hasPrefix("http/") })
        let keys = model.messages.map(\.mapKeyRoles.count).reduce(0, +)
        let inner = Set(model.httpHandlers.flatMap { $0.subActions.keys })
        #expect(permissions.count == 2258 + 4 + keys + 57 + inner.count)
        #expect(model.httpHandlers.count == 57)
    }

    @Test func guardedKeysHavePermissionsOfTheirOwn() throws {
        let add = try #require(model.message("VM.add_to_other_config"))
        #expect(add.permission(forKey: "pci") == Permission("vm.add_to_other_config/key:pci", .poolAdmin))
        #expect(add.permission(forKey: "folder") == Permission("vm.add_to_other_config/key:folder", .vmOperator))
        #expect(
            add.permission(forKey: "XenCenter.CustomFields.x")
                == Permission("vm.add_to_other_config/key:xencenter.customfields.*", .vmOperator))
        #expect(add.permission(forKey: "PCI") == Permission("vm.add_to_other_config", .vmAdmin))
        #expect(add.permission(forKey: "") == add.permission)
        #expect(model.httpHandler("put_import_raw_vdi")?.permission.name == "http/put_import_raw_vdi")
    }

    /// 64-bit FNV-1a.
    private struct FNV {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325

        mutating func add(_ text: String) {
            for byte in text.utf8 + [10] { value = (value ^ UInt64(byte)) &* 0x0100_0000_01B3 }
        }
    }

    private static var lines: [String] {
        var all: [String] = []
        for declared in model.classes {
            all.append(
                text(
                    "class", declared.name, declared.inDatabase, declared.isPersistent, declared.generatesEvents,
                    declared.hasCreateDestroy, declared.hasGetAllFamily, declared.defaultRole.name,
                    declared.implicitRole.name, life(declared.since, declared.state, declared.history)))
            for field in declared.fields {
                all.append(
                    text(
                        "field", declared.name, field.name, field.type, field.qualifier.rawValue, field.columnName,
                        field.defaultValue.map(value) ?? "-", field.getterRole.name, field.setterRole?.name ?? "-",
                        keys(field.mapKeyRoles), field.isInternal, field.isPersistent, field.setterHasEffect,
                        life(field.since, field.state, field.history)))
            }
            for message in declared.allMessages {
                all.append(
                    text(
                        "message", message.wireName, message.result, message.role.name, message.isAsync,
                        message.needsSession, message.isSecret, message.isHidden, message.isPoolInternal,
                        message.errors.joined(separator: ","), keys(message.mapKeyRoles),
                        life(message.since, message.state, message.history)))
                for parameter in message.parameters {
                    all.append(
                        text(
                            "parameter", message.wireName, parameter.name, parameter.type,
                            parameter.defaultValue.map(value) ?? "-", parameter.since, parameter.isSecret))
                }
            }
        }
        all += model.enums.map { text("enum", $0.name, $0.values.joined(separator: ",")) }
        all += model.errors.map { text("error", $0.code, $0.parameters.joined(separator: ",")) }
        all += model.relations.map {
            text("relation", $0.many.className, $0.many.fieldName, $0.one.className, $0.one.fieldName)
        }
        all += model.httpHandlers.map {
            text(
                "http", $0.name, $0.method.rawValue, $0.path, $0.role.name, $0.isChecked, $0.isPublic,
                $0.arguments.joined(separator: ","),
                $0.subActions.map { "\($0.key)=\($0.value.name)" }.sorted().joined(separator: ","))
        }
        return all
    }

    private static func text(_ parts: Any...) -> String { parts.map { "\($0)" }.joined(separator: "|") }

    private static func life(_ since: String, _ state: LifecycleState, _ history: History) -> String {
        text(
            since, state.rawValue, history.prototyped ?? "-", history.changed.joined(separator: ","),
            history.deprecated ?? "-", history.removed ?? "-")
    }

    private static func keys(_ roles: [String: BasicRole]) -> String {
        roles.map { "\($0.key)=\($0.value.rawValue)" }.sorted().joined(separator: ",")
    }

    private static func value(_ value: DefaultValue) -> String {
        switch value {
        case .string(let text): "s:\(text)"
        case .ref(let text): "r:\(text)"
        case .int(let number): "i:\(number)"
        case .bool(let flag): "b:\(flag)"
        case .float(let number): "f:\(number)"
        case .datetime(let seconds): "d:\(seconds)"
        case .set(let values): "[\(values.map(Self.value).joined(separator: ","))]"
        case .map(let entries):
            "{\(entries.map { "\($0.key)=\(Self.value($0.value))" }.sorted().joined(separator: ","))}"
        }
    }
}
