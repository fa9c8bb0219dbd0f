extension ClassDeclaration {
    static let bond = ClassDeclaration(
        name: "Bond", since: "miami", defaultRole: .poolOperator,
        fields: bondFields,
        messages: bondMessages)

    private static let bondFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("master", .ref("PIF"), .staticReadOnly, .nullRef, since: "miami"),
        FieldDeclaration("slaves", .set(.ref("PIF")), .dynamicReadOnly, since: "miami"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
        FieldDeclaration("primary_slave", .ref("PIF"), .dynamicReadOnly, .nullRef, since: "boston"),
        FieldDeclaration("mode", .enumeration("bond_mode"), .dynamicReadOnly, .string("balance-slb"), since: "boston"),
        FieldDeclaration("properties", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "tampa"),
        FieldDeclaration("links_up", .int, .dynamicReadOnly, .int(0), since: "tampa"),
        FieldDeclaration("auto_update_mac", .bool, .dynamicReadOnly, .bool(true), since: "quebec"),
    ]

    private static let bondMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("network", .ref("network"), since: "miami"),
                ParameterDeclaration("members", .set(.ref("PIF")), since: "miami"),
                ParameterDeclaration("MAC", .string, since: "miami"),
                ParameterDeclaration("mode", .enumeration("bond_mode"), .string("balance-slb"), since: "boston"),
                ParameterDeclaration("properties", .map(.string, .string), .emptyMap, since: "tampa"),
            ],
            result: .ref("Bond"), role: .poolOperator, isAsync: true, since: "miami"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("Bond"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami"),
        MessageDeclaration(
            "set_mode",
            [
                ParameterDeclaration("self", .ref("Bond"), since: "boston"),
                ParameterDeclaration("value", .enumeration("bond_mode"), since: "boston"),
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "set_property",
            [
                ParameterDeclaration("self", .ref("Bond"), since: "tampa"),
                ParameterDeclaration("name", .string, since: "tampa"),
                ParameterDeclaration("value", .string, since: "tampa"),
            ],
            role: .poolOperator, isAsync: true, since: "tampa"),
    ]
}
