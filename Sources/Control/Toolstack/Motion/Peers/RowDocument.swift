import APITypes
import DataModel
import PoolDatabase
import RPCCodec

/// What a row says of an object wherever it is, as JSON: its public fields but those that name other objects or tell of a
/// moment. Whoever reads it takes the fields that it knows and that are of the type that it knows; newer and older
/// toolstacks understand each other so.
enum RowDocument {
    /// Fields of a moment, of this place, or that follow from others.
    private static let fleeting: Set<String> = [
        "uuid", "current_operations", "allowed_operations", "power_state", "domid", "is_control_domain",
        "currently_attached", "reserved", "runtime_properties", "location", "physical_utilisation", "virtual_size",
        "managed", "missing", "cbt_enabled", "sm_config", "is_a_snapshot", "snapshot_time", "transportable_snapshot_id",
        "start_time", "install_time", "pending_guidances", "requires_reboot",
    ]

    static func encode(_ row: Row) -> String {
        var members: [WireMember] = []
        for field in Datamodel.all.classNamed(row.className)?.recordFields ?? [] where travels(field, row.schema) {
            members.append(WireMember(field.name, row[field: field.name].wire))
        }
        return JSONText.encode(.structure(members))
    }

    /// Puts what `text` says into a new row of the class. Throws when it is no such document.
    static func decode(_ text: String, _ className: String, schema: DatabaseSchema) throws(APIError) -> [APIMember] {
        let wire: WireValue
        do { wire = try JSONText.decode(text) } catch {
            throw .internalError("what the other pool says of a \(className) is not understood: \(error)")
        }
        guard let known = schema[className] else { throw .internalError("no class \(className)") }
        let decoding = WireDecoding(model: .all)
        var members: [APIMember] = []
        for field in Datamodel.all.classNamed(className)?.recordFields ?? [] where travels(field, known) {
            guard let given = wire[field.name] else { continue }
            members.append(APIMember(field.name, try decoding.decode(given, as: field.type, name: field.name)))
        }
        return members
    }

    private static func travels(_ field: FieldDeclaration, _ schema: ClassSchema) -> Bool {
        guard let known = schema.field(field.name), known.source == nil, known.isPersistent else { return false }
        return !fleeting.contains(field.name) && !namesObjects(field.type)
    }

    private static func namesObjects(_ type: ModelType) -> Bool {
        switch type {
        case .ref, .record: true
        case .set(let element), .option(let element): namesObjects(element)
        case .map(let key, let value): namesObjects(key) || namesObjects(value)
        case .string, .int, .bool, .float, .datetime, .enumeration, .void: false
        }
    }
}
