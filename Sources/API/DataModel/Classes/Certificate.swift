extension ClassDeclaration {
    static let certificate = ClassDeclaration(
        name: "Certificate", since: "stockholm", defaultRole: .readOnly,
        fields: certificateFields,
        messages: [])

    private static let certificateFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "stockholm"),
        FieldDeclaration("name", .string, .dynamicReadOnly, .string(""), since: "1.294.0"),
        FieldDeclaration("type", .enumeration("certificate_type"), .dynamicReadOnly, .string("host"), since: "1.294.0"),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, .nullRef, since: "stockholm"),
        FieldDeclaration("not_before", .datetime, .staticReadOnly, .never, since: "stockholm"),
        FieldDeclaration("not_after", .datetime, .staticReadOnly, .never, since: "stockholm"),
        FieldDeclaration(
            "fingerprint", .string, .staticReadOnly, .string(""), since: "stockholm", state: .deprecated,
            history: History(deprecated: "24.19.0")),
        FieldDeclaration(
            "fingerprint_sha256", .string, .staticReadOnly, .string(""), since: "24.20.0", state: .prototyped),
        FieldDeclaration(
            "fingerprint_sha1", .string, .staticReadOnly, .string(""), since: "24.20.0", state: .prototyped),
        FieldDeclaration(
            "purpose", .set(.enumeration("certificate_purpose")), .staticReadOnly, .emptySet, since: "26.13.0",
            state: .prototyped),
    ]
}
