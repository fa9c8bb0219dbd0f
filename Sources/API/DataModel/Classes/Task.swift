extension ClassDeclaration {
    static let task = ClassDeclaration(
        name: "task", since: "rio", isPersistent: false, defaultRole: .poolOperator,
        fields: taskFields,
        messages: taskMessages)

    private static let taskFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("name_label", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("task_allowed_operations")), .dynamicReadOnly, .emptySet,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("task_allowed_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration("created", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("finished", .datetime, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("status", .enumeration("task_status_type"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("session", .ref("session"), .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration("resident_on", .ref("host"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("progress", .float, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("externalpid", .int, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration("stunnelpid", .int, .dynamicReadOnly, since: "rio", state: .deprecated, isInternal: true),
        FieldDeclaration("forwarded", .bool, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration("forwarded_to", .ref("host"), .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration("type", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("result", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("error_info", .set(.string), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "miami",
            mapKeyRoles: [
                "applies_to": .vmOperator, "XenCenterUUID": .vmOperator, "XenCenterMeddlingActionTitle": .vmOperator,
            ]),
        FieldDeclaration("subtask_of", .ref("task"), .dynamicReadOnly, .nullRef, since: "orlando"),
        FieldDeclaration("subtasks", .set(.ref("task")), .dynamicReadOnly, since: "orlando"),
        FieldDeclaration("backtrace", .string, .dynamicReadOnly, .string("()"), since: "dundee"),
    ]

    private static let taskMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("label", .string),
                ParameterDeclaration("description", .string),
            ],
            result: .ref("task"), role: .readOnly, since: "rio"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("task"))
            ],
            role: .readOnly, since: "rio"),
        MessageDeclaration(
            "cancel",
            [
                ParameterDeclaration("task", .ref("task"))
            ],
            role: .readOnly, isAsync: true, errors: ["OPERATION_NOT_ALLOWED"], since: "rio"),
        MessageDeclaration(
            "set_status",
            [
                ParameterDeclaration("self", .ref("task"), since: "falcon"),
                ParameterDeclaration("value", .enumeration("task_status_type"), since: "falcon"),
            ],
            role: .readOnly, since: "falcon"),
        MessageDeclaration(
            "set_progress",
            [
                ParameterDeclaration("self", .ref("task"), since: "stockholm"),
                ParameterDeclaration("value", .float, since: "stockholm"),
            ],
            role: .readOnly, since: "stockholm"),
        MessageDeclaration(
            "set_result",
            [
                ParameterDeclaration("self", .ref("task"), since: "21.3.0"),
                ParameterDeclaration("value", .string, since: "21.3.0"),
            ],
            role: .readOnly, since: "21.3.0"),
        MessageDeclaration(
            "set_error_info",
            [
                ParameterDeclaration("self", .ref("task"), since: "21.3.0"),
                ParameterDeclaration("value", .set(.string), since: "21.3.0"),
            ],
            role: .readOnly, since: "21.3.0"),
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
            ]),
        MessageDeclaration(
            "remove_from_other_config",
            [
                ParameterDeclaration("self", .ref("task")),
                ParameterDeclaration("key", .string),
            ],
            role: .readOnly, isAsync: true, since: "25.8.0", state: .prototyped,
            mapKeyRoles: [
                "applies_to": .vmOperator, "XenCenterUUID": .vmOperator, "XenCenterMeddlingActionTitle": .vmOperator,
            ]),
        MessageDeclaration(
            "set_other_config",
            [
                ParameterDeclaration("self", .ref("task")),
                ParameterDeclaration("value", .map(.string, .string)),
            ],
            role: .readOnly, isAsync: true, since: "25.8.0", state: .prototyped),
    ]
}
