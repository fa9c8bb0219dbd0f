extension ClassDeclaration {
    static let observer = ClassDeclaration(
        name: "Observer", since: "23.14.0", state: .prototyped, hasCreateDestroy: true, defaultRole: .poolAdmin,
        fields: observerFields,
        messages: observerMessages)

    private static let observerFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "23.14.0", state: .prototyped),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolAdmin,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .poolAdmin,
            path: ["name", "description"]),
        FieldDeclaration("hosts", .set(.ref("host")), .staticReadOnly, .emptySet, since: "23.14.0", state: .prototyped),
        FieldDeclaration(
            "attributes", .map(.string, .string), .staticReadOnly, .emptyMap, since: "23.14.0", state: .prototyped),
        FieldDeclaration("endpoints", .set(.string), .staticReadOnly, .emptySet, since: "23.14.0", state: .prototyped),
        FieldDeclaration("components", .set(.string), .staticReadOnly, .emptySet, since: "23.14.0", state: .prototyped),
        FieldDeclaration("enabled", .bool, .staticReadOnly, .bool(false), since: "23.14.0", state: .prototyped),
    ]

    private static let observerMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "register",
            [
                ParameterDeclaration("self", .ref("Observer")),
                ParameterDeclaration("host", .ref("host")),
            ],
            role: .poolAdmin, isAsync: true, since: "23.14.0", state: .prototyped, isHidden: true),
        MessageDeclaration(
            "unregister",
            [
                ParameterDeclaration("self", .ref("Observer")),
                ParameterDeclaration("host", .ref("host")),
            ],
            role: .poolAdmin, isAsync: true, since: "23.14.0", state: .prototyped, isHidden: true),
        MessageDeclaration(
            "set_hosts",
            [
                ParameterDeclaration("self", .ref("Observer")),
                ParameterDeclaration("value", .set(.ref("host"))),
            ],
            role: .poolAdmin, isAsync: true, since: "23.14.0", state: .prototyped),
        MessageDeclaration(
            "set_enabled",
            [
                ParameterDeclaration("self", .ref("Observer")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolAdmin, isAsync: true, since: "23.14.0", state: .prototyped),
        MessageDeclaration(
            "set_attributes",
            [
                ParameterDeclaration("self", .ref("Observer")),
                ParameterDeclaration("value", .map(.string, .string)),
            ],
            role: .poolAdmin, isAsync: true, since: "23.14.0", state: .prototyped),
        MessageDeclaration(
            "set_endpoints",
            [
                ParameterDeclaration("self", .ref("Observer")),
                ParameterDeclaration("value", .set(.string)),
            ],
            role: .poolAdmin, isAsync: true, since: "23.14.0", state: .prototyped),
        MessageDeclaration(
            "set_components",
            [
                ParameterDeclaration("self", .ref("Observer")),
                ParameterDeclaration("value", .set(.string)),
            ],
            role: .poolAdmin, isAsync: true, since: "23.14.0", state: .prototyped),
    ]
}
