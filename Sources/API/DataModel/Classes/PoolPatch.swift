extension ClassDeclaration {
    static let poolPatch = ClassDeclaration(
        name: "pool_patch", since: "miami", state: .deprecated, history: History(deprecated: "ely"),
        defaultRole: .poolOperator,
        fields: poolPatchFields,
        messages: poolPatchMessages)

    private static let poolPatchFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("name_label", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration("version", .string, .staticReadOnly, .string(""), since: "miami"),
        FieldDeclaration("filename", .string, .dynamicReadOnly, .string(""), since: "miami", isInternal: true),
        FieldDeclaration("size", .int, .dynamicReadOnly, .int(0), since: "miami"),
        FieldDeclaration("pool_applied", .bool, .dynamicReadOnly, .bool(false), since: "miami"),
        FieldDeclaration("host_patches", .set(.ref("host_patch")), .dynamicReadOnly, since: "miami"),
        FieldDeclaration(
            "after_apply_guidance", .set(.enumeration("after_apply_guidance")), .dynamicReadOnly, .emptySet,
            since: "miami"),
        FieldDeclaration("pool_update", .ref("pool_update"), .staticReadOnly, .nullRef, since: "ely"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
    ]

    private static let poolPatchMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "apply",
            [
                ParameterDeclaration("self", .ref("pool_patch"), since: "miami"),
                ParameterDeclaration("host", .ref("host"), since: "miami"),
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "miami", state: .deprecated,
            history: History(deprecated: "ely")),
        MessageDeclaration(
            "pool_apply",
            [
                ParameterDeclaration("self", .ref("pool_patch"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami", state: .deprecated, history: History(deprecated: "ely")),
        MessageDeclaration(
            "precheck",
            [
                ParameterDeclaration("self", .ref("pool_patch"), since: "miami"),
                ParameterDeclaration("host", .ref("host"), since: "miami"),
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "miami", state: .deprecated,
            history: History(deprecated: "ely")),
        MessageDeclaration(
            "clean",
            [
                ParameterDeclaration("self", .ref("pool_patch"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami", state: .deprecated, history: History(deprecated: "ely")),
        MessageDeclaration(
            "pool_clean",
            [
                ParameterDeclaration("self", .ref("pool_patch"), since: "tampa")
            ],
            role: .poolOperator, isAsync: true, since: "tampa", state: .deprecated, history: History(deprecated: "ely")),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("pool_patch"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami", state: .deprecated, history: History(deprecated: "ely")),
        MessageDeclaration(
            "clean_on_host",
            [
                ParameterDeclaration("self", .ref("pool_patch"), since: "tampa"),
                ParameterDeclaration("host", .ref("host"), since: "tampa"),
            ],
            role: .poolOperator, isAsync: true, since: "tampa", state: .deprecated, history: History(deprecated: "ely")),
    ]
}
