extension ClassDeclaration {
    /// All messages: the written ones, then those implied by the class and its fields.
    public var allMessages: [MessageDeclaration] {
        let written = Set(messages.map(\.name))
        return messages + (objectMessages + accessors).filter { !written.contains($0.name) }
    }

    /// create, destroy and the readers of whole objects.
    private var objectMessages: [MessageDeclaration] {
        guard inDatabase else { return [] }
        let own = ModelType.ref(name)
        let myself = ParameterDeclaration("self", own)
        var all: [MessageDeclaration] = []
        if hasCreateDestroy {
            let record = ParameterDeclaration("args", .record(name))
            all.append(imply("create", [record], own, .create, role: defaultRole, isAsync: true))
            all.append(imply("destroy", [myself], .void, .destroy, role: defaultRole, isAsync: true))
        }
        all.append(imply("get_by_uuid", [ParameterDeclaration("uuid", .string)], own, .getByUUID))
        all.append(imply("get_record", [myself], .record(name), .getRecord))
        if hasNameLabel {
            let label = ParameterDeclaration("label", .string)
            all.append(imply("get_by_name_label", [label], .set(own), .getByNameLabel))
        }
        if hasGetAllFamily {
            let records = ModelType.map(own, .record(name))
            let query = ParameterDeclaration("expr", .string)
            all.append(imply("get_all", [], .set(own), .getAll))
            all.append(imply("get_all_where", [query], .set(own), .getAllWhere, isHidden: true))
            all.append(imply("get_all_records_where", [query], records, .getAllRecordsWhere, isHidden: true))
            all.append(imply("get_all_records", [], records, .getAllRecords))
        }
        return all
    }

    /// Getters, setters, adders and removers.
    private var accessors: [MessageDeclaration] {
        guard inDatabase else { return [] }
        var all: [MessageDeclaration] = []
        for field in recordFields {
            let myself = ParameterDeclaration("self", .ref(name))
            all.append(imply("get_\(field.name)", [myself], field.type, .getField(field), of: field))
            guard field.qualifier == .readWrite else { continue }
            let value = ParameterDeclaration("value", field.type)
            all.append(imply("set_\(field.name)", [myself, value], .void, .setField(field), of: field))
            switch field.type {
            case .set(let element):
                let value = ParameterDeclaration("value", element)
                all.append(imply("add_\(field.name)", [myself, value], .void, .addToSet(field), of: field))
                all.append(imply("remove_\(field.name)", [myself, value], .void, .removeFromSet(field), of: field))
            case .map(let keyType, let valueType):
                let key = ParameterDeclaration("key", keyType)
                let value = ParameterDeclaration("value", valueType)
                all.append(imply("add_to_\(field.name)", [myself, key, value], .void, .addToMap(field), of: field))
                all.append(imply("remove_from_\(field.name)", [myself, key], .void, .removeFromMap(field), of: field))
            default:
                break
            }
        }
        return all
    }

    private func imply(
        _ message: String, _ parameters: [ParameterDeclaration], _ result: ModelType, _ origin: MessageOrigin,
        role: RequiredRole? = nil, isAsync: Bool = false, isHidden: Bool = false
    ) -> MessageDeclaration {
        var declared = MessageDeclaration(
            message, parameters, result: result, role: role ?? implicitRole, isAsync: isAsync, since: since,
            state: state, history: history.ending, isHidden: isHidden)
        declared.className = name
        declared.origin = origin
        return declared
    }

    private func imply(
        _ message: String, _ parameters: [ParameterDeclaration], _ result: ModelType, _ origin: MessageOrigin,
        of field: FieldDeclaration
    ) -> MessageDeclaration {
        var keyRoles: [String: BasicRole] = [:]
        var role = field.setterRole ?? defaultRole
        switch origin {
        case .getField: role = field.getterRole
        case .addToMap, .removeFromMap: keyRoles = field.mapKeyRoles
        default: break
        }
        var declared = MessageDeclaration(
            message, parameters, result: result, role: role, since: field.since, state: field.state,
            history: field.history.ending, mapKeyRoles: keyRoles)
        declared.className = name
        declared.origin = origin
        return declared
    }
}
