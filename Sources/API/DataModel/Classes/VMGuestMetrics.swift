extension ClassDeclaration {
    static let vmGuestMetrics = ClassDeclaration(
        name: "VM_guest_metrics", since: "rio", defaultRole: .vmAdmin,
        text: "What a guest says of itself through an agent.",
        fields: vmGuestMetricsFields,
        messages: [])

    private static let vmGuestMetricsFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the object."),
        FieldDeclaration(
            "os_version", .map(.string, .string), .dynamicReadOnly, since: "rio",
            text: "The guest's system, by aspects."),
        FieldDeclaration(
            "netbios_name", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "24.28.0", state: .prototyped),
        FieldDeclaration("PV_drivers_version", .map(.string, .string), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "PV_drivers_up_to_date", .bool, .dynamicReadOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "dundee")),
        FieldDeclaration(
            "memory", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "rio", state: .removed,
            history: History(deprecated: "george", removed: "george")),
        FieldDeclaration(
            "disks", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "rio", state: .removed,
            history: History(deprecated: "orlando", removed: "orlando")),
        FieldDeclaration(
            "networks", .map(.string, .string), .dynamicReadOnly, since: "rio",
            text: "The guest's addresses, by interface."),
        FieldDeclaration("other", .map(.string, .string), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "last_updated", .datetime, .dynamicReadOnly, since: "rio",
            text: "When the agent spoke last."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .vmAdmin),
        FieldDeclaration("live", .bool, .dynamicReadOnly, .bool(false), since: "orlando"),
        FieldDeclaration(
            "can_use_hotplug_vbd", .enumeration("tristate_type"), .dynamicReadOnly, .string("unspecified"),
            since: "dundee"),
        FieldDeclaration(
            "can_use_hotplug_vif", .enumeration("tristate_type"), .dynamicReadOnly, .string("unspecified"),
            since: "dundee"),
        FieldDeclaration("PV_drivers_detected", .bool, .dynamicReadOnly, .bool(false), since: "dundee"),
        FieldDeclaration(
            "services", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "25.15.0", state: .prototyped),
    ]
}
