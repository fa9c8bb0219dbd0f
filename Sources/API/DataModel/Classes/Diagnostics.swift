extension ClassDeclaration {
    static let diagnostics = ClassDeclaration(
        name: "Diagnostics", since: "stockholm", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .poolOperator,
        fields: [],
        messages: diagnosticsMessages)

    private static let diagnosticsMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "gc_compact",
            [
                ParameterDeclaration("host", .ref("host"), since: "stockholm")
            ],
            role: .poolOperator, isAsync: true, since: "stockholm", isHidden: true),
        MessageDeclaration(
            "gc_stats",
            [
                ParameterDeclaration("host", .ref("host"), since: "stockholm")
            ],
            result: .map(.string, .string), role: .poolOperator, isAsync: true, since: "stockholm", isHidden: true),
        MessageDeclaration(
            "db_stats", result: .map(.string, .string), role: .poolOperator, isAsync: true, since: "stockholm",
            isHidden: true),
        MessageDeclaration(
            "network_stats",
            [
                ParameterDeclaration("host", .ref("host"), since: "stockholm"),
                ParameterDeclaration("params", .map(.string, .string), since: "stockholm"),
            ],
            result: .set(.set(.string)), role: .poolOperator, isAsync: true, since: "stockholm", isHidden: true),
    ]
}
