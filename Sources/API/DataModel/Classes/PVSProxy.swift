extension ClassDeclaration {
    static let pvsProxy = ClassDeclaration(
        name: "PVS_proxy", since: "ely", defaultRole: .poolOperator,
        fields: pvsProxyFields,
        messages: pvsProxyMessages)

    private static let pvsProxyFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "ely"),
        FieldDeclaration("site", .ref("PVS_site"), .staticReadOnly, .nullRef, since: "ely"),
        FieldDeclaration("VIF", .ref("VIF"), .staticReadOnly, .nullRef, since: "ely"),
        FieldDeclaration("currently_attached", .bool, .dynamicReadOnly, .bool(false), since: "ely"),
        FieldDeclaration(
            "status", .enumeration("pvs_proxy_status"), .dynamicReadOnly, .string("stopped"), since: "ely"),
    ]

    private static let pvsProxyMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("site", .ref("PVS_site"), since: "ely"),
                ParameterDeclaration("VIF", .ref("VIF"), since: "ely"),
            ],
            result: .ref("PVS_proxy"), role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("PVS_proxy"), since: "ely")
            ],
            role: .poolOperator, isAsync: true, since: "ely"),
    ]
}
