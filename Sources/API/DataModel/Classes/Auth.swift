extension ClassDeclaration {
    static let auth = ClassDeclaration(
        name: "auth", since: "george", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .readOnly,
        fields: [],
        messages: authMessages)

    private static let authMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "get_subject_identifier",
            [
                ParameterDeclaration("subject_name", .string, since: "george")
            ],
            result: .string, role: .readOnly, since: "george"),
        MessageDeclaration(
            "get_subject_information_from_identifier",
            [
                ParameterDeclaration("subject_identifier", .string, since: "george")
            ],
            result: .map(.string, .string), role: .readOnly, since: "george"),
        MessageDeclaration(
            "get_group_membership",
            [
                ParameterDeclaration("subject_identifier", .string, since: "george")
            ],
            result: .set(.string), role: .readOnly, since: "george"),
    ]
}
