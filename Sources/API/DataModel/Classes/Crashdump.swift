extension ClassDeclaration {
    static let crashdump = ClassDeclaration(
        name: "crashdump", since: "rio", state: .deprecated, history: History(deprecated: "inverness"),
        defaultRole: .poolOperator,
        fields: crashdumpFields,
        messages: crashdumpMessages)

    private static let crashdumpFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("VM", .ref("VM"), .staticReadOnly, since: "rio"),
        FieldDeclaration("VDI", .ref("VDI"), .staticReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
    ]

    private static let crashdumpMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("crashdump"))
            ],
            role: .poolOperator, isAsync: true, since: "rio")
    ]
}
