extension ClassDeclaration {
    static let hostPatch = ClassDeclaration(
        name: "host_patch", since: "rio", state: .deprecated, history: History(deprecated: "ely"),
        defaultRole: .poolOperator,
        fields: hostPatchFields,
        messages: hostPatchMessages)

    private static let hostPatchFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("name_label", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration("version", .string, .staticReadOnly, since: "rio"),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, since: "rio"),
        FieldDeclaration("filename", .string, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration("applied", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("timestamp_applied", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("size", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("pool_patch", .ref("pool_patch"), .staticReadOnly, .nullRef, since: "miami"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
    ]

    private static let hostPatchMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("host_patch"))
            ],
            role: .poolOperator, isAsync: true, since: "rio", state: .deprecated, history: History(deprecated: "miami")),
        MessageDeclaration(
            "apply",
            [
                ParameterDeclaration("self", .ref("host_patch"))
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "rio", state: .deprecated,
            history: History(deprecated: "miami")),
    ]
}
