extension ClassDeclaration {
    static let hostMetrics = ClassDeclaration(
        name: "host_metrics", since: "rio", defaultRole: .poolOperator,
        text: "What is measured of a host.",
        fields: hostMetricsFields,
        messages: [])

    private static let hostMetricsFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the object."),
        FieldDeclaration(
            "memory_total", .int, .dynamicReadOnly, since: "rio", path: ["memory", "total"],
            text: "The host's memory, bytes."),
        FieldDeclaration(
            "memory_free", .int, .dynamicReadOnly, .int(0), since: "rio", state: .removed,
            history: History(deprecated: "midnight-ride", removed: "tampa"), path: ["memory", "free"],
            text: "What of it is free, bytes."),
        FieldDeclaration(
            "live", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether the host was there when it was last looked."),
        FieldDeclaration(
            "last_updated", .datetime, .dynamicReadOnly, since: "rio",
            text: "When it was measured."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .poolOperator,
            text: "For notes."),
    ]
}
