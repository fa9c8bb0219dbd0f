extension ClassDeclaration {
    static let user = ClassDeclaration(
        name: "user", since: "rio", state: .deprecated, history: History(deprecated: "george"), generatesEvents: false,
        hasCreateDestroy: true, hasGetAllFamily: false, defaultRole: .poolAdmin,
        text: "An account of the pool, with a password. The subject of the same name says what it may do.",
        fields: userFields,
        messages: [])

    private static let userFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the user."),
        FieldDeclaration(
            "short_name", .string, .staticReadOnly, since: "rio",
            text: "The name to log in with."),
        FieldDeclaration(
            "fullname", .string, .readWrite, since: "rio", setterRole: .poolAdmin,
            text: "The person's name."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .poolAdmin,
            text: "For notes. The entry `password` sets the password, hashed, and is never stored or shown."),
    ]
}
