extension ClassDeclaration {
    static let vifMetrics = ClassDeclaration(
        name: "VIF_metrics", since: "rio", state: .removed, history: History(deprecated: "tampa", removed: "tampa"),
        isPersistent: false, defaultRole: .vmAdmin,
        fields: vifMetricsFields,
        messages: [])

    private static let vifMetricsFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "io_read_kbs", .float, .dynamicReadOnly, .float(0), since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), path: ["io", "read_kbs"], isPersistent: false),
        FieldDeclaration(
            "io_write_kbs", .float, .dynamicReadOnly, .float(0), since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), path: ["io", "write_kbs"], isPersistent: false),
        FieldDeclaration("last_updated", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .vmAdmin),
    ]
}
