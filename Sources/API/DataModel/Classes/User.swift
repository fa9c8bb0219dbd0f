extension ClassDeclaration {
    static let user = ClassDeclaration(
        name: "user", since: "rio", state: .deprecated, generatesEvents: false, hasCreateDestroy: true,
        hasGetAllFamily: false, defaultRole: .poolAdmin,
        fields: userFields,
        messages: [])

    private static let userFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("short_name", .string, .staticReadOnly, since: "rio"),
        FieldDeclaration("fullname", .string, .readWrite, since: "rio", setterRole: .poolAdmin),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .poolAdmin),
    ]
}
