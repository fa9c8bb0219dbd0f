extension ClassDeclaration {
    static let sm = ClassDeclaration(
        name: "SM", since: "rio", defaultRole: .poolOperator,
        text: "A storage manager: the driver behind repositories of one type.",
        fields: smFields,
        messages: [])

    private static let smFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the manager."),
        FieldDeclaration(
            "name_label", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "label"],
            text: "Its name."),
        FieldDeclaration(
            "name_description", .string, .dynamicReadOnly, .string(""), since: "rio", path: ["name", "description"],
            text: "What it is."),
        FieldDeclaration(
            "type", .string, .dynamicReadOnly, since: "rio",
            text: "The type of the repositories that it looks after."),
        FieldDeclaration(
            "vendor", .string, .dynamicReadOnly, since: "rio",
            text: "Who made it."),
        FieldDeclaration(
            "copyright", .string, .dynamicReadOnly, since: "rio",
            text: "Whose it is."),
        FieldDeclaration(
            "version", .string, .dynamicReadOnly, since: "rio",
            text: "Its version."),
        FieldDeclaration(
            "required_api_version", .string, .dynamicReadOnly, since: "rio",
            text: "The version of the interface between toolstack and manager."),
        FieldDeclaration(
            "configuration", .map(.string, .string), .dynamicReadOnly, since: "rio",
            text: "The entries of `device_config` that it takes, with what they mean."),
        FieldDeclaration(
            "capabilities", .set(.string), .dynamicReadOnly, .emptySet, since: "miami", state: .deprecated,
            history: History(deprecated: "clearwater"),
            text: "What it can do, by name."),
        FieldDeclaration(
            "features", .map(.string, .int), .dynamicReadOnly, .emptyMap, since: "clearwater",
            history: History(changed: ["24.37.0"]),
            text: "What it can do, with versions."),
        FieldDeclaration(
            "host_pending_features", .map(.ref("host"), .set(.string)), .dynamicReadOnly, .emptyMap, since: "24.37.0",
            state: .prototyped, isInternal: true),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator,
            text: "For notes."),
        FieldDeclaration(
            "driver_filename", .string, .dynamicReadOnly, .string(""), since: "orlando",
            text: "The program behind it; empty for built-in ones."),
        FieldDeclaration("required_cluster_stack", .set(.string), .dynamicReadOnly, .emptySet, since: "dundee"),
        FieldDeclaration(
            "supported_image_formats", .set(.enumeration("image_format_type")), .dynamicReadOnly, .emptySet,
            since: "26.15.0", state: .prototyped,
            text: "The formats that its disks may have, the preferred one first."),
    ]
}
