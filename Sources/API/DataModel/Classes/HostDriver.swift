extension ClassDeclaration {
    static let hostDriver = ClassDeclaration(
        name: "Host_driver", since: "25.2.0", state: .prototyped, defaultRole: .poolAdmin,
        fields: hostDriverFields,
        messages: hostDriverMessages)

    private static let hostDriverFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, .nullRef, since: "25.2.0", state: .prototyped),
        FieldDeclaration("name", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("friendly_name", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration(
            "variants", .set(.ref("Driver_variant")), .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration(
            "active_variant", .ref("Driver_variant"), .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration(
            "selected_variant", .ref("Driver_variant"), .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("type", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("description", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("info", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
    ]

    private static let hostDriverMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "select",
            [
                ParameterDeclaration("self", .ref("Host_driver")),
                ParameterDeclaration("variant", .ref("Driver_variant")),
            ],
            role: .poolAdmin, isAsync: true, since: "25.2.0", state: .prototyped),
        MessageDeclaration(
            "deselect",
            [
                ParameterDeclaration("self", .ref("Host_driver"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.2.0", state: .prototyped),
        MessageDeclaration(
            "rescan",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.2.0", state: .prototyped),
    ]
}
