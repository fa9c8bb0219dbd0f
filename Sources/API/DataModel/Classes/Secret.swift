extension ClassDeclaration {
    static let secret = ClassDeclaration(
        name: "secret", since: "midnight-ride", generatesEvents: false, hasCreateDestroy: true,
        defaultRole: .poolOperator, implicitRole: .poolOperator,
        text: "A text that only some roles may read, such as a password of storage.",
        fields: secretFields,
        messages: secretMessages)

    private static let secretFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio", getterRole: .poolOperator,
            text: "Identifies the secret."),
        FieldDeclaration(
            "value", .string, .readWrite, since: "rio", getterRole: .poolOperator, setterRole: .poolOperator,
            text: "The text."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "rio", setterRole: .poolOperator,
            text: "For notes."),
    ]

    private static let secretMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("uuid", .string, since: "midnight-ride"),
                ParameterDeclaration("value", .string, since: "midnight-ride"),
                ParameterDeclaration("other_config", .map(.string, .string), .emptyMap, since: "boston"),
            ],
            result: .ref("secret"), role: .poolOperator, isSecret: true, since: "midnight-ride", isHidden: true,
            text: "Enters a secret under a uuid that others know it by.")
    ]
}
