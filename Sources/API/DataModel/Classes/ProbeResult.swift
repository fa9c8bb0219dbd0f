extension ClassDeclaration {
    static let probeResult = ClassDeclaration(
        name: "probe_result", since: "lima", history: History(prototyped: "kolkata"), inDatabase: false,
        isPersistent: false, generatesEvents: false, hasGetAllFamily: false, defaultRole: .localRootOnly,
        fields: probeResultFields,
        messages: [])

    private static let probeResultFields: [FieldDeclaration] = [
        FieldDeclaration(
            "configuration", .map(.string, .string), .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration("complete", .bool, .dynamicReadOnly, since: "lima", history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "sr", .option(.record("sr_stat")), .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "extra_info", .map(.string, .string), .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata")),
    ]
}
