extension ClassDeclaration {
    static let vdiNBDServerInfo = ClassDeclaration(
        name: "vdi_nbd_server_info", since: "inverness", inDatabase: false, isPersistent: false, generatesEvents: false,
        hasGetAllFamily: false, defaultRole: .localRootOnly,
        fields: vdiNBDServerInfoFields,
        messages: [])

    private static let vdiNBDServerInfoFields: [FieldDeclaration] = [
        FieldDeclaration("exportname", .string, .dynamicReadOnly, since: "inverness"),
        FieldDeclaration("address", .string, .dynamicReadOnly, since: "inverness"),
        FieldDeclaration("port", .int, .dynamicReadOnly, since: "inverness"),
        FieldDeclaration("cert", .string, .dynamicReadOnly, since: "inverness"),
        FieldDeclaration("subject", .string, .dynamicReadOnly, since: "inverness"),
    ]
}
