extension ClassDeclaration {
    static let dataSource = ClassDeclaration(
        name: "data_source", since: "orlando", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .poolAdmin,
        fields: dataSourceFields,
        messages: [])

    private static let dataSourceFields: [FieldDeclaration] = [
        FieldDeclaration("name_label", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration("enabled", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("standard", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("units", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("min", .float, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("max", .float, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("value", .float, .dynamicReadOnly, since: "rio"),
    ]
}
