extension ClassDeclaration {
    static let gpuGroup = ClassDeclaration(
        name: "GPU_group", since: "boston", defaultRole: .poolOperator,
        fields: gpuGroupFields,
        messages: gpuGroupMessages)

    private static let gpuGroupFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "boston"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "boston", setterRole: .poolOperator,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "boston", setterRole: .poolOperator,
            path: ["name", "description"]),
        FieldDeclaration("PGPUs", .set(.ref("PGPU")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("VGPUs", .set(.ref("VGPU")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("GPU_types", .set(.string), .dynamicReadOnly, .emptySet, since: "boston"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "boston", setterRole: .poolOperator),
        FieldDeclaration(
            "allocation_algorithm", .enumeration("allocation_algorithm"), .readWrite, .string("depth_first"),
            since: "vgpu-tech-preview", setterRole: .poolOperator),
        FieldDeclaration(
            "supported_VGPU_types", .set(.ref("VGPU_type")), .dynamicReadOnly, since: "vgpu-productisation"),
        FieldDeclaration("enabled_VGPU_types", .set(.ref("VGPU_type")), .dynamicReadOnly, since: "vgpu-productisation"),
    ]

    private static let gpuGroupMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("name_label", .string, .string(""), since: "boston"),
                ParameterDeclaration("name_description", .string, .string(""), since: "boston"),
                ParameterDeclaration("other_config", .map(.string, .string), .emptyMap, since: "boston"),
            ],
            result: .ref("GPU_group"), role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("GPU_group"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "update_enabled_VGPU_types",
            [
                ParameterDeclaration("self", .ref("GPU_group"), since: "vgpu-productisation")
            ],
            role: .poolOperator, isAsync: true, since: "vgpu-productisation", isHidden: true),
        MessageDeclaration(
            "update_supported_VGPU_types",
            [
                ParameterDeclaration("self", .ref("GPU_group"), since: "vgpu-productisation")
            ],
            role: .poolOperator, isAsync: true, since: "vgpu-productisation", isHidden: true),
        MessageDeclaration(
            "get_remaining_capacity",
            [
                ParameterDeclaration("self", .ref("GPU_group"), since: "vgpu-tech-preview"),
                ParameterDeclaration("vgpu_type", .ref("VGPU_type"), since: "vgpu-tech-preview"),
            ],
            result: .int, role: .readOnly, isAsync: true, since: "vgpu-tech-preview"),
    ]
}
