extension ClassDeclaration {
    static let vbd = ClassDeclaration(
        name: "VBD", since: "rio", hasCreateDestroy: true, defaultRole: .vmAdmin,
        fields: vbdFields,
        messages: vbdMessages)

    private static let vbdFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vbd_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vbd_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration("VM", .ref("VM"), .staticReadOnly, since: "rio"),
        FieldDeclaration("VDI", .ref("VDI"), .staticReadOnly, since: "rio"),
        FieldDeclaration("device", .string, .staticReadOnly, .string(""), since: "rio"),
        FieldDeclaration("userdevice", .string, .readWrite, since: "rio", setterRole: .vmAdmin),
        FieldDeclaration("bootable", .bool, .readWrite, since: "rio", setterRole: .vmAdmin),
        FieldDeclaration("mode", .enumeration("vbd_mode"), .staticReadOnly, since: "rio"),
        FieldDeclaration("type", .enumeration("vbd_type"), .readWrite, since: "rio", setterRole: .vmAdmin),
        FieldDeclaration("unpluggable", .bool, .readWrite, .bool(true), since: "miami", setterRole: .vmAdmin),
        FieldDeclaration("storage_lock", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("empty", .bool, .staticReadOnly, since: "rio"),
        FieldDeclaration("reserved", .bool, .dynamicReadOnly, .bool(false), since: "rio", isInternal: true),
        FieldDeclaration("other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin),
        FieldDeclaration("currently_attached", .bool, .staticReadOnly, .bool(false), since: "rio"),
        FieldDeclaration("status_code", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("status_detail", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("runtime_properties", .map(.string, .string), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "qos_algorithm_type", .string, .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["qos", "algorithm_type"]),
        FieldDeclaration(
            "qos_algorithm_params", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["qos", "algorithm_params"]),
        FieldDeclaration(
            "qos_supported_algorithms", .set(.string), .dynamicReadOnly, since: "rio",
            path: ["qos", "supported_algorithms"]),
        FieldDeclaration("metrics", .ref("VBD_metrics"), .dynamicReadOnly, .nullRef, since: "rio", state: .removed),
    ]

    private static let vbdMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "eject",
            [
                ParameterDeclaration("vbd", .ref("VBD"))
            ],
            role: .vmOperator, isAsync: true, errors: ["VBD_NOT_REMOVABLE_MEDIA", "VBD_IS_EMPTY"], since: "rio"),
        MessageDeclaration(
            "insert",
            [
                ParameterDeclaration("vbd", .ref("VBD")),
                ParameterDeclaration("vdi", .ref("VDI")),
            ],
            role: .vmOperator, isAsync: true, errors: ["VBD_NOT_REMOVABLE_MEDIA", "VBD_NOT_EMPTY"], since: "rio"),
        MessageDeclaration(
            "plug",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio"),
        MessageDeclaration(
            "unplug",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, errors: ["DEVICE_DETACH_REJECTED", "DEVICE_ALREADY_DETACHED"], since: "rio"),
        MessageDeclaration(
            "unplug_force",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio"),
        MessageDeclaration(
            "unplug_force_no_safety_check",
            [
                ParameterDeclaration("self", .ref("VBD"), since: "symc")
            ],
            role: .vmAdmin, isAsync: true, since: "symc", state: .deprecated, isHidden: true),
        MessageDeclaration(
            "assert_attachable",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio"),
        MessageDeclaration(
            "pause",
            [
                ParameterDeclaration("self", .ref("VBD"), since: "symc")
            ],
            result: .string, role: .vmAdmin, isAsync: true, since: "symc", isHidden: true),
        MessageDeclaration(
            "unpause",
            [
                ParameterDeclaration("self", .ref("VBD"), since: "symc"),
                ParameterDeclaration("token", .string, .string(""), since: "orlando"),
            ],
            role: .vmAdmin, isAsync: true, since: "symc", isHidden: true),
        MessageDeclaration(
            "set_mode",
            [
                ParameterDeclaration("self", .ref("VBD")),
                ParameterDeclaration("value", .enumeration("vbd_mode")),
            ],
            role: .vmAdmin, isAsync: true, since: "rio"),
    ]
}
