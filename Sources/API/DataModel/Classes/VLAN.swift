extension ClassDeclaration {
    static let vlan = ClassDeclaration(
        name: "VLAN", since: "miami", defaultRole: .poolOperator,
        fields: vlanFields,
        messages: vlanMessages)

    private static let vlanFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("tagged_PIF", .ref("PIF"), .staticReadOnly, .nullRef, since: "miami"),
        FieldDeclaration("untagged_PIF", .ref("PIF"), .dynamicReadOnly, .nullRef, since: "miami"),
        FieldDeclaration("tag", .int, .staticReadOnly, .int(-1), since: "miami"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
    ]

    private static let vlanMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "pool_introduce",
            [
                ParameterDeclaration("tagged_PIF", .ref("PIF"), since: "inverness"),
                ParameterDeclaration("untagged_PIF", .ref("PIF"), since: "inverness"),
                ParameterDeclaration("tag", .int, since: "inverness"),
                ParameterDeclaration("other_config", .map(.string, .string), since: "inverness"),
            ],
            result: .ref("VLAN"), role: .poolOperator, isAsync: true, since: "inverness", isHidden: true),
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("tagged_PIF", .ref("PIF"), since: "miami"),
                ParameterDeclaration("tag", .int, since: "miami"),
                ParameterDeclaration("network", .ref("network"), since: "miami"),
            ],
            result: .ref("VLAN"), role: .poolOperator, isAsync: true, since: "miami"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("VLAN"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami"),
    ]
}
