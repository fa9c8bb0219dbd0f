extension ClassDeclaration {
    static let poolUpdate = ClassDeclaration(
        name: "pool_update", since: "ely", defaultRole: .poolOperator,
        fields: poolUpdateFields,
        messages: poolUpdateMessages)

    private static let poolUpdateFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("name_label", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration("version", .string, .staticReadOnly, .string(""), since: "ely"),
        FieldDeclaration("installation_size", .int, .staticReadOnly, .int(0), since: "ely"),
        FieldDeclaration("key", .string, .staticReadOnly, .string(""), since: "ely"),
        FieldDeclaration(
            "after_apply_guidance", .set(.enumeration("update_after_apply_guidance")), .staticReadOnly, .emptySet,
            since: "ely"),
        FieldDeclaration("vdi", .ref("VDI"), .staticReadOnly, since: "rio"),
        FieldDeclaration("hosts", .set(.ref("host")), .dynamicReadOnly, since: "ely"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "inverness",
            setterRole: .poolOperator),
        FieldDeclaration("enforce_homogeneity", .bool, .staticReadOnly, .bool(false), since: "inverness"),
    ]

    private static let poolUpdateMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("vdi", .ref("VDI"), since: "ely")
            ],
            result: .ref("pool_update"), role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "precheck",
            [
                ParameterDeclaration("self", .ref("pool_update"), since: "ely"),
                ParameterDeclaration("host", .ref("host"), since: "ely"),
            ],
            result: .enumeration("livepatch_status"), role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "apply",
            [
                ParameterDeclaration("self", .ref("pool_update"), since: "ely"),
                ParameterDeclaration("host", .ref("host"), since: "ely"),
            ],
            role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "pool_apply",
            [
                ParameterDeclaration("self", .ref("pool_update"), since: "ely")
            ],
            role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "pool_clean",
            [
                ParameterDeclaration("self", .ref("pool_update"), since: "ely")
            ],
            role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("pool_update"), since: "ely")
            ],
            role: .poolOperator, isAsync: true, since: "ely"),
        MessageDeclaration(
            "attach",
            [
                ParameterDeclaration("self", .ref("pool_update"), since: "ely"),
                ParameterDeclaration("use_localhost_proxy", .bool, .bool(false), since: "naples"),
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "ely", isHidden: true),
        MessageDeclaration(
            "detach",
            [
                ParameterDeclaration("self", .ref("pool_update"), since: "ely")
            ],
            role: .poolOperator, isAsync: true, since: "ely", isHidden: true),
        MessageDeclaration(
            "resync_host",
            [
                ParameterDeclaration("host", .ref("host"), since: "ely")
            ],
            role: .poolOperator, isAsync: true, since: "ely", isHidden: true),
    ]
}
