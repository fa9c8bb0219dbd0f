extension ClassDeclaration {
    static let pifMetrics = ClassDeclaration(
        name: "PIF_metrics", since: "rio", defaultRole: .poolOperator,
        fields: pifMetricsFields,
        messages: [])

    private static let pifMetricsFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "io_read_kbs", .float, .dynamicReadOnly, .float(0), since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), path: ["io", "read_kbs"], isPersistent: false),
        FieldDeclaration(
            "io_write_kbs", .float, .dynamicReadOnly, .float(0), since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), path: ["io", "write_kbs"], isPersistent: false),
        FieldDeclaration("carrier", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("vendor_id", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("vendor_name", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("device_id", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("device_name", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("speed", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("duplex", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("pci_bus_path", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("last_updated", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .poolOperator),
    ]
}
