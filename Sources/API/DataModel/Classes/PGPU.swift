extension ClassDeclaration {
    static let pgpu = ClassDeclaration(
        name: "PGPU", since: "boston", defaultRole: .poolOperator,
        fields: pgpuFields,
        messages: pgpuMessages)

    private static let pgpuFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "boston"),
        FieldDeclaration("PCI", .ref("PCI"), .staticReadOnly, .nullRef, since: "boston"),
        FieldDeclaration("GPU_group", .ref("GPU_group"), .staticReadOnly, .nullRef, since: "boston"),
        FieldDeclaration("host", .ref("host"), .dynamicReadOnly, .nullRef, since: "boston"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "boston", setterRole: .poolOperator),
        FieldDeclaration("supported_VGPU_types", .set(.ref("VGPU_type")), .dynamicReadOnly, since: "vgpu-tech-preview"),
        FieldDeclaration("enabled_VGPU_types", .set(.ref("VGPU_type")), .dynamicReadOnly, since: "vgpu-tech-preview"),
        FieldDeclaration("resident_VGPUs", .set(.ref("VGPU")), .dynamicReadOnly, since: "vgpu-tech-preview"),
        FieldDeclaration("size", .int, .staticReadOnly, .int(1_048_576), since: "vgpu-tech-preview", isInternal: true),
        FieldDeclaration(
            "supported_VGPU_max_capacities", .map(.ref("VGPU_type"), .int), .dynamicReadOnly, .emptyMap,
            since: "vgpu-productisation"),
        FieldDeclaration(
            "dom0_access", .enumeration("pci_dom0_access"), .dynamicReadOnly, .string("enabled"), since: "cream",
            state: .deprecated, history: History(deprecated: "24.14.0")),
        FieldDeclaration("is_system_display_device", .bool, .dynamicReadOnly, .bool(false), since: "cream"),
        FieldDeclaration(
            "compatibility_metadata", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "inverness"),
    ]

    private static let pgpuMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "add_enabled_VGPU_types",
            [
                ParameterDeclaration("self", .ref("PGPU"), since: "vgpu-tech-preview"),
                ParameterDeclaration("value", .ref("VGPU_type"), since: "vgpu-tech-preview"),
            ],
            role: .poolOperator, isAsync: true, since: "vgpu-tech-preview"),
        MessageDeclaration(
            "remove_enabled_VGPU_types",
            [
                ParameterDeclaration("self", .ref("PGPU"), since: "vgpu-tech-preview"),
                ParameterDeclaration("value", .ref("VGPU_type"), since: "vgpu-tech-preview"),
            ],
            role: .poolOperator, isAsync: true, since: "vgpu-tech-preview"),
        MessageDeclaration(
            "set_enabled_VGPU_types",
            [
                ParameterDeclaration("self", .ref("PGPU"), since: "vgpu-tech-preview"),
                ParameterDeclaration("value", .set(.ref("VGPU_type")), since: "vgpu-tech-preview"),
            ],
            role: .poolOperator, isAsync: true, since: "vgpu-tech-preview"),
        MessageDeclaration(
            "set_GPU_group",
            [
                ParameterDeclaration("self", .ref("PGPU"), since: "vgpu-tech-preview"),
                ParameterDeclaration("value", .ref("GPU_group"), since: "vgpu-tech-preview"),
            ],
            role: .poolOperator, isAsync: true, since: "vgpu-tech-preview"),
        MessageDeclaration(
            "get_remaining_capacity",
            [
                ParameterDeclaration("self", .ref("PGPU"), since: "vgpu-tech-preview"),
                ParameterDeclaration("vgpu_type", .ref("VGPU_type"), since: "vgpu-tech-preview"),
            ],
            result: .int, role: .readOnly, isAsync: true, since: "vgpu-tech-preview"),
        MessageDeclaration(
            "enable_dom0_access",
            [
                ParameterDeclaration("self", .ref("PGPU"), since: "cream")
            ],
            result: .enumeration("pci_dom0_access"), role: .poolOperator, isAsync: true, since: "cream",
            state: .deprecated, history: History(deprecated: "24.14.0")),
        MessageDeclaration(
            "disable_dom0_access",
            [
                ParameterDeclaration("self", .ref("PGPU"), since: "cream")
            ],
            result: .enumeration("pci_dom0_access"), role: .poolOperator, isAsync: true, since: "cream",
            state: .deprecated, history: History(deprecated: "24.14.0")),
    ]
}
