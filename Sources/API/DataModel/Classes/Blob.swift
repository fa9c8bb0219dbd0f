extension ClassDeclaration {
    static let blob = ClassDeclaration(
        name: "blob", since: "orlando", defaultRole: .poolOperator,
        text: "Binary data kept with an object.",
        fields: blobFields,
        messages: blobMessages)

    private static let blobFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the blob."),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "label"],
            text: "Its name."),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "description"],
            text: "What it is."),
        FieldDeclaration(
            "size", .int, .dynamicReadOnly, since: "rio",
            text: "Its size, bytes."),
        FieldDeclaration(
            "public", .bool, .readWrite, .bool(false), since: "tampa", setterRole: .poolOperator,
            text: "Whether everybody may read it."),
        FieldDeclaration(
            "last_updated", .datetime, .staticReadOnly, since: "rio",
            text: "When it was written."),
        FieldDeclaration(
            "mime_type", .string, .staticReadOnly, since: "rio",
            text: "What kind of data it is."),
    ]

    private static let blobMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .poolOperator, since: "orlando",
            text: "Makes an empty blob that belongs to nothing."),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("blob"), since: "orlando")
            ],
            role: .poolOperator, since: "orlando",
            text: "Removes the blob and its content."),
    ]
}
