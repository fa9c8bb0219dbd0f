extension ClassDeclaration {
    static let vgpuType = ClassDeclaration(
        name: "VGPU_type", since: "vgpu-tech-preview", defaultRole: .poolOperator,
        fields: vgpuTypeFields,
        messages: [])

    private static let vgpuTypeFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "vgpu-tech-preview"),
        FieldDeclaration("vendor_name", .string, .staticReadOnly, .string(""), since: "vgpu-tech-preview"),
        FieldDeclaration("model_name", .string, .staticReadOnly, .string(""), since: "vgpu-tech-preview"),
        FieldDeclaration("framebuffer_size", .int, .staticReadOnly, .int(0), since: "vgpu-tech-preview"),
        FieldDeclaration("max_heads", .int, .staticReadOnly, .int(0), since: "vgpu-tech-preview"),
        FieldDeclaration("max_resolution_x", .int, .staticReadOnly, .int(0), since: "vgpu-productisation"),
        FieldDeclaration("max_resolution_y", .int, .staticReadOnly, .int(0), since: "vgpu-productisation"),
        FieldDeclaration("size", .int, .staticReadOnly, .int(0), since: "vgpu-tech-preview", isInternal: true),
        FieldDeclaration("supported_on_PGPUs", .set(.ref("PGPU")), .dynamicReadOnly, since: "vgpu-tech-preview"),
        FieldDeclaration("enabled_on_PGPUs", .set(.ref("PGPU")), .dynamicReadOnly, since: "vgpu-tech-preview"),
        FieldDeclaration("VGPUs", .set(.ref("VGPU")), .dynamicReadOnly, since: "vgpu-tech-preview"),
        FieldDeclaration(
            "internal_config", .map(.string, .string), .staticReadOnly, .emptyMap, since: "vgpu-tech-preview",
            isInternal: true),
        FieldDeclaration(
            "supported_on_GPU_groups", .set(.ref("GPU_group")), .dynamicReadOnly, since: "vgpu-productisation"),
        FieldDeclaration(
            "enabled_on_GPU_groups", .set(.ref("GPU_group")), .dynamicReadOnly, since: "vgpu-productisation"),
        FieldDeclaration(
            "implementation", .enumeration("vgpu_type_implementation"), .staticReadOnly, .string("passthrough"),
            since: "dundee"),
        FieldDeclaration("identifier", .string, .staticReadOnly, .string(""), since: "dundee"),
        FieldDeclaration("experimental", .bool, .staticReadOnly, .bool(false), since: "dundee"),
        FieldDeclaration(
            "compatible_types_in_vm", .set(.ref("VGPU_type")), .dynamicReadOnly, .emptySet, since: "quebec"),
        FieldDeclaration(
            "compatible_types_on_pgpu", .set(.ref("VGPU_type")), .dynamicReadOnly, .emptySet, since: "quebec",
            isInternal: true),
    ]
}
