import DataModel
import Foundation

/// The whole datamodel as one JSON object, for programs: `datamodel-gen json`. Members that have their usual value are
/// left out.
struct DatamodelDescription: Encodable {
    struct Lifecycle: Encodable {
        let since: String
        let state: String
        let prototyped: String?
        let changed: [String]?
        let deprecated: String?
        let removed: String?

        init(_ since: String, _ state: LifecycleState, _ history: History) {
            self.since = since
            self.state = state.rawValue
            prototyped = history.prototyped
            changed = history.changed.isEmpty ? nil : history.changed
            deprecated = history.deprecated
            removed = history.removed
        }
    }

    struct Parameter: Encodable {
        let name: String
        let type: String
        let since: String
        let `default`: DefaultDescription?
        let secret: Bool?
    }

    struct Message: Encodable {
        let name: String
        let kind: String
        let text: String?
        let parameters: [Parameter]
        let result: String
        let role: String
        let keyRoles: [String: String]?
        let asynchronous: Bool?
        let session: Bool?
        let secret: Bool?
        let hidden: Bool?
        let poolInternal: Bool?
        let errors: [String]?
        let lifecycle: Lifecycle
    }

    struct Field: Encodable {
        let name: String
        let type: String
        let text: String?
        let qualifier: String
        let `default`: DefaultDescription?
        let column: String
        let readRole: String
        let writeRole: String?
        let keyRoles: [String: String]?
        let `internal`: Bool?
        let persistent: Bool
        let setterHasEffect: Bool?
        let lifecycle: Lifecycle
    }

    struct Class: Encodable {
        let name: String
        let text: String?
        let database: Bool
        let persistent: Bool
        let events: Bool
        let createDestroy: Bool
        let getAll: Bool
        let defaultRole: String
        let implicitRole: String
        let lifecycle: Lifecycle
        let fields: [Field]
        let messages: [Message]
    }

    struct Failure: Encodable {
        let code: String
        let parameters: [String]
        let text: String?
    }

    struct Handler: Encodable {
        let name: String
        let method: String
        let path: String
        let role: String
        let checked: Bool
        let `public`: Bool
        let arguments: [String]?
        let subActions: [String: String]?
    }

    let classes: [Class]
    let enums: [String: [String]]
    let errors: [Failure]
    let relations: [[String]]
    let httpHandlers: [Handler]

    init(_ model: Datamodel) {
        classes = model.classes.map(Class.init)
        enums = Dictionary(model.enums.map { ($0.name, $0.values) }) { first, _ in first }
        errors = model.errors.map { Failure(code: $0.code, parameters: $0.parameters, text: $0.text) }
        relations = model.relations.map { relation in
            [relation.many, relation.one].map { "\($0.className).\($0.fieldName)" }
        }
        httpHandlers = model.httpHandlers.map { handler in
            Handler(
                name: handler.name, method: handler.method.rawValue, path: handler.path, role: handler.role.name,
                checked: handler.isChecked, public: handler.isPublic,
                arguments: handler.arguments.isEmpty ? nil : handler.arguments,
                subActions: handler.subActions.isEmpty ? nil : handler.subActions.mapValues(\.name))
        }
    }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension DatamodelDescription.Class {
    init(_ declared: ClassDeclaration) {
        self.init(
            name: declared.name, text: declared.text, database: declared.inDatabase, persistent: declared.isPersistent,
            events: declared.generatesEvents, createDestroy: declared.hasCreateDestroy,
            getAll: declared.hasGetAllFamily, defaultRole: declared.defaultRole.name,
            implicitRole: declared.implicitRole.name,
            lifecycle: DatamodelDescription.Lifecycle(declared.since, declared.state, declared.history),
            fields: declared.fields.map(DatamodelDescription.Field.init),
            messages: declared.allMessages.map(DatamodelDescription.Message.init))
    }
}

extension DatamodelDescription.Field {
    init(_ field: FieldDeclaration) {
        self.init(
            name: field.name, type: field.type.description, text: field.text, qualifier: field.qualifier.rawValue,
            default: field.defaultValue.map(DefaultDescription.init), column: field.columnName,
            readRole: field.getterRole.name, writeRole: field.setterRole?.name,
            keyRoles: field.mapKeyRoles.isEmpty ? nil : field.mapKeyRoles.mapValues(\.rawValue),
            internal: field.isInternal ? true : nil, persistent: field.isPersistent,
            setterHasEffect: field.setterHasEffect ? true : nil,
            lifecycle: DatamodelDescription.Lifecycle(field.since, field.state, field.history))
    }
}

extension DatamodelDescription.Message {
    init(_ message: MessageDeclaration) {
        self.init(
            name: message.name, kind: message.origin.kind, text: message.text,
            parameters: message.parameters.map { parameter in
                DatamodelDescription.Parameter(
                    name: parameter.name, type: parameter.type.description, since: parameter.since,
                    default: parameter.defaultValue.map(DefaultDescription.init),
                    secret: parameter.isSecret ? true : nil)
            },
            result: message.result.description, role: message.role.name,
            keyRoles: message.mapKeyRoles.isEmpty ? nil : message.mapKeyRoles.mapValues(\.rawValue),
            asynchronous: message.isAsync ? true : nil, session: message.needsSession ? nil : false,
            secret: message.isSecret ? true : nil, hidden: message.isHidden ? true : nil,
            poolInternal: message.isPoolInternal ? true : nil, errors: message.errors.isEmpty ? nil : message.errors,
            lifecycle: DatamodelDescription.Lifecycle(message.since, message.state, message.history))
    }
}

extension MessageOrigin {
    fileprivate var kind: String {
        switch self {
        case .custom: "custom"
        case .getRecord, .getByUUID, .getByNameLabel, .getAll, .getAllRecords, .getAllWhere, .getAllRecordsWhere,
            .create, .destroy:
            "object"
        case .getField: "getter"
        case .setField: "setter"
        case .addToMap, .addToSet: "adder"
        case .removeFromMap, .removeFromSet: "remover"
        }
    }
}

/// A default as JSON has it; dates are `{"datetime": seconds since 1970}`.
struct DefaultDescription: Encodable {
    let value: DefaultValue

    init(_ value: DefaultValue) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch value {
        case .string(let text), .ref(let text): try container.encode(text)
        case .int(let number): try container.encode(number)
        case .bool(let flag): try container.encode(flag)
        case .float(let number): try container.encode(number)
        case .datetime(let seconds): try container.encode(["datetime": seconds])
        case .set(let values): try container.encode(values.map(DefaultDescription.init))
        case .map(let entries): try container.encode(entries.mapValues(DefaultDescription.init))
        }
    }
}
