extension ClassDeclaration {
    static let subject = ClassDeclaration(
        name: "subject", since: "george", hasCreateDestroy: true, defaultRole: .poolAdmin,
        text: "Who may use the pool, by the name of an account of the pool or of PAM, with these roles.",
        fields: subjectFields,
        messages: subjectMessages)

    private static let subjectFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the subject."),
        FieldDeclaration(
            "subject_identifier", .string, .staticReadOnly, .string(""), since: "george",
            text: "The name of the account."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .staticReadOnly, .emptyMap, since: "george",
            text: "What else is known of the account; `subject-name` is the name to show."),
        FieldDeclaration(
            "roles", .set(.ref("role")), .dynamicReadOnly,
            .set([.ref("OpaqueRef:0165f154-ba3e-034e-6b27-5d271af109ba")]), since: "midnight-ride",
            text: "The roles. A new subject has none and cannot log in."),
    ]

    private static let subjectMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "add_to_roles",
            [
                ParameterDeclaration("self", .ref("subject"), since: "midnight-ride"),
                ParameterDeclaration("role", .ref("role"), since: "midnight-ride"),
            ],
            role: .poolAdmin, since: "midnight-ride",
            text: "Gives one of the six roles, and ends the subject's sessions."),
        MessageDeclaration(
            "remove_from_roles",
            [
                ParameterDeclaration("self", .ref("subject"), since: "midnight-ride"),
                ParameterDeclaration("role", .ref("role"), since: "midnight-ride"),
            ],
            role: .poolAdmin, since: "midnight-ride",
            text: "Takes a role away, and ends the subject's sessions."),
        MessageDeclaration(
            "get_permissions_name_label",
            [
                ParameterDeclaration("self", .ref("subject"), since: "midnight-ride")
            ],
            result: .set(.string), role: .readOnly, since: "midnight-ride",
            text: "The names of all permissions that the subject's roles give."),
    ]
}
