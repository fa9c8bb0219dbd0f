extension ClassDeclaration {
    static let pbd = ClassDeclaration(
        name: "PBD", since: "rio", hasCreateDestroy: true, defaultRole: .poolOperator,
        text: "A host's connection to a repository.",
        fields: pbdFields,
        messages: pbdMessages)

    private static let pbdFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the connection."),
        FieldDeclaration(
            "host", .ref("host"), .staticReadOnly, since: "rio",
            text: "The host."),
        FieldDeclaration(
            "SR", .ref("SR"), .staticReadOnly, since: "rio",
            text: "The repository."),
        FieldDeclaration(
            "device_config", .map(.string, .string), .staticReadOnly, since: "rio",
            text: "How the host reaches it: `location` for folders."),
        FieldDeclaration(
            "currently_attached", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether it is connected now."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator,
            text: "For notes."),
    ]

    private static let pbdMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "plug",
            [
                ParameterDeclaration("self", .ref("PBD"))
            ],
            role: .poolOperator, isAsync: true, errors: ["SR_UNKNOWN_DRIVER"], since: "rio",
            text: "Connects."),
        MessageDeclaration(
            "unplug",
            [
                ParameterDeclaration("self", .ref("PBD"))
            ],
            role: .poolOperator, isAsync: true, since: "rio",
            text: "Disconnects; no disk of the repository may be in use."),
        MessageDeclaration(
            "set_device_config",
            [
                ParameterDeclaration("self", .ref("PBD"), since: "miami"),
                ParameterDeclaration("value", .map(.string, .string), since: "miami"),
            ],
            role: .poolOperator, isAsync: true, since: "miami",
            text: "Sets where and how the host reaches the SR; the place stays while it is plugged."),
    ]
}
