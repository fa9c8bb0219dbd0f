extension ClassDeclaration {
    static let subject = ClassDeclaration(
        name: "subject", since: "george", hasCreateDestroy: true, defaultRole: .poolAdmin,
        fields: subjectFields,
        messages: subjectMessages)

    private static let subjectFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("subject_identifier", .string, .staticReadOnly, .string(""), since: "george"),
        FieldDeclaration("other_config", .map(.string, .string), .staticReadOnly, .emptyMap, since: "george"),
        FieldDeclaration(
            "roles", .set(.ref("role")), .dynamicReadOnly,
            .set([.ref("OpaqueRef:0165f154-ba3e-034e-6b27-5d271af109ba")]), since: "midnight-ride"),
    ]

    private static let subjectMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "add_to_roles",
            [
                ParameterDeclaration("self", .ref("subject"), since: "midnight-ride"),
                ParameterDeclaration("role", .ref("role"), since: "midnight-ride"),
            ],
            role: .poolAdmin, since: "midnight-ride"),
        MessageDeclaration(
            "remove_from_roles",
            [
                ParameterDeclaration("self", .ref("subject"), since: "midnight-ride"),
                ParameterDeclaration("role", .ref("role"), since: "midnight-ride"),
            ],
            role: .poolAdmin, since: "midnight-ride"),
        MessageDeclaration(
            "get_permissions_name_label",
            [
                ParameterDeclaration("self", .ref("subject"), since: "midnight-ride")
            ],
            result: .set(.string), role: .readOnly, since: "midnight-ride"),
    ]
}
