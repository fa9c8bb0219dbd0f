extension ClassDeclaration {
    static let hostMetrics = ClassDeclaration(
        name: "host_metrics", since: "rio", defaultRole: .poolOperator,
        fields: hostMetricsFields,
        messages: [])

    private static let hostMetricsFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("memory_total", .int, .dynamicReadOnly, since: "rio", path: ["memory", "total"]),
        FieldDeclaration(
            "memory_free", .int, .dynamicReadOnly, .int(0), since: "rio", state: .removed, path: ["memory", "free"]),
        FieldDeclaration("live", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("last_updated", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .poolOperator),
    ]
}
