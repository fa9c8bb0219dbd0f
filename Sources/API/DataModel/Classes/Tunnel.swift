extension ClassDeclaration {
    static let tunnel = ClassDeclaration(
        name: "tunnel", since: "cowley", defaultRole: .poolOperator,
        fields: tunnelFields,
        messages: tunnelMessages)

    private static let tunnelFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "cowley"),
        FieldDeclaration("access_PIF", .ref("PIF"), .staticReadOnly, .nullRef, since: "cowley"),
        FieldDeclaration("transport_PIF", .ref("PIF"), .staticReadOnly, .nullRef, since: "cowley"),
        FieldDeclaration(
            "status", .map(.string, .string), .readWrite, .map(["active": .string("false")]), since: "cowley",
            setterRole: .poolOperator),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "cowley", setterRole: .poolOperator),
        FieldDeclaration(
            "protocol", .enumeration("tunnel_protocol"), .readWrite, .string("gre"), since: "1.250.0",
            setterRole: .poolOperator),
    ]

    private static let tunnelMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("transport_PIF", .ref("PIF"), since: "dundee"),
                ParameterDeclaration("network", .ref("network"), since: "dundee"),
                ParameterDeclaration("protocol", .enumeration("tunnel_protocol"), .string("gre"), since: "1.250.0"),
            ],
            result: .ref("tunnel"), role: .poolOperator, isAsync: true,
            errors: ["OPENVSWITCH_NOT_ACTIVE", "TRANSPORT_PIF_NOT_CONFIGURED", "IS_TUNNEL_ACCESS_PIF"],
            since: "cowley"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("tunnel"), since: "cowley")
            ],
            role: .poolOperator, isAsync: true, since: "cowley"),
    ]
}
