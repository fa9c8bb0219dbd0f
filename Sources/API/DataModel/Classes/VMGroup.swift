extension ClassDeclaration {
    static let vmGroup = ClassDeclaration(
        name: "VM_group", since: "24.19.1", state: .prototyped, hasCreateDestroy: true, defaultRole: .vmAdmin,
        fields: vmGroupFields,
        messages: [])

    private static let vmGroupFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .vmAdmin,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .vmAdmin,
            path: ["name", "description"]),
        FieldDeclaration(
            "placement", .enumeration("placement_policy"), .staticReadOnly, .string("normal"), since: "24.19.1",
            state: .prototyped),
        FieldDeclaration("VMs", .set(.ref("VM")), .dynamicReadOnly, since: "24.19.1", state: .prototyped),
    ]
}
