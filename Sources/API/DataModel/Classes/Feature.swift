extension ClassDeclaration {
    static let feature = ClassDeclaration(
        name: "Feature", since: "falcon", defaultRole: .localRootOnly,
        fields: featureFields,
        messages: [])

    private static let featureFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "falcon"),
        FieldDeclaration("name_label", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration("enabled", .bool, .dynamicReadOnly, .bool(false), since: "falcon"),
        FieldDeclaration("experimental", .bool, .staticReadOnly, .bool(false), since: "falcon"),
        FieldDeclaration("version", .string, .staticReadOnly, .string("1.0"), since: "falcon"),
        FieldDeclaration("host", .ref("host"), .dynamicReadOnly, since: "falcon"),
    ]
}
