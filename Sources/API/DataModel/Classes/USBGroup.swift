extension ClassDeclaration {
    static let usbGroup = ClassDeclaration(
        name: "USB_group", since: "inverness", defaultRole: .poolAdmin,
        fields: usbGroupFields,
        messages: usbGroupMessages)

    private static let usbGroupFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "inverness"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "inverness", setterRole: .poolAdmin,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "inverness", setterRole: .poolAdmin,
            path: ["name", "description"]),
        FieldDeclaration("PUSBs", .set(.ref("PUSB")), .dynamicReadOnly, since: "inverness"),
        FieldDeclaration("VUSBs", .set(.ref("VUSB")), .dynamicReadOnly, since: "inverness"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "inverness", setterRole: .poolAdmin),
    ]

    private static let usbGroupMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("name_label", .string, .string(""), since: "inverness"),
                ParameterDeclaration("name_description", .string, .string(""), since: "inverness"),
                ParameterDeclaration("other_config", .map(.string, .string), .emptyMap, since: "inverness"),
            ],
            result: .ref("USB_group"), role: .poolAdmin, isAsync: true, since: "inverness"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("USB_group"), since: "inverness")
            ],
            role: .poolAdmin, isAsync: true, since: "inverness"),
    ]
}
