import APITypes
import DataModel
import PoolDatabase
import RPCCodec

/// What a row says of an object wherever it is, as JSON: its public fields but those that name other objects or tell of a
/// moment. Whoever reads it takes the fields that it knows; newer and older toolstacks understand each other so.
///
/// A word that a newer toolstack has for one of them stands for something that is not done here. In a set, or as a key of a map, it is left
/// out. A field that is one such word would have another meaning without it, a drive that is not to be written that of one that is, so
/// the object is refused.
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

    /// Those that say no more than a row's owner could find out here.
    private static let found: Set<String> = ["secureboot_certificates_state"]

    /// Puts what `text` says into a new row of the class. Throws INTERNAL_ERROR [text] when it is no such document, VALUE_NOT_SUPPORTED
    /// [class.field, word, reason] for a word that is not known here.
    static func decode(_ text: String, _ className: String, schema: DatabaseSchema) throws(APIError) -> [APIMember] {
        let wire: WireValue
        do { wire = try JSONText.decode(text) } catch {
            throw .internalError("what the other pool says of a \(className) is not understood: \(error)")
        }
        guard let known = schema[className] else { throw .internalError("no class \(className)") }
        var members: [APIMember] = []
        for field in Datamodel.all.classNamed(className)?.recordFields ?? [] where travels(field, known) {
            guard let given = wire[field.name] else { continue }
            guard let value = try value(given, of: field, className) else { continue }
            members.append(APIMember(field.name, value))
        }
        return members
    }

    /// Nil: it is to be left out.
    private static func value(
        _ given: WireValue, of field: FieldDeclaration, _ className: String
    ) throws(APIError) -> APIValue? {
        func isKnown(_ word: String, _ name: String) -> Bool {
            Datamodel.all.enumNamed(name)?.spelling(of: word) != nil
        }
        var known = given
        switch (field.type, given) {
        case (.enumeration(let name), .string(let word)) where !isKnown(word, name):
            if found.contains(field.name) { return nil }
            throw APIError(
                "VALUE_NOT_SUPPORTED", "\(className).\(field.name)", String(word.prefix(200)),
                "the toolstack of the destination is older and does not know it: change it before the move")
        case (.set(.enumeration(let name)), .array(let words)):
            known = .array(words.filter { if case .string(let word) = $0 { isKnown(word, name) } else { true } })
        case (.map(.enumeration(let name), _), .structure(let members)):
            known = .structure(members.filter { isKnown($0.name, name) })
        default: break
        }
        return try WireDecoding(model: .all).decode(known, as: field.type, name: field.name)
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
