extension ClassDeclaration {
    static let hostCPU = ClassDeclaration(
        name: "host_cpu", since: "rio", state: .deprecated, history: History(deprecated: "midnight-ride"),
        defaultRole: .poolOperator,
        fields: hostCPUFields,
        messages: [])

    private static let hostCPUFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("host", .ref("host"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("number", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("vendor", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("speed", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("modelname", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("family", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("model", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("stepping", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("flags", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("features", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("utilisation", .float, .dynamicReadOnly, since: "rio", isPersistent: false),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .poolOperator),
    ]
}
