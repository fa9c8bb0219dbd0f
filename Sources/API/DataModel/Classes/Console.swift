extension ClassDeclaration {
    static let console = ClassDeclaration(
        name: "console", since: "rio", hasCreateDestroy: true, defaultRole: .vmAdmin,
        fields: consoleFields,
        messages: [])

    private static let consoleFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("protocol", .enumeration("console_protocol"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("location", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("VM", .ref("VM"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin),
        FieldDeclaration("port", .int, .readWrite, since: "rio", setterRole: .vmAdmin, isInternal: true),
    ]
}
