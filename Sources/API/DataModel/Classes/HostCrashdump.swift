extension ClassDeclaration {
    static let hostCrashdump = ClassDeclaration(
        name: "host_crashdump", since: "rio", defaultRole: .poolOperator,
        fields: hostCrashdumpFields,
        messages: hostCrashdumpMessages)

    private static let hostCrashdumpFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, since: "rio"),
        FieldDeclaration("timestamp", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("size", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("filename", .string, .staticReadOnly, since: "rio", isInternal: true),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
    ]

    private static let hostCrashdumpMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("host_crashdump"))
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "upload",
            [
                ParameterDeclaration("self", .ref("host_crashdump")),
                ParameterDeclaration("url", .string),
                ParameterDeclaration("options", .map(.string, .string)),
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
    ]
}
