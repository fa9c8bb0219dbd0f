extension ClassDeclaration {
    static let blob = ClassDeclaration(
        name: "blob", since: "orlando", defaultRole: .poolOperator,
        fields: blobFields,
        messages: blobMessages)

    private static let blobFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "description"]),
        FieldDeclaration("size", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("public", .bool, .readWrite, .bool(false), since: "tampa", setterRole: .poolOperator),
        FieldDeclaration("last_updated", .datetime, .staticReadOnly, since: "rio"),
        FieldDeclaration("mime_type", .string, .staticReadOnly, since: "rio"),
    ]

    private static let blobMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("blob"), since: "orlando")
            ],
            role: .poolOperator, since: "orlando"),
    ]
}
