extension ClassDeclaration {
    static let pusb = ClassDeclaration(
        name: "PUSB", since: "inverness", defaultRole: .poolAdmin,
        fields: pusbFields,
        messages: pusbMessages)

    private static let pusbFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "inverness"),
        FieldDeclaration("USB_group", .ref("USB_group"), .staticReadOnly, .nullRef, since: "inverness"),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, .nullRef, since: "inverness"),
        FieldDeclaration("path", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("vendor_id", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("vendor_desc", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("product_id", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("product_desc", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("serial", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("version", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("description", .string, .staticReadOnly, .string(""), since: "inverness"),
        FieldDeclaration("passthrough_enabled", .bool, .dynamicReadOnly, .bool(false), since: "inverness"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "inverness", setterRole: .poolAdmin),
        FieldDeclaration("speed", .float, .staticReadOnly, .float(-1), since: "stockholm"),
    ]

    private static let pusbMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "scan",
            [
                ParameterDeclaration("host", .ref("host"), since: "inverness")
            ],
            role: .poolAdmin, isAsync: true, since: "inverness"),
        MessageDeclaration(
            "set_passthrough_enabled",
            [
                ParameterDeclaration("self", .ref("PUSB"), since: "inverness"),
                ParameterDeclaration("value", .bool, since: "inverness"),
            ],
            role: .poolAdmin, isAsync: true, since: "inverness"),
    ]
}
