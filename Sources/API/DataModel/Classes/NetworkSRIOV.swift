extension ClassDeclaration {
    static let networkSRIOV = ClassDeclaration(
        name: "network_sriov", since: "kolkata", defaultRole: .poolOperator,
        fields: networkSRIOVFields,
        messages: networkSRIOVMessages)

    private static let networkSRIOVFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("physical_PIF", .ref("PIF"), .staticReadOnly, .nullRef, since: "kolkata"),
        FieldDeclaration("logical_PIF", .ref("PIF"), .staticReadOnly, .nullRef, since: "kolkata"),
        FieldDeclaration("requires_reboot", .bool, .dynamicReadOnly, .bool(false), since: "kolkata"),
        FieldDeclaration(
            "configuration_mode", .enumeration("sriov_configuration_mode"), .dynamicReadOnly, .string("unknown"),
            since: "kolkata"),
    ]

    private static let networkSRIOVMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("pif", .ref("PIF"), since: "kolkata"),
                ParameterDeclaration("network", .ref("network"), since: "kolkata"),
            ],
            result: .ref("network_sriov"), role: .poolOperator, isAsync: true, since: "kolkata"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("network_sriov"), since: "kolkata")
            ],
            role: .poolOperator, isAsync: true, since: "kolkata"),
        MessageDeclaration(
            "get_remaining_capacity",
            [
                ParameterDeclaration("self", .ref("network_sriov"), since: "kolkata")
            ],
            result: .int, role: .readOnly, isAsync: true, since: "kolkata"),
    ]
}
