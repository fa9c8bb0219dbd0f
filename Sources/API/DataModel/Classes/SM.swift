extension ClassDeclaration {
    static let sm = ClassDeclaration(
        name: "SM", since: "rio", defaultRole: .poolOperator,
        fields: smFields,
        messages: [])

    private static let smFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("name_label", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration("type", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("vendor", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("copyright", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("version", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("required_api_version", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("configuration", .map(.string, .string), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "capabilities", .set(.string), .dynamicReadOnly, .emptySet, since: "miami", state: .deprecated),
        FieldDeclaration("features", .map(.string, .int), .dynamicReadOnly, .emptyMap, since: "clearwater"),
        FieldDeclaration(
            "host_pending_features", .map(.ref("host"), .set(.string)), .dynamicReadOnly, .emptyMap, since: "24.37.0",
            state: .prototyped, isInternal: true),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
        FieldDeclaration("driver_filename", .string, .dynamicReadOnly, .string(""), since: "orlando"),
        FieldDeclaration("required_cluster_stack", .set(.string), .dynamicReadOnly, .emptySet, since: "dundee"),
        FieldDeclaration(
            "supported_image_formats", .set(.enumeration("image_format_type")), .dynamicReadOnly, .emptySet,
            since: "26.15.0", state: .prototyped),
    ]
}
