extension ClassDeclaration {
    static let event = ClassDeclaration(
        name: "event", since: "rio", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .poolAdmin,
        text: "A change of an object, as `event.from` tells it.",
        fields: eventFields,
        messages: eventMessages)

    private static let eventFields: [FieldDeclaration] = [
        FieldDeclaration(
            "id", .int, .staticReadOnly, since: "rio",
            text: "The generation of the database that made the change."),
        FieldDeclaration(
            "timestamp", .datetime, .staticReadOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "boston"),
            text: "Always zero: events are not dated."),
        FieldDeclaration(
            "class", .string, .staticReadOnly, since: "rio",
            text: "The class of the object, in lower case."),
        FieldDeclaration(
            "operation", .enumeration("event_operation"), .staticReadOnly, since: "rio",
            text: "`add`, `mod` or `del`."),
        FieldDeclaration(
            "ref", .string, .staticReadOnly, since: "rio",
            text: "The object."),
        FieldDeclaration(
            "obj_uuid", .string, .staticReadOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "boston"),
            text: "Not used."),
    ]

    private static let eventMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "register",
            [
                ParameterDeclaration("classes", .set(.string))
            ],
            role: .readOnly, isAsync: true, since: "rio", state: .deprecated, history: History(deprecated: "boston"),
            text: "The older way: subscribes the session to classes for `event.next`."),
        MessageDeclaration(
            "unregister",
            [
                ParameterDeclaration("classes", .set(.string))
            ],
            role: .readOnly, isAsync: true, since: "rio", state: .deprecated, history: History(deprecated: "boston"),
            text: "Takes classes out of the subscription."),
        MessageDeclaration(
            "next", result: .set(.record("event")), role: .readOnly,
            errors: ["SESSION_NOT_REGISTERED", "EVENTS_LOST", "EVENT_SUBSCRIPTION_PARSE_FAILURE"], since: "rio",
            state: .deprecated, history: History(deprecated: "boston"),
            text: "Waits for events of the subscribed classes."),
        MessageDeclaration(
            "from",
            [
                ParameterDeclaration("classes", .set(.string), since: "boston"),
                ParameterDeclaration("token", .string, since: "boston"),
                ParameterDeclaration("timeout", .float, since: "boston"),
            ],
            result: .set(.record("event")), role: .readOnly,
            errors: ["EVENT_FROM_TOKEN_PARSE_FAILURE", "EVENT_SUBSCRIPTION_PARSE_FAILURE"], since: "boston",
            text: "Waits for changes since the token, and returns them with a new one. No token: all is new."),
        MessageDeclaration(
            "get_current_id", result: .int, role: .readOnly, since: "rio",
            text: "The generation of the database."),
        MessageDeclaration(
            "inject",
            [
                ParameterDeclaration("class", .string, since: "tampa"),
                ParameterDeclaration("ref", .string, since: "tampa"),
            ],
            result: .string, role: .readOnly, since: "tampa",
            text: "Makes an object look changed, and returns the token of the state before."),
    ]
}
