extension ClassDeclaration {
    static let message = ClassDeclaration(
        name: "message", since: "orlando", inDatabase: false, isPersistent: false, hasGetAllFamily: false,
        defaultRole: .poolOperator,
        text: "A note of the toolstack for people: an alert.",
        fields: messageFields,
        messages: messageMessages)

    private static let messageFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the message."),
        FieldDeclaration(
            "name", .string, .dynamicReadOnly, since: "rio",
            text: "What kind of message it is."),
        FieldDeclaration(
            "priority", .int, .dynamicReadOnly, since: "rio",
            text: "How urgent it is; 1 is most."),
        FieldDeclaration(
            "cls", .enumeration("cls"), .dynamicReadOnly, since: "orlando", history: History(changed: ["1.313.0"]),
            text: "The class of the object that it is about."),
        FieldDeclaration(
            "obj_uuid", .string, .dynamicReadOnly, since: "rio",
            text: "The object that it is about."),
        FieldDeclaration(
            "timestamp", .datetime, .dynamicReadOnly, since: "rio",
            text: "When it was written."),
        FieldDeclaration(
            "body", .string, .dynamicReadOnly, since: "rio",
            text: "The text."),
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
            result: .ref("message"), role: .poolOperator, since: "orlando",
            text: "Writes a message about an object."),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("message"), since: "orlando")
            ],
            role: .poolOperator, since: "orlando",
            text: "Removes a message."),
        MessageDeclaration(
            "destroy_many",
            [
                ParameterDeclaration("messages", .set(.ref("message")))
            ],
            role: .poolOperator, isAsync: true, since: "22.19.0", state: .prototyped,
            text: "Removes several."),
        MessageDeclaration(
            "destroy_all",
            [
                ParameterDeclaration("filters", .map(.string, .string))
            ],
            role: .poolOperator, isAsync: true, since: "26.6.0", state: .prototyped,
            text: "Removes the messages that were made before or after a time, or of one priority."),
        MessageDeclaration(
            "get",
            [
                ParameterDeclaration("cls", .enumeration("cls"), since: "orlando"),
                ParameterDeclaration("obj_uuid", .string, since: "orlando"),
                ParameterDeclaration("since", .datetime, since: "orlando"),
            ],
            result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando",
            text: "The messages about an object since a time."),
        MessageDeclaration(
            "get_all", result: .set(.ref("message")), role: .readOnly, since: "orlando",
            text: "All messages."),
        MessageDeclaration(
            "get_since",
            [
                ParameterDeclaration("since", .datetime, since: "orlando")
            ],
            result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando",
            text: "The messages since a time."),
        MessageDeclaration(
            "get_record",
            [
                ParameterDeclaration("self", .ref("message"), since: "orlando")
            ],
            result: .record("message"), role: .readOnly, since: "orlando",
            text: "A message."),
        MessageDeclaration(
            "get_by_uuid",
            [
                ParameterDeclaration("uuid", .string, since: "orlando")
            ],
            result: .ref("message"), role: .readOnly, since: "orlando",
            text: "The message with this uuid."),
        MessageDeclaration(
            "get_all_records", result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando",
            text: "All messages with their content."),
        MessageDeclaration(
            "get_all_records_where",
            [
                ParameterDeclaration("expr", .string, since: "orlando")
            ],
            result: .map(.ref("message"), .record("message")), role: .readOnly, since: "orlando",
            text: "The messages that an expression selects."),
    ]
}
