extension ClassDeclaration {
    static let repository = ClassDeclaration(
        name: "Repository", since: "1.301.0", defaultRole: .poolOperatorOrClientCertificate,
        fields: repositoryFields,
        messages: repositoryMessages)

    private static let repositoryFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "1.301.0"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperatorOrClientCertificate,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio",
            setterRole: .poolOperatorOrClientCertificate, path: ["name", "description"]),
        FieldDeclaration("binary_url", .string, .staticReadOnly, .string(""), since: "1.301.0"),
        FieldDeclaration("source_url", .string, .staticReadOnly, .string(""), since: "1.301.0"),
        FieldDeclaration("update", .bool, .staticReadOnly, .bool(false), since: "1.301.0"),
        FieldDeclaration("hash", .string, .dynamicReadOnly, .string(""), since: "1.301.0"),
        FieldDeclaration(
            "up_to_date", .bool, .dynamicReadOnly, .bool(false), since: "1.301.0", state: .removed,
            history: History(deprecated: "23.18.0", removed: "23.18.0")),
        FieldDeclaration("gpgkey_path", .string, .staticReadOnly, .string(""), since: "22.12.0", state: .prototyped),
        FieldDeclaration(
            "origin", .enumeration("origin"), .staticReadOnly, .string("remote"), since: "24.23.0", state: .prototyped),
        FieldDeclaration("certificate", .string, .staticReadOnly, .string(""), since: "25.7.0", state: .prototyped),
    ]

    private static let repositoryMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("name_label", .string, since: "1.301.0"),
                ParameterDeclaration("name_description", .string, since: "1.301.0"),
                ParameterDeclaration("binary_url", .string, since: "1.301.0"),
                ParameterDeclaration("source_url", .string, since: "1.301.0"),
                ParameterDeclaration("update", .bool, since: "1.301.0"),
                ParameterDeclaration("gpgkey_path", .string, .string(""), since: "1.301.0"),
            ],
            result: .ref("Repository"), role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.301.0"),
        MessageDeclaration(
            "introduce_bundle",
            [
                ParameterDeclaration("name_label", .string),
                ParameterDeclaration("name_description", .string),
            ],
            result: .ref("Repository"), role: .poolOperatorOrClientCertificate, isAsync: true, since: "24.23.0",
            state: .prototyped),
        MessageDeclaration(
            "introduce_remote_pool",
            [
                ParameterDeclaration("name_label", .string),
                ParameterDeclaration("name_description", .string),
                ParameterDeclaration("binary_url", .string),
                ParameterDeclaration("certificate", .string),
            ],
            result: .ref("Repository"), role: .poolOperatorOrClientCertificate, isAsync: true, since: "25.7.0",
            state: .prototyped),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("self", .ref("Repository"), since: "1.301.0")
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.301.0"),
        MessageDeclaration(
            "apply",
            [
                ParameterDeclaration("host", .ref("host"), since: "1.301.0")
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.301.0", isHidden: true,
            isPoolInternal: true),
        MessageDeclaration(
            "set_gpgkey_path",
            [
                ParameterDeclaration("self", .ref("Repository")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "22.12.0", state: .prototyped),
        MessageDeclaration(
            "apply_livepatch",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("component", .string),
                ParameterDeclaration("base_build_id", .string),
                ParameterDeclaration("base_version", .string),
                ParameterDeclaration("base_release", .string),
                ParameterDeclaration("to_version", .string),
                ParameterDeclaration("to_release", .string),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "22.20.0", state: .prototyped, isHidden: true,
            isPoolInternal: true),
    ]
}
