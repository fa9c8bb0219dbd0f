extension ClassDeclaration {
    static let auth = ClassDeclaration(
        name: "auth", since: "george", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .readOnly,
        text: "Who has an account, here and on the host where it is asked through PAM.",
        fields: [],
        messages: authMessages)

    private static let authMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "get_subject_identifier",
            [
                ParameterDeclaration("subject_name", .string, since: "george")
            ],
            result: .string, role: .readOnly, since: "george",
            text: "The identifier of an account: its name. SUBJECT_CANNOT_BE_RESOLVED where there is no such account."),
        MessageDeclaration(
            "get_subject_information_from_identifier",
            [
                ParameterDeclaration("subject_identifier", .string, since: "george")
            ],
            result: .map(.string, .string), role: .readOnly, since: "george",
            text: "What is known of an account: its name and its full name."),
        MessageDeclaration(
            "get_group_membership",
            [
                ParameterDeclaration("subject_identifier", .string, since: "george")
            ],
            result: .set(.string), role: .readOnly, since: "george",
            text: "The groups of an account: none, accounts here belong to none."),
    ]
}
