import APITypes
import CoreTypes
import DataModel
import TestSupport
import Testing

private let model = Datamodel.all

@Suite struct DeclarationTests {
    @Test func everythingOfAPI223IsDeclared() {
        #expect(model.classes.count == 73)
        #expect(model.classes.map(\.fields.count).reduce(0, +) == 950)
        // Four of them ours: the plans of moves, and moves to other pools that wait for an answer.
        #expect(model.classes.map(\.messages.count).reduce(0, +) == 678 + 4)
        #expect(model.messages.count == 2258 + 4)
        #expect(model.enums.count == 75)
        #expect(model.errors.count == 605)
        #expect(model.relations.count == 64)
    }

    @Test func namesAreUniqueAndPointSomewhere() {
        #expect(Set(model.classes.map { $0.name.lowercased() }).count == model.classes.count)
        for declared in model.classes {
            #expect(Set(declared.fields.map(\.name)).count == declared.fields.count, "\(declared.name)")
            #expect(Set(declared.allMessages.map(\.name)).count == declared.allMessages.count, "\(declared.name)")
            for field in declared.fields {
                check(field.type, "\(declared.name).\(field.name)")
                if let value = field.defaultValue { check(value, field.type, "\(declared.name).\(field.name)") }
                #expect((field.setterRole != nil) == (field.qualifier == .readWrite), "\(declared.name).\(field.name)")
            }
            for message in declared.allMessages {
                check(message.result, message.wireName)
                for code in message.errors { #expect(model.error(code) != nil, "\(message.wireName) \(code)") }
                for parameter in message.parameters {
                    check(parameter.type, "\(message.wireName) \(parameter.name)")
                    if let value = parameter.defaultValue { check(value, parameter.type, message.wireName) }
                }
                let defaulted = message.parameters.map { $0.defaultValue != nil }
                #expect(defaulted == defaulted.sorted { !$0 && $1 }, "\(message.wireName): defaults come last")
            }
        }
        for relation in model.relations {
            for end in [relation.many, relation.one] {
                #expect(model.classNamed(end.className)?.field(end.fieldName) != nil, "\(end)")
            }
        }
    }

    @Test func poolMigrateIsWhatClientsKnow() throws {
        let message = try #require(model.message("VDI.pool_migrate"))
        #expect(message.parameters.map(\.name) == ["vdi", "sr", "options"])
        #expect(message.parameters.map(\.type) == [.ref("VDI"), .ref("SR"), .map(.string, .string)])
        #expect(message.result == .ref("VDI"))
        #expect(message.isAsync && message.needsSession)
        #expect(message.role == .vmPowerAdmin)
        #expect(message.origin == .custom)
    }

    @Test func loginTakesNoSessionAndHasDefaults() throws {
        let login = try #require(model.message("session.login_with_password"))
        #expect(!login.needsSession && login.isSecret && !login.isAsync)
        #expect(login.requiredParameterCount == 2)
        #expect(login.parameters.map(\.defaultValue) == [nil, nil, .string("1.1"), .string("")])
    }

    @Test func methodNamesAreUnderstoodInTheirSpellings() {
        #expect(model.method("VDI.create")?.form == .synchronous)
        #expect(model.method("VDI_create")?.message.wireName == "VDI.create")
        #expect(model.method("VM_metrics_get_record")?.message.className == "VM_metrics")
        #expect(model.method("Async.VDI.pool_migrate")?.form == .asynchronous)
        #expect(model.method("InternalAsync.VDI.pool_migrate")?.form == .internalAsynchronous)
        for unknown in ["", "VDI", "vdi.create", "Async.VDI_create", "VDI.frobnicate", "event.get_record"] {
            #expect(model.method(unknown) == nil, "\(unknown)")
        }
        #expect(model.classNamed(anyCase: "vdi")?.name == "VDI")
        #expect(model.enumNamed("image_format_type")?.spelling(of: "QCOW2") == "qcow2")
    }

    @Test func supportedFormatsAndInitialValuesFollowTheDeclaration() throws {
        let formats = try #require(model.classNamed("SM")?.field("supported_image_formats"))
        #expect(formats.type == .set(.enumeration("image_format_type")))
        let onBoot = try #require(model.classNamed("VDI")?.field("on_boot"))
        #expect(onBoot.initialValue == .string("persist"))
        #expect(model.classNamed("VDI")?.field("parent")?.initialValue == .nullRef)
        #expect(model.classNamed("VDI")?.field("name_label")?.columnName == "name__label")
    }

    private func check(_ type: ModelType, _ place: String) {
        switch type {
        case .ref(let name), .record(let name): #expect(model.classNamed(name) != nil, "\(place): \(name)")
        case .enumeration(let name): #expect(model.enumNamed(name) != nil, "\(place): \(name)")
        case .set(let element), .option(let element): check(element, place)
        case .map(let key, let value):
            check(key, place)
            check(value, place)
        case .string, .int, .bool, .float, .datetime, .void: break
        }
    }

    private func check(_ value: DefaultValue, _ type: ModelType, _ place: String) {
        switch (value, type) {
        case (.string, .string), (.int, .int), (.bool, .bool), (.float, .float), (.datetime, .datetime), (.ref, .ref):
            break
        case (.string(let word), .enumeration(let name)):
            #expect(model.enumNamed(name)?.values.contains(word) == true, "\(place): \(word)")
        case (.set(let values), .set(let element)):
            for value in values { check(value, element, place) }
        case (.map(let entries), .map(_, let element)):
            for value in entries.values { check(value, element, place) }
        default: Issue.record("\(place): \(value) is no \(type)")
        }
    }
}
