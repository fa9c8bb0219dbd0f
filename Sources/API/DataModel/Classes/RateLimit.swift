extension ClassDeclaration {
    static let rateLimit = ClassDeclaration(
        name: "Rate_limit", since: "26.17.0", state: .prototyped, hasCreateDestroy: true, defaultRole: .poolAdmin,
        fields: rateLimitFields,
        messages: rateLimitMessages)

    private static let rateLimitFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "26.17.0", state: .prototyped),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "26.17.0", state: .prototyped,
            setterRole: .poolAdmin, path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "26.17.0", state: .prototyped,
            setterRole: .poolAdmin, path: ["name", "description"]),
        FieldDeclaration("callers", .set(.ref("Caller")), .dynamicReadOnly, since: "26.17.0", state: .prototyped),
        FieldDeclaration("burst_size", .float, .staticReadOnly, .float(0), since: "26.17.0", state: .prototyped),
        FieldDeclaration("fill_rate", .float, .staticReadOnly, .float(0), since: "26.17.0", state: .prototyped),
    ]

    private static let rateLimitMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "add_caller",
            [
                ParameterDeclaration("self", .ref("Rate_limit")),
                ParameterDeclaration("caller", .ref("Caller")),
            ],
            role: .poolAdmin, isAsync: true, since: "26.17.0", state: .prototyped),
        MessageDeclaration(
            "remove_caller",
            [
                ParameterDeclaration("self", .ref("Rate_limit")),
                ParameterDeclaration("caller", .ref("Caller")),
            ],
            role: .poolAdmin, isAsync: true, since: "26.17.0", state: .prototyped),
        MessageDeclaration(
            "set_burst_size",
            [
                ParameterDeclaration("self", .ref("Rate_limit")),
                ParameterDeclaration("value", .float),
            ],
            role: .poolAdmin, isAsync: true, since: "26.17.0", state: .prototyped),
        MessageDeclaration(
            "set_fill_rate",
            [
                ParameterDeclaration("self", .ref("Rate_limit")),
                ParameterDeclaration("value", .float),
            ],
            role: .poolAdmin, isAsync: true, since: "26.17.0", state: .prototyped),
    ]
}
