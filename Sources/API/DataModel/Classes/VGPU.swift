extension ClassDeclaration {
    static let vgpu = ClassDeclaration(
        name: "VGPU", since: "boston", defaultRole: .poolOperator,
        fields: vgpuFields,
        messages: vgpuMessages)

    private static let vgpuFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "boston"),
        FieldDeclaration("VM", .ref("VM"), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("GPU_group", .ref("GPU_group"), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("device", .string, .dynamicReadOnly, .string("0"), since: "boston"),
        FieldDeclaration("currently_attached", .bool, .dynamicReadOnly, .bool(false), since: "boston"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "boston", setterRole: .poolOperator),
        FieldDeclaration("type", .ref("VGPU_type"), .dynamicReadOnly, .nullRef, since: "vgpu-tech-preview"),
        FieldDeclaration("resident_on", .ref("PGPU"), .dynamicReadOnly, .nullRef, since: "vgpu-tech-preview"),
        FieldDeclaration("scheduled_to_be_resident_on", .ref("PGPU"), .dynamicReadOnly, .nullRef, since: "dundee"),
        FieldDeclaration(
            "compatibility_metadata", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "inverness"),
        FieldDeclaration("extra_args", .string, .readWrite, .string(""), since: "quebec", setterRole: .poolOperator),
        FieldDeclaration("PCI", .ref("PCI"), .dynamicReadOnly, .nullRef, since: "quebec"),
    ]

    private static let vgpuMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("VM", .ref("VM"), since: "boston"),
                ParameterDeclaration("GPU_group", .ref("GPU_group"), since: "boston"),
                ParameterDeclaration("device", .string, .string("0"), since: "boston"),
                ParameterDeclaration("other_config", .map(.string, .string), .emptyMap, since: "boston"),
                ParameterDeclaration("type", .ref("VGPU_type"), .nullRef, since: "vgpu-tech-preview"),
            ],
            result: .ref("VGPU"), role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("VGPU"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "atomic_set_resident_on",
            [
                ParameterDeclaration("self", .ref("VGPU"), since: "dundee"),
                ParameterDeclaration("value", .ref("PGPU"), since: "dundee"),
            ],
            role: .localRootOnly, isAsync: true, since: "dundee", isHidden: true, isPoolInternal: true),
    ]
}
