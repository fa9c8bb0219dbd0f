extension ClassDeclaration {
    static let role = ClassDeclaration(
        name: "role", since: "midnight-ride", defaultRole: .poolAdmin,
        fields: roleFields,
        messages: roleMessages)

    private static let roleFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "name_label", .string, .staticReadOnly, .string(""), since: "midnight-ride", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "midnight-ride",
            path: ["name", "description"]),
        FieldDeclaration("subroles", .set(.ref("role")), .staticReadOnly, .emptySet, since: "midnight-ride"),
        FieldDeclaration("is_internal", .bool, .dynamicReadOnly, .bool(false), since: "22.5.0"),
    ]

    private static let roleMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "get_permissions",
            [
                ParameterDeclaration("self", .ref("role"), since: "midnight-ride")
            ],
            result: .set(.ref("role")), role: .readOnly, since: "midnight-ride"),
        MessageDeclaration(
            "get_permissions_name_label",
            [
                ParameterDeclaration("self", .ref("role"), since: "midnight-ride")
            ],
            result: .set(.string), role: .readOnly, since: "midnight-ride"),
        MessageDeclaration(
            "get_by_permission",
            [
                ParameterDeclaration("permission", .ref("role"), since: "midnight-ride")
            ],
            result: .set(.ref("role")), role: .readOnly, since: "midnight-ride"),
        MessageDeclaration(
            "get_by_permission_name_label",
            [
                ParameterDeclaration("label", .string, since: "midnight-ride")
            ],
            result: .set(.ref("role")), role: .readOnly, since: "midnight-ride"),
    ]
}
