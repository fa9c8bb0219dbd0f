extension ClassDeclaration {
    static let pvsServer = ClassDeclaration(
        name: "PVS_server", since: "ely", defaultRole: .poolOperator,
        fields: pvsServerFields,
        messages: pvsServerMessages)

    private static let pvsServerFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "ely"),
        FieldDeclaration("addresses", .set(.string), .staticReadOnly, .emptySet, since: "ely"),
        FieldDeclaration("first_port", .int, .staticReadOnly, .int(0), since: "ely"),
        FieldDeclaration("last_port", .int, .staticReadOnly, .int(0), since: "ely"),
        FieldDeclaration("site", .ref("PVS_site"), .staticReadOnly, .nullRef, since: "ely"),
    ]

    private static let pvsServerMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("addresses", .set(.string), since: "ely"),
                ParameterDeclaration("first_port", .int, since: "ely"),
                ParameterDeclaration("last_port", .int, since: "ely"),
                ParameterDeclaration("site", .ref("PVS_site"), since: "ely"),
            ],
            result: .ref("PVS_server"), role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("self", .ref("PVS_server"), since: "ely")
            ],
            role: .poolOperator, isAsync: true, since: "ely"),
    ]
}
