extension ClassDeclaration {
    static let vusb = ClassDeclaration(
        name: "VUSB", since: "inverness", defaultRole: .poolAdmin,
        fields: vusbFields,
        messages: vusbMessages)

    private static let vusbFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "inverness"),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vusb_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vusb_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration("VM", .ref("VM"), .dynamicReadOnly, since: "inverness"),
        FieldDeclaration("USB_group", .ref("USB_group"), .dynamicReadOnly, since: "inverness"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "inverness", setterRole: .poolAdmin),
        FieldDeclaration("currently_attached", .bool, .dynamicReadOnly, .bool(false), since: "rio"),
    ]

    private static let vusbMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("VM", .ref("VM"), since: "inverness"),
                ParameterDeclaration("USB_group", .ref("USB_group"), since: "inverness"),
                ParameterDeclaration("other_config", .map(.string, .string), .emptyMap, since: "inverness"),
            ],
            result: .ref("VUSB"), role: .poolAdmin, isAsync: true, since: "inverness"),
        MessageDeclaration(
            "unplug",
            [
                ParameterDeclaration("self", .ref("VUSB"), since: "inverness")
            ],
            role: .poolAdmin, isAsync: true, since: "inverness"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("VUSB"), since: "inverness")
            ],
            role: .poolAdmin, isAsync: true, since: "inverness"),
    ]
}
