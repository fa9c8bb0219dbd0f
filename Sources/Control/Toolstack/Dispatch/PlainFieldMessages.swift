import DataModel
import PoolDatabase

/// Setters that the datamodel declares by hand, though they only store a value here: `set_X`, and for maps `add_to_X` and
/// `remove_from_X`. A field is listed when nothing but the database follows from it.
struct PlainFieldMessages: Sendable {
    let database: PoolDatabase

    private static let fields: [(className: String, names: [String])] = [
        (
            "VM",
            [
                "other_config", "platform", "blocked_operations", "actions_after_crash", "HVM_boot_policy",
                "is_default_template",
            ]
        ),
        ("VDI", ["allow_caching"]),
        ("SR", ["shared"]),
        ("network", ["default_locking_mode"]),
    ]

    func register(in table: inout MessageTable) {
        let implied = ImpliedMessages(database: database)
        for (className, names) in Self.fields {
            guard let declared = Datamodel.all.classNamed(className) else { continue }
            for field in declared.fields where names.contains(field.name) {
                let accessors: [(String, MessageOrigin)] = [
                    ("set_", .setField(field)), ("add_to_", .addToMap(field)), ("remove_from_", .removeFromMap(field)),
                ]
                for (prefix, origin) in accessors {
                    let name = "\(className).\(prefix)\(field.name)"
                    guard Datamodel.all.message(name)?.origin == .custom,
                        let handler = implied.handler(for: origin, of: className)
                    else { continue }
                    table.on(name, handler)
                }
            }
        }
    }
}
