extension ClassDeclaration {
    static let pvsCacheStorage = ClassDeclaration(
        name: "PVS_cache_storage", since: "ely", hasCreateDestroy: true, defaultRole: .poolOperator,
        fields: pvsCacheStorageFields,
        messages: [])

    private static let pvsCacheStorageFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "ely"),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, .nullRef, since: "ely"),
        FieldDeclaration("SR", .ref("SR"), .staticReadOnly, .nullRef, since: "ely"),
        FieldDeclaration("site", .ref("PVS_site"), .staticReadOnly, .nullRef, since: "ely"),
        FieldDeclaration("size", .int, .staticReadOnly, .int(21_474_836_480), since: "ely"),
        FieldDeclaration("VDI", .ref("VDI"), .dynamicReadOnly, .nullRef, since: "ely"),
    ]
}
