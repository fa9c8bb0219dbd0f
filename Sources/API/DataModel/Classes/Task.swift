extension ClassDeclaration {
    static let task = ClassDeclaration(
        name: "task", since: "rio", isPersistent: false, defaultRole: .poolOperator,
        text: "An operation that is under way or has ended. It lives in memory.",
        fields: taskFields,
        messages: taskMessages)

    private static let taskFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the task."),
        FieldDeclaration(
            "name_label", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "label"],
            text: "The name of the call."),
        FieldDeclaration(
            "name_description", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "description"],
            text: "What the maker of the task wrote about it."),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("task_allowed_operations")), .dynamicReadOnly, .emptySet,
            since: "rio", isPersistent: false,
            text: "`cancel` while the operation can be stopped."),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("task_allowed_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false,
            text: "What was asked of the task itself, by the tasks that asked."),
        FieldDeclaration(
            "created", .datetime, .dynamicReadOnly, since: "rio",
            text: "When it began."),
        FieldDeclaration(
            "finished", .datetime, .dynamicReadOnly, since: "rio",
            text: "When it ended; 1970 before that."),
        FieldDeclaration(
            "status", .enumeration("task_status_type"), .dynamicReadOnly, since: "rio",
            text: "Whether it is pending, or how it ended."),
        FieldDeclaration("session", .ref("session"), .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration(
            "resident_on", .ref("host"), .dynamicReadOnly, since: "rio",
            text: "The host that does the work."),
        FieldDeclaration(
            "progress", .float, .dynamicReadOnly, since: "rio",
            text: "How far it is, from 0 to 1. It never goes back."),
        FieldDeclaration("externalpid", .int, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration(
            "stunnelpid", .int, .dynamicReadOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "boston"), isInternal: true),
        FieldDeclaration("forwarded", .bool, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration("forwarded_to", .ref("host"), .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration(
            "type", .string, .dynamicReadOnly, since: "rio",
            text: "The kind of the result; not used."),
        FieldDeclaration(
            "result", .string, .dynamicReadOnly, since: "rio",
            text: "The result as XML-RPC text, when it succeeded."),
        FieldDeclaration(
            "error_info", .set(.string), .dynamicReadOnly, since: "rio",
            text: "The error's code and parameters, when it failed."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "miami",
            mapKeyRoles: [
                "applies_to": .vmOperator, "XenCenterUUID": .vmOperator, "XenCenterMeddlingActionTitle": .vmOperator,
            ],
            text: "For notes. Moves of disks write `phase` and numbers that begin with `bytes_` here."),
        FieldDeclaration(
            "subtask_of", .ref("task"), .dynamicReadOnly, .nullRef, since: "orlando",
            text: "The task that this one is a part of."),
        FieldDeclaration(
            "subtasks", .set(.ref("task")), .dynamicReadOnly, since: "orlando",
            text: "The parts of this task."),
        FieldDeclaration(
            "backtrace", .string, .dynamicReadOnly, .string("()"), since: "dundee",
            text: "For the makers of the toolstack."),
    ]

    private static let taskMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("label", .string),
                ParameterDeclaration("description", .string),
            ],
            result: .ref("task"), role: .readOnly, since: "rio",
            text: "Makes a task for an operation that the client drives, such as a transfer over HTTP."),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("task"))
            ],
            role: .readOnly, since: "rio",
            text: "Forgets a task that has ended; one that runs goes when it is done."),
        MessageDeclaration(
            "cancel",
            [
                ParameterDeclaration("task", .ref("task"))
            ],
            role: .readOnly, isAsync: true, errors: ["OPERATION_NOT_ALLOWED"], since: "rio",
            text: "Asks the operation to stop. Whether it did shows in the status."),
        MessageDeclaration(
            "set_status",
            [
                ParameterDeclaration("self", .ref("task"), since: "falcon"),
                ParameterDeclaration("value", .enumeration("task_status_type"), since: "falcon"),
            ],
            role: .readOnly, since: "falcon",
            text: "For tasks that a client made."),
        MessageDeclaration(
            "set_progress",
            [
                ParameterDeclaration("self", .ref("task"), since: "stockholm"),
                ParameterDeclaration("value", .float, since: "stockholm"),
            ],
            role: .readOnly, since: "stockholm",
            text: "For tasks that a client made."),
        MessageDeclaration(
            "set_result",
            [
                ParameterDeclaration("self", .ref("task"), since: "21.3.0"),
                ParameterDeclaration("value", .string, since: "21.3.0"),
            ],
            role: .readOnly, since: "21.3.0",
            text: "For tasks that a client made."),
        MessageDeclaration(
            "set_error_info",
            [
                ParameterDeclaration("self", .ref("task"), since: "21.3.0"),
                ParameterDeclaration("value", .set(.string), since: "21.3.0"),
            ],
            role: .readOnly, since: "21.3.0",
            text: "For tasks that a client made."),
        MessageDeclaration(
            "add_to_other_config",
            [
                ParameterDeclaration("self", .ref("task")),
                ParameterDeclaration("key", .string),
                ParameterDeclaration("value", .string),
            ],
            role: .readOnly, isAsync: true, since: "25.8.0", state: .prototyped,
            mapKeyRoles: [
                "applies_to": .vmOperator, "XenCenterUUID": .vmOperator, "XenCenterMeddlingActionTitle": .vmOperator,
            ],
            text: "Adds a note."),
        MessageDeclaration(
            "remove_from_other_config",
            [
                ParameterDeclaration("self", .ref("task")),
                ParameterDeclaration("key", .string),
            ],
            role: .readOnly, isAsync: true, since: "25.8.0", state: .prototyped,
            mapKeyRoles: [
                "applies_to": .vmOperator, "XenCenterUUID": .vmOperator, "XenCenterMeddlingActionTitle": .vmOperator,
            ],
            text: "Removes a note."),
        MessageDeclaration(
            "set_other_config",
            [
                ParameterDeclaration("self", .ref("task")),
                ParameterDeclaration("value", .map(.string, .string)),
            ],
            role: .readOnly, isAsync: true, since: "25.8.0", state: .prototyped,
            text: "Replaces the notes."),
    ]
}
