extension ClassDeclaration {
    static let drTask = ClassDeclaration(
        name: "DR_task", since: "boston", defaultRole: .poolOperator,
        fields: drTaskFields,
        messages: drTaskMessages)

    private static let drTaskFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("introduced_SRs", .set(.ref("SR")), .dynamicReadOnly, since: "rio"),
    ]

    private static let drTaskMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("type", .string, since: "boston"),
                ParameterDeclaration("device_config", .map(.string, .string), since: "boston"),
                ParameterDeclaration("whitelist", .set(.string), since: "boston"),
            ],
            result: .ref("DR_task"), role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("DR_task"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
    ]
}
