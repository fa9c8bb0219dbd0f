extension ClassDeclaration {
    static let srStat = ClassDeclaration(
        name: "sr_stat", since: "lima", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .localRootOnly,
        fields: srStatFields,
        messages: [])

    private static let srStatFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .option(.string), .dynamicReadOnly, since: "lima"),
        FieldDeclaration("name_label", .string, .dynamicReadOnly, since: "lima"),
        FieldDeclaration("name_description", .string, .dynamicReadOnly, since: "lima"),
        FieldDeclaration("free_space", .int, .dynamicReadOnly, since: "lima"),
        FieldDeclaration("total_space", .int, .dynamicReadOnly, since: "lima"),
        FieldDeclaration("clustered", .bool, .dynamicReadOnly, since: "lima"),
        FieldDeclaration("health", .enumeration("sr_health"), .dynamicReadOnly, since: "lima"),
    ]
}
