extension ClassDeclaration {
    static let session = ClassDeclaration(
        name: "session", since: "rio", isPersistent: false, generatesEvents: false, hasGetAllFamily: false,
        defaultRole: .poolAdmin,
        text: "Somebody who is logged in; its reference goes with every call. Ends with the daemon.",
        fields: sessionFields,
        messages: sessionMessages)

    private static let sessionFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the session."),
        FieldDeclaration(
            "this_host", .ref("host"), .dynamicReadOnly, since: "rio",
            text: "The host that took the log-in."),
        FieldDeclaration(
            "this_user", .ref("user"), .dynamicReadOnly, since: "rio",
            text: "The pool's own user who logged in; null for others."),
        FieldDeclaration(
            "last_active", .datetime, .dynamicReadOnly, since: "rio",
            text: "When the session was used last, exact to ten minutes. After a day without use it ends."),
        FieldDeclaration(
            "pool", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether it belongs to another host of the pool."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolAdmin,
            text: "For clients to keep notes in."),
        FieldDeclaration(
            "is_local_superuser", .bool, .dynamicReadOnly, .bool(false), since: "george",
            text: "Whether nothing is checked: root, and whoever comes over the local socket."),
        FieldDeclaration(
            "subject", .ref("subject"), .dynamicReadOnly, .nullRef, since: "george",
            text: "The subject whose roles the session has; null for the superuser."),
        FieldDeclaration(
            "validation_time", .datetime, .dynamicReadOnly, .never, since: "george",
            text: "When the credentials were checked."),
        FieldDeclaration(
            "auth_user_sid", .string, .dynamicReadOnly, .string(""), since: "george",
            text: "The identifier of the subject; empty for the superuser."),
        FieldDeclaration(
            "auth_user_name", .string, .dynamicReadOnly, .string(""), since: "midnight-ride",
            text: "The name given at log-in."),
        FieldDeclaration(
            "rbac_permissions", .set(.string), .staticReadOnly, .emptySet, since: "midnight-ride",
            text: "Every permission that the roles gave at log-in; empty for the superuser, who is asked for none."),
        FieldDeclaration(
            "tasks", .set(.ref("task")), .dynamicReadOnly, since: "midnight-ride",
            text: "The tasks that calls of this session began."),
        FieldDeclaration(
            "parent", .ref("session"), .staticReadOnly, .nullRef, since: "midnight-ride",
            text: "The session that opened this one; always null here."),
        FieldDeclaration(
            "originator", .string, .dynamicReadOnly, .string(""), since: "clearwater",
            text: "The program that logged in, as it called itself."),
        FieldDeclaration(
            "client_certificate", .bool, .dynamicReadOnly, .bool(false), since: "21.2.0",
            text: "Whether a certificate stood in for the password."),
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
            errors: ["SESSION_AUTHENTICATION_FAILED", "HOST_IS_SLAVE"], since: "rio",
            text: "Logs in and returns the session. A wrong password is answered after five seconds."),
        MessageDeclaration(
            "logout", role: .readOnly, since: "rio",
            text: "Ends the session. Its calls that wait for events fail."),
        MessageDeclaration(
            "change_password",
            [
                ParameterDeclaration("old_pwd", .string),
                ParameterDeclaration("new_pwd", .string),
            ],
            role: .localRootOnly, since: "rio",
            text: "Changes root's password. Over the local socket the old one is not asked for."),
        MessageDeclaration(
            "slave_login",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("psecret", .string, isSecret: true),
            ],
            result: .ref("session"), role: .poolAdmin, needsSession: false, isSecret: true, since: "rio",
            isHidden: true,
            text: "For hosts of a pool among themselves. A pool of one host has no secret: it is refused."),
        MessageDeclaration(
            "slave_local_login",
            [
                ParameterDeclaration("psecret", .string, since: "miami", isSecret: true)
            ],
            result: .ref("session"), role: .poolAdmin, needsSession: false, isSecret: true, since: "miami",
            isHidden: true,
            text: "For hosts of a pool in an emergency. A pool of one host has no secret: it is refused."),
        MessageDeclaration(
            "slave_local_login_with_password",
            [
                ParameterDeclaration("uname", .string, since: "miami"),
                ParameterDeclaration("pwd", .string, since: "miami"),
            ],
            result: .ref("session"), role: .poolAdmin, needsSession: false, isSecret: true, since: "miami",
            text: "Root's log-in that needs no coordinator."),
        MessageDeclaration(
            "create_from_db_file",
            [
                ParameterDeclaration("filename", .string, since: "dundee")
            ],
            result: .ref("session"), role: .localRootOnly, isAsync: true, since: "dundee"),
        MessageDeclaration(
            "local_logout", role: .poolAdmin, since: "miami",
            text: "Ends a session of an emergency log-in."),
        MessageDeclaration(
            "get_all_subject_identifiers", result: .set(.string), role: .readOnly, isAsync: true, since: "george",
            text: "The identifiers of the subjects that are logged in."),
        MessageDeclaration(
            "logout_subject_identifier",
            [
                ParameterDeclaration("subject_identifier", .string, since: "george")
            ],
            role: .poolOperator, isAsync: true, since: "george",
            text: "Ends the sessions of a subject, except the caller's own."),
    ]
}
