extension ClassDeclaration {
    static let vbdMetrics = ClassDeclaration(
        name: "VBD_metrics", since: "rio", state: .removed, history: History(deprecated: "tampa", removed: "tampa"),
        isPersistent: false, defaultRole: .vmAdmin,
        fields: vbdMetricsFields,
        messages: [])

    private static let vbdMetricsFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "io_read_kbs", .float, .dynamicReadOnly, .float(0), since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), path: ["io", "read_kbs"], isPersistent: false),
        FieldDeclaration(
            "io_write_kbs", .float, .dynamicReadOnly, .float(0), since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), path: ["io", "write_kbs"], isPersistent: false),
        FieldDeclaration(
            "last_updated", .datetime, .dynamicReadOnly, .never, since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa")),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), setterRole: .vmAdmin),
    ]
}
