extension ClassDeclaration {
    static let driverVariant = ClassDeclaration(
        name: "Driver_variant", since: "25.2.0", state: .prototyped, defaultRole: .poolAdmin,
        fields: driverVariantFields,
        messages: driverVariantMessages)

    private static let driverVariantFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("name", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("driver", .ref("Host_driver"), .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("version", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("hardware_present", .bool, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("priority", .float, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
        FieldDeclaration("status", .string, .dynamicReadOnly, since: "25.2.0", state: .prototyped),
    ]

    private static let driverVariantMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "select",
            [
                ParameterDeclaration("self", .ref("Driver_variant"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.2.0", state: .prototyped)
    ]
}
