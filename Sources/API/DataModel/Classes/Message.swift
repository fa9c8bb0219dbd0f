extension ClassDeclaration {
    static let message = ClassDeclaration(
        name: "message", since: "orlando", inDatabase: false, isPersistent: false, hasGetAllFamily: false,
        defaultRole: .poolOperator,
        fields: messageFields,
        messages: messageMessages)

    private static let messageFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("name", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("priority", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("cls", .enumeration("cls"), .dynamicReadOnly, since: "orlando"),
        FieldDeclaration("obj_uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("timestamp", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("body", .string, .dynamicReadOnly, since: "rio"),
    ]

    private static let messageMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("name", .string, since: "orlando"),
                ParameterDeclaration("priority", .int, since: "orlando"),
                ParameterDeclaration("cls", .enumeration("cls"), since: "orlando"),
                ParameterDeclaration("obj_uuid", .string, since: "orlando"),
                ParameterDeclaration("body", .string, since: "orlando"),
            ],
            result: .ref("message"), role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("message"), since: "orlando")
            ],
            role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "destroy_many",
            [
                ParameterDeclaration("messages", .set(.ref("message")))
            ],
            role: .poolOperator, isAsync: true, since: "22.19.0", state: .prototyped),
        MessageDeclaration(
            "destroy_all",
            [
                ParameterDeclaration("filters", .map(.string, .string))
            ],
            role: .poolOperator, isAsync: true, since: "26.6.0", state: .prototyped),
        MessageDeclaration(
            "get",
            [
                ParameterDeclaration("cls", .enumeration("cls"), since: "orlando"),
                ParameterDeclaration("obj_uuid", .string, since: "orlando"),
                ParameterDeclaration("since", .datetime, since: "orlando"),
            ],
            result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando"),
        MessageDeclaration("get_all", result: .set(.ref("message")), role: .readOnly, since: "orlando"),
        MessageDeclaration(
            "get_since",
            [
                ParameterDeclaration("since", .datetime, since: "orlando")
            ],
            result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando"),
        MessageDeclaration(
            "get_record",
            [
                ParameterDeclaration("self", .ref("message"), since: "orlando")
            ],
            result: .record("message"), role: .readOnly, since: "orlando"),
        MessageDeclaration(
            "get_by_uuid",
            [
                ParameterDeclaration("uuid", .string, since: "orlando")
            ],
            result: .ref("message"), role: .readOnly, since: "orlando"),
        MessageDeclaration(
            "get_all_records", result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando"),
        MessageDeclaration(
            "get_all_records_where",
            [
                ParameterDeclaration("expr", .string, since: "orlando")
            ],
            result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando"),
    ]
}
