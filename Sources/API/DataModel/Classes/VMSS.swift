extension ClassDeclaration {
    static let vmss = ClassDeclaration(
        name: "VMSS", since: "falcon", hasCreateDestroy: true, defaultRole: .poolOperator,
        fields: vmssFields,
        messages: vmssMessages)

    private static let vmssFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "description"]),
        FieldDeclaration("enabled", .bool, .readWrite, .bool(true), since: "rio", setterRole: .poolOperator),
        FieldDeclaration("type", .enumeration("vmss_type"), .staticReadOnly, since: "rio"),
        FieldDeclaration("retained_snapshots", .int, .staticReadOnly, .int(7), since: "rio"),
        FieldDeclaration("frequency", .enumeration("vmss_frequency"), .staticReadOnly, since: "rio"),
        FieldDeclaration("schedule", .map(.string, .string), .staticReadOnly, .emptyMap, since: "rio"),
        FieldDeclaration("last_run_time", .datetime, .dynamicReadOnly, .never, since: "rio"),
        FieldDeclaration("VMs", .set(.ref("VM")), .dynamicReadOnly, since: "rio"),
    ]

    private static let vmssMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "snapshot_now",
            [
                ParameterDeclaration("vmss", .ref("VMSS"), since: "falcon")
            ],
            result: .string, role: .poolOperator, since: "falcon"),
        MessageDeclaration(
            "set_retained_snapshots",
            [
                ParameterDeclaration("self", .ref("VMSS"), since: "falcon"),
                ParameterDeclaration("value", .int, since: "falcon"),
            ],
            role: .poolOperator, since: "falcon"),
        MessageDeclaration(
            "set_frequency",
            [
                ParameterDeclaration("self", .ref("VMSS"), since: "falcon"),
                ParameterDeclaration("value", .enumeration("vmss_frequency"), since: "falcon"),
            ],
            role: .poolOperator, since: "falcon"),
        MessageDeclaration(
            "set_schedule",
            [
                ParameterDeclaration("self", .ref("VMSS"), since: "falcon"),
                ParameterDeclaration("value", .map(.string, .string), since: "falcon"),
            ],
            role: .poolOperator, since: "falcon"),
        MessageDeclaration(
            "add_to_schedule",
            [
                ParameterDeclaration("self", .ref("VMSS"), since: "falcon"),
                ParameterDeclaration("key", .string, since: "falcon"),
                ParameterDeclaration("value", .string, since: "falcon"),
            ],
            role: .poolOperator, since: "falcon"),
        MessageDeclaration(
            "remove_from_schedule",
            [
                ParameterDeclaration("self", .ref("VMSS"), since: "falcon"),
                ParameterDeclaration("key", .string, since: "falcon"),
            ],
            role: .poolOperator, since: "falcon"),
        MessageDeclaration(
            "set_last_run_time",
            [
                ParameterDeclaration("self", .ref("VMSS"), since: "falcon"),
                ParameterDeclaration("value", .datetime, since: "falcon"),
            ],
            role: .localRootOnly, since: "falcon"),
        MessageDeclaration(
            "set_type",
            [
                ParameterDeclaration("self", .ref("VMSS"), since: "falcon"),
                ParameterDeclaration("value", .enumeration("vmss_type"), since: "falcon"),
            ],
            role: .poolOperator, since: "falcon"),
    ]
}
