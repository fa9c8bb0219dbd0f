extension ClassDeclaration {
    static let console = ClassDeclaration(
        name: "console", since: "rio", hasCreateDestroy: true, defaultRole: .vmAdmin,
        text: "A way to a VM's screen or serial line.",
        fields: consoleFields,
        messages: [])

    private static let consoleFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the console."),
        FieldDeclaration(
            "protocol", .enumeration("console_protocol"), .dynamicReadOnly, since: "rio",
            text: "How it is spoken to."),
        FieldDeclaration(
            "location", .string, .dynamicReadOnly, since: "rio",
            text: "The URL where it is."),
        FieldDeclaration(
            "VM", .ref("VM"), .dynamicReadOnly, since: "rio",
            text: "The VM."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            text: "For notes."),
        FieldDeclaration("port", .int, .readWrite, since: "rio", setterRole: .vmAdmin, isInternal: true),
    ]
}
