extension ClassDeclaration {
    static let vtpm = ClassDeclaration(
        name: "VTPM", since: "22.26.0", state: .prototyped, defaultRole: .poolAdmin,
        fields: vtpmFields,
        messages: vtpmMessages)

    private static let vtpmFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vtpm_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vtpm_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration("VM", .ref("VM"), .staticReadOnly, since: "rio"),
        FieldDeclaration("backend", .ref("VM"), .dynamicReadOnly, .nullRef, since: "rio"),
        FieldDeclaration(
            "persistence_backend", .enumeration("persistence_backend"), .dynamicReadOnly, .string("xapi"),
            since: "22.26.0", state: .prototyped),
        FieldDeclaration("is_unique", .bool, .staticReadOnly, .bool(false), since: "22.26.0", state: .prototyped),
        FieldDeclaration("is_protected", .bool, .dynamicReadOnly, .bool(false), since: "22.26.0", state: .prototyped),
        FieldDeclaration(
            "contents", .ref("secret"), .dynamicReadOnly, since: "22.26.0", state: .prototyped, isInternal: true),
    ]

    private static let vtpmMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("vM", .ref("VM")),
                ParameterDeclaration("is_unique", .bool),
            ],
            result: .ref("VTPM"), role: .vmAdmin, isAsync: true, since: "22.26.0", state: .prototyped),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("VTPM"))
            ],
            role: .vmAdmin, isAsync: true, since: "22.26.0", state: .prototyped),
        MessageDeclaration(
            "get_contents",
            [
                ParameterDeclaration("self", .ref("VTPM"))
            ],
            result: .string, role: .localRootOnly, isAsync: true, isSecret: true, since: "22.26.0", state: .prototyped,
            isHidden: true),
        MessageDeclaration(
            "set_contents",
            [
                ParameterDeclaration("self", .ref("VTPM")),
                ParameterDeclaration("contents", .string),
            ],
            role: .localRootOnly, isAsync: true, isSecret: true, since: "22.26.0", state: .prototyped, isHidden: true),
    ]
}
