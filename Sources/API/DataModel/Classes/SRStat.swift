extension ClassDeclaration {
    static let srStat = ClassDeclaration(
        name: "sr_stat", since: "lima", history: History(prototyped: "kolkata", changed: ["24.17.0"]),
        inDatabase: false, isPersistent: false, generatesEvents: false, hasGetAllFamily: false,
        defaultRole: .localRootOnly,
        fields: srStatFields,
        messages: [])

    private static let srStatFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .option(.string), .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata", changed: ["24.17.0"])),
        FieldDeclaration(
            "name_label", .string, .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata", changed: ["24.17.0"])),
        FieldDeclaration(
            "name_description", .string, .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata", changed: ["24.17.0"])),
        FieldDeclaration(
            "free_space", .int, .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata", changed: ["24.17.0"])),
        FieldDeclaration(
            "total_space", .int, .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata", changed: ["24.17.0"])),
        FieldDeclaration(
            "clustered", .bool, .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata", changed: ["24.17.0"])),
        FieldDeclaration(
            "health", .enumeration("sr_health"), .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata", changed: ["24.17.0"])),
    ]
}
