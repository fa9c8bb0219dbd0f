extension ClassDeclaration {
    static let session = ClassDeclaration(
        name: "session", since: "rio", isPersistent: false, generatesEvents: false, hasGetAllFamily: false,
        defaultRole: .poolAdmin,
        fields: sessionFields,
        messages: sessionMessages)

    private static let sessionFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("this_host", .ref("host"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("this_user", .ref("user"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("last_active", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("pool", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolAdmin),
        FieldDeclaration("is_local_superuser", .bool, .dynamicReadOnly, .bool(false), since: "george"),
        FieldDeclaration("subject", .ref("subject"), .dynamicReadOnly, .nullRef, since: "george"),
        FieldDeclaration("validation_time", .datetime, .dynamicReadOnly, .never, since: "george"),
        FieldDeclaration("auth_user_sid", .string, .dynamicReadOnly, .string(""), since: "george"),
        FieldDeclaration("auth_user_name", .string, .dynamicReadOnly, .string(""), since: "midnight-ride"),
        FieldDeclaration("rbac_permissions", .set(.string), .staticReadOnly, .emptySet, since: "midnight-ride"),
        FieldDeclaration("tasks", .set(.ref("task")), .dynamicReadOnly, since: "midnight-ride"),
        FieldDeclaration("parent", .ref("session"), .staticReadOnly, .nullRef, since: "midnight-ride"),
        FieldDeclaration("originator", .string, .dynamicReadOnly, .string(""), since: "clearwater"),
        FieldDeclaration("client_certificate", .bool, .dynamicReadOnly, .bool(false), since: "21.2.0"),
    ]

    private static let sessionMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "login_with_password",
            [
                ParameterDeclaration("uname", .string),
                ParameterDeclaration("pwd", .string),
                ParameterDeclaration("version", .string, .string("1.1"), since: "miami"),
                ParameterDeclaration("originator", .string, .string(""), since: "clearwater"),
            ],
            result: .ref("session"), role: .readOnly, needsSession: false, isSecret: true,
            errors: ["SESSION_AUTHENTICATION_FAILED", "HOST_IS_SLAVE"], since: "rio"),
        MessageDeclaration("logout", role: .readOnly, since: "rio"),
        MessageDeclaration(
            "change_password",
            [
                ParameterDeclaration("old_pwd", .string),
                ParameterDeclaration("new_pwd", .string),
            ],
            role: .localRootOnly, since: "rio"),
        MessageDeclaration(
            "slave_login",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("psecret", .string, isSecret: true),
            ],
            result: .ref("session"), role: .poolAdmin, needsSession: false, isSecret: true, since: "rio",
            isHidden: true),
        MessageDeclaration(
            "slave_local_login",
            [
                ParameterDeclaration("psecret", .string, since: "miami", isSecret: true)
            ],
            result: .ref("session"), role: .poolAdmin, needsSession: false, isSecret: true, since: "miami",
            isHidden: true),
        MessageDeclaration(
            "slave_local_login_with_password",
            [
                ParameterDeclaration("uname", .string, since: "miami"),
                ParameterDeclaration("pwd", .string, since: "miami"),
            ],
            result: .ref("session"), role: .poolAdmin, needsSession: false, isSecret: true, since: "miami"),
        MessageDeclaration(
            "create_from_db_file",
            [
                ParameterDeclaration("filename", .string, since: "dundee")
            ],
            result: .ref("session"), role: .localRootOnly, isAsync: true, since: "dundee"),
        MessageDeclaration("local_logout", role: .poolAdmin, since: "miami"),
        MessageDeclaration(
            "get_all_subject_identifiers", result: .set(.string), role: .readOnly, isAsync: true, since: "george"),
        MessageDeclaration(
            "logout_subject_identifier",
            [
                ParameterDeclaration("subject_identifier", .string, since: "george")
            ],
            role: .poolOperator, isAsync: true, since: "george"),
    ]
}
