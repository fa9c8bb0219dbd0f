extension ClassDeclaration {
    static let event = ClassDeclaration(
        name: "event", since: "rio", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .poolAdmin,
        fields: eventFields,
        messages: eventMessages)

    private static let eventFields: [FieldDeclaration] = [
        FieldDeclaration("id", .int, .staticReadOnly, since: "rio"),
        FieldDeclaration("timestamp", .datetime, .staticReadOnly, since: "rio", state: .deprecated),
        FieldDeclaration("class", .string, .staticReadOnly, since: "rio"),
        FieldDeclaration("operation", .enumeration("event_operation"), .staticReadOnly, since: "rio"),
        FieldDeclaration("ref", .string, .staticReadOnly, since: "rio"),
        FieldDeclaration("obj_uuid", .string, .staticReadOnly, since: "rio", state: .deprecated),
    ]

    private static let eventMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "register",
            [
                ParameterDeclaration("classes", .set(.string))
            ],
            role: .readOnly, isAsync: true, since: "rio", state: .deprecated),
        MessageDeclaration(
            "unregister",
            [
                ParameterDeclaration("classes", .set(.string))
            ],
            role: .readOnly, isAsync: true, since: "rio", state: .deprecated),
        MessageDeclaration(
            "next", result: .set(.record("event")), role: .readOnly,
            errors: ["SESSION_NOT_REGISTERED", "EVENTS_LOST", "EVENT_SUBSCRIPTION_PARSE_FAILURE"], since: "rio",
            state: .deprecated),
        MessageDeclaration(
            "from",
            [
                ParameterDeclaration("classes", .set(.string), since: "boston"),
                ParameterDeclaration("token", .string, since: "boston"),
                ParameterDeclaration("timeout", .float, since: "boston"),
            ],
            result: .set(.record("event")), role: .readOnly,
            errors: ["EVENT_FROM_TOKEN_PARSE_FAILURE", "EVENT_SUBSCRIPTION_PARSE_FAILURE"], since: "boston"),
        MessageDeclaration("get_current_id", result: .int, role: .readOnly, since: "rio"),
        MessageDeclaration(
            "inject",
            [
                ParameterDeclaration("class", .string, since: "tampa"),
                ParameterDeclaration("ref", .string, since: "tampa"),
            ],
            result: .string, role: .readOnly, since: "tampa"),
    ]
}
