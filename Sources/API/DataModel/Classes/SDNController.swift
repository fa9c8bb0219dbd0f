extension ClassDeclaration {
    static let sdnController = ClassDeclaration(
        name: "SDN_controller", since: "falcon", defaultRole: .poolOperator,
        fields: sdnControllerFields,
        messages: sdnControllerMessages)

    private static let sdnControllerFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "falcon"),
        FieldDeclaration(
            "protocol", .enumeration("sdn_controller_protocol"), .staticReadOnly, .string("ssl"), since: "falcon"),
        FieldDeclaration("address", .string, .staticReadOnly, .string(""), since: "falcon"),
        FieldDeclaration("port", .int, .staticReadOnly, .int(0), since: "falcon"),
    ]

    private static let sdnControllerMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration(
                    "protocol", .enumeration("sdn_controller_protocol"), .string("ssl"), since: "falcon"),
                ParameterDeclaration("address", .string, .string(""), since: "falcon"),
                ParameterDeclaration("port", .int, .int(0), since: "falcon"),
            ],
            result: .ref("SDN_controller"), role: .poolOperator, isAsync: true, since: "falcon"),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("self", .ref("SDN_controller"), since: "falcon")
            ],
            role: .poolOperator, isAsync: true, since: "falcon"),
    ]
}
