extension ClassDeclaration {
    static let caller = ClassDeclaration(
        name: "Caller", since: "26.17.0", state: .prototyped, hasCreateDestroy: true, defaultRole: .poolAdmin,
        fields: callerFields,
        messages: callerMessages)

    private static let callerFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "26.17.0", state: .prototyped),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "26.17.0", state: .prototyped,
            setterRole: .poolAdmin, path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "26.17.0", state: .prototyped,
            setterRole: .poolAdmin, path: ["name", "description"]),
        FieldDeclaration("user_agent", .string, .staticReadOnly, .string(""), since: "26.17.0", state: .prototyped),
        FieldDeclaration("client_ip", .string, .staticReadOnly, .string(""), since: "26.17.0", state: .prototyped),
        FieldDeclaration("last_access", .datetime, .dynamicReadOnly, .never, since: "26.17.0", state: .prototyped),
        FieldDeclaration("groups", .set(.string), .dynamicReadOnly, .emptySet, since: "26.17.0", state: .prototyped),
        FieldDeclaration(
            "rate_limit", .ref("Rate_limit"), .dynamicReadOnly, .nullRef, since: "26.17.0", state: .prototyped),
        FieldDeclaration(
            "auto_registered", .bool, .dynamicReadOnly, .bool(false), since: "26.17.0", state: .prototyped),
    ]

    private static let callerMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "add_group",
            [
                ParameterDeclaration("self", .ref("Caller")),
                ParameterDeclaration("group", .string),
            ],
            role: .poolOperator, isAsync: true, since: "26.17.0", state: .prototyped),
        MessageDeclaration(
            "remove_group",
            [
                ParameterDeclaration("self", .ref("Caller")),
                ParameterDeclaration("group", .string),
            ],
            role: .poolOperator, isAsync: true, since: "26.17.0", state: .prototyped),
        MessageDeclaration(
            "query_token_usage",
            [
                ParameterDeclaration("self", .ref("Caller"))
            ],
            result: .float, role: .poolOperator, isAsync: true, since: "26.15.0", state: .prototyped),
        MessageDeclaration(
            "query_call_count",
            [
                ParameterDeclaration("self", .ref("Caller"))
            ],
            result: .int, role: .poolOperator, isAsync: true, since: "26.15.0", state: .prototyped),
        MessageDeclaration(
            "query_group_token_usage",
            [
                ParameterDeclaration("group", .string)
            ],
            result: .float, role: .poolOperator, isAsync: true, since: "26.15.0", state: .prototyped),
        MessageDeclaration(
            "query_group_call_count",
            [
                ParameterDeclaration("group", .string)
            ],
            result: .int, role: .poolOperator, isAsync: true, since: "26.15.0", state: .prototyped),
        MessageDeclaration(
            "query_all_usage", result: .set(.set(.string)), role: .poolOperator, isAsync: true, since: "26.17.0",
            state: .prototyped),
    ]
}
