extension ClassDeclaration {
    static let lvhd = ClassDeclaration(
        name: "LVHD", since: "dundee", hasGetAllFamily: false, defaultRole: .poolAdmin,
        fields: lvhdFields,
        messages: lvhdMessages)

    private static let lvhdFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio")
    ]

    private static let lvhdMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "enable_thin_provisioning",
            [
                ParameterDeclaration("host", .ref("host"), since: "dundee"),
                ParameterDeclaration("SR", .ref("SR"), since: "dundee"),
                ParameterDeclaration("initial_allocation", .int, since: "dundee"),
                ParameterDeclaration("allocation_quantum", .int, since: "dundee"),
            ],
            result: .string, role: .poolAdmin, isAsync: true, since: "dundee")
    ]
}
