extension ClassDeclaration {
    static let role = ClassDeclaration(
        name: "role", since: "midnight-ride", defaultRole: .poolAdmin,
        text: "A set of permissions or, without subroles, a single one. Nobody makes or changes roles.",
        fields: roleFields,
        messages: roleMessages)

    private static let roleFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the role: the digest of its name."),
        FieldDeclaration(
            "name_label", .string, .staticReadOnly, .string(""), since: "midnight-ride", path: ["name", "label"],
            text: "The name of the role or of the permission."),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "midnight-ride",
            path: ["name", "description"],
            text: "What it lets somebody do."),
        FieldDeclaration(
            "subroles", .set(.ref("role")), .staticReadOnly, .emptySet, since: "midnight-ride",
            text: "The permissions of a role; empty for a permission."),
        FieldDeclaration(
            "is_internal", .bool, .dynamicReadOnly, .bool(false), since: "22.5.0",
            text: "Whether it is for hosts and not for people."),
    ]

    private static let roleMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "get_permissions",
            [
                ParameterDeclaration("self", .ref("role"), since: "midnight-ride")
            ],
            result: .set(.ref("role")), role: .readOnly, since: "midnight-ride",
            text: "The permissions of a role; a permission has itself."),
        MessageDeclaration(
            "get_permissions_name_label",
            [
                ParameterDeclaration("self", .ref("role"), since: "midnight-ride")
            ],
            result: .set(.string), role: .readOnly, since: "midnight-ride",
            text: "The names of a role's permissions."),
        MessageDeclaration(
            "get_by_permission",
            [
                ParameterDeclaration("permission", .ref("role"), since: "midnight-ride")
            ],
            result: .set(.ref("role")), role: .readOnly, since: "midnight-ride",
            text: "The roles that have the permission."),
        MessageDeclaration(
            "get_by_permission_name_label",
            [
                ParameterDeclaration("label", .string, since: "midnight-ride")
            ],
            result: .set(.ref("role")), role: .readOnly, since: "midnight-ride",
            text: "The roles that have the permission of this name."),
    ]
}
