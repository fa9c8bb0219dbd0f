extension ClassDeclaration {
    static let pbd = ClassDeclaration(
        name: "PBD", since: "rio", hasCreateDestroy: true, defaultRole: .poolOperator,
        fields: pbdFields,
        messages: pbdMessages)

    private static let pbdFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, since: "rio"),
        FieldDeclaration("SR", .ref("SR"), .staticReadOnly, since: "rio"),
        FieldDeclaration("device_config", .map(.string, .string), .staticReadOnly, since: "rio"),
        FieldDeclaration("currently_attached", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
    ]

    private static let pbdMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "plug",
            [
                ParameterDeclaration("self", .ref("PBD"))
            ],
            role: .poolOperator, isAsync: true, errors: ["SR_UNKNOWN_DRIVER"], since: "rio"),
        MessageDeclaration(
            "unplug",
            [
                ParameterDeclaration("self", .ref("PBD"))
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "set_device_config",
            [
                ParameterDeclaration("self", .ref("PBD"), since: "miami"),
                ParameterDeclaration("value", .map(.string, .string), since: "miami"),
            ],
            role: .poolOperator, isAsync: true, since: "miami"),
    ]
}
