extension ClassDeclaration {
    static let vmpp = ClassDeclaration(
        name: "VMPP", since: "cowley", state: .removed,
        history: History(deprecated: "clearwater", removed: "clearwater"), hasCreateDestroy: true,
        defaultRole: .poolOperator,
        fields: vmppFields,
        messages: vmppMessages)

    private static let vmppFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater"), setterRole: .poolOperator,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater"), setterRole: .poolOperator,
            path: ["name", "description"]),
        FieldDeclaration(
            "is_policy_enabled", .bool, .readWrite, .bool(true), since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater"), setterRole: .poolOperator),
        FieldDeclaration(
            "backup_type", .enumeration("vmpp_backup_type"), .readWrite, .string("snapshot"), since: "cowley",
            state: .removed, history: History(deprecated: "clearwater", removed: "clearwater"),
            setterRole: .poolOperator),
        FieldDeclaration(
            "backup_retention_value", .int, .staticReadOnly, .int(7), since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "backup_frequency", .enumeration("vmpp_backup_frequency"), .staticReadOnly, .string("daily"),
            since: "cowley", state: .removed, history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "backup_schedule", .map(.string, .string), .staticReadOnly, .emptyMap, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "is_backup_running", .bool, .dynamicReadOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "backup_last_run_time", .datetime, .dynamicReadOnly, .never, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "archive_target_type", .enumeration("vmpp_archive_target_type"), .staticReadOnly, .string("none"),
            since: "cowley", state: .removed, history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "archive_target_config", .map(.string, .string), .staticReadOnly, .emptyMap, since: "cowley",
            state: .removed, history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "archive_frequency", .enumeration("vmpp_archive_frequency"), .staticReadOnly, .string("never"),
            since: "cowley", state: .removed, history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "archive_schedule", .map(.string, .string), .staticReadOnly, .emptyMap, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "is_archive_running", .bool, .dynamicReadOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "archive_last_run_time", .datetime, .dynamicReadOnly, .never, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "VMs", .set(.ref("VM")), .dynamicReadOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "is_alarm_enabled", .bool, .staticReadOnly, .bool(false), since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "alarm_config", .map(.string, .string), .staticReadOnly, .emptyMap, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration(
            "recent_alerts", .set(.string), .dynamicReadOnly, .emptySet, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
    ]

    private static let vmppMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "protect_now",
            [
                ParameterDeclaration("vmpp", .ref("VMPP"), since: "cowley")
            ],
            result: .string, role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "archive_now",
            [
                ParameterDeclaration("snapshot", .ref("VM"), since: "cowley")
            ],
            result: .string, role: .vmPowerAdmin, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "create_alert",
            [
                ParameterDeclaration("vmpp", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("name", .string, since: "cowley"),
                ParameterDeclaration("priority", .int, since: "cowley"),
                ParameterDeclaration("body", .string, since: "cowley"),
                ParameterDeclaration("data", .string, since: "cowley"),
            ],
            role: .localRootOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater"), isHidden: true),
        MessageDeclaration(
            "get_alerts",
            [
                ParameterDeclaration("vmpp", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("hours_from_now", .int, since: "cowley"),
            ],
            result: .set(.string), role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_backup_retention_value",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .int, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_is_backup_running",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .bool, since: "cowley"),
            ],
            role: .localRootOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater"), isHidden: true),
        MessageDeclaration(
            "set_is_archive_running",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .bool, since: "cowley"),
            ],
            role: .localRootOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater"), isHidden: true),
        MessageDeclaration(
            "set_backup_frequency",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .enumeration("vmpp_backup_frequency"), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_backup_schedule",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .map(.string, .string), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_archive_frequency",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .enumeration("vmpp_archive_frequency"), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_archive_schedule",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .map(.string, .string), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_archive_target_type",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .enumeration("vmpp_archive_target_type"), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_archive_target_config",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .map(.string, .string), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_is_alarm_enabled",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .bool, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_alarm_config",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .map(.string, .string), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "add_to_backup_schedule",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
                ParameterDeclaration("value", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "add_to_archive_target_config",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
                ParameterDeclaration("value", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "add_to_archive_schedule",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
                ParameterDeclaration("value", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "add_to_alarm_config",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
                ParameterDeclaration("value", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "remove_from_backup_schedule",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "remove_from_archive_target_config",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "remove_from_archive_schedule",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "remove_from_alarm_config",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("key", .string, since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_backup_last_run_time",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .datetime, since: "cowley"),
            ],
            role: .localRootOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_archive_last_run_time",
            [
                ParameterDeclaration("self", .ref("VMPP"), since: "cowley"),
                ParameterDeclaration("value", .datetime, since: "cowley"),
            ],
            role: .localRootOnly, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
    ]
}
