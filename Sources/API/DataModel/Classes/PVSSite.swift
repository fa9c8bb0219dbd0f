extension ClassDeclaration {
    static let pvsSite = ClassDeclaration(
        name: "PVS_site", since: "ely", defaultRole: .poolOperator,
        fields: pvsSiteFields,
        messages: pvsSiteMessages)

    private static let pvsSiteFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "ely"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "ely", setterRole: .poolOperator,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "ely", setterRole: .poolOperator,
            path: ["name", "description"]),
        FieldDeclaration("PVS_uuid", .string, .staticReadOnly, .string(""), since: "ely"),
        FieldDeclaration("cache_storage", .set(.ref("PVS_cache_storage")), .dynamicReadOnly, .emptySet, since: "ely"),
        FieldDeclaration("servers", .set(.ref("PVS_server")), .dynamicReadOnly, since: "ely"),
        FieldDeclaration("proxies", .set(.ref("PVS_proxy")), .dynamicReadOnly, since: "ely"),
    ]

    private static let pvsSiteMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("name_label", .string, since: "ely"),
                ParameterDeclaration("name_description", .string, since: "ely"),
                ParameterDeclaration("PVS_uuid", .string, since: "ely"),
            ],
            result: .ref("PVS_site"), role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("self", .ref("PVS_site"), since: "ely")
            ],
            role: .poolOperator, isAsync: true,
            errors: ["PVS_SITE_CONTAINS_RUNNING_PROXIES", "PVS_SITE_CONTAINS_SERVERS"], since: "ely"),
        MessageDeclaration(
            "set_PVS_uuid",
            [
                ParameterDeclaration("self", .ref("PVS_site"), since: "ely"),
                ParameterDeclaration("value", .string, since: "ely"),
            ],
            role: .poolOperator, isAsync: true, since: "ely"),
    ]
}
