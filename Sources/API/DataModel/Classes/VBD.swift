extension ClassDeclaration {
    static let vbd = ClassDeclaration(
        name: "VBD", since: "rio", hasCreateDestroy: true, defaultRole: .vmAdmin,
        text: "The connection of a VM with a disk, or an empty drive.",
        fields: vbdFields,
        messages: vbdMessages)

    private static let vbdFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the connection."),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vbd_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false,
            text: "What may be asked of it now."),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vbd_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false,
            text: "What is being done with it, by task."),
        FieldDeclaration(
            "VM", .ref("VM"), .staticReadOnly, since: "rio",
            text: "The VM."),
        FieldDeclaration(
            "VDI", .ref("VDI"), .staticReadOnly, since: "rio",
            text: "The disk; null for an empty drive."),
        FieldDeclaration(
            "device", .string, .staticReadOnly, .string(""), since: "rio", history: History(changed: ["1.257.0"]),
            text: "The name of the device in the guest."),
        FieldDeclaration(
            "userdevice", .string, .readWrite, since: "rio", setterRole: .vmAdmin,
            text: "The position that was asked for: a number, a name, or `autodetect`."),
        FieldDeclaration(
            "bootable", .bool, .readWrite, since: "rio", setterRole: .vmAdmin,
            text: "Whether the VM may boot from it."),
        FieldDeclaration(
            "mode", .enumeration("vbd_mode"), .staticReadOnly, since: "rio",
            text: "Whether the VM may write."),
        FieldDeclaration(
            "type", .enumeration("vbd_type"), .readWrite, since: "rio", setterRole: .vmAdmin,
            text: "A disk, a CD or a floppy."),
        FieldDeclaration(
            "unpluggable", .bool, .readWrite, .bool(true), since: "miami", setterRole: .vmAdmin,
            text: "Whether it can go while the VM runs."),
        FieldDeclaration(
            "storage_lock", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether the repository has it locked."),
        FieldDeclaration(
            "empty", .bool, .staticReadOnly, since: "rio",
            text: "Whether it is a drive without a medium."),
        FieldDeclaration("reserved", .bool, .dynamicReadOnly, .bool(false), since: "rio", isInternal: true),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            text: "For notes."),
        FieldDeclaration(
            "currently_attached", .bool, .staticReadOnly, .bool(false), since: "rio",
            history: History(changed: ["1.257.0"]),
            text: "Whether the guest sees it now."),
        FieldDeclaration(
            "status_code", .int, .dynamicReadOnly, since: "rio",
            text: "How the last attachment ended."),
        FieldDeclaration(
            "status_detail", .string, .dynamicReadOnly, since: "rio",
            text: "The same in words."),
        FieldDeclaration("runtime_properties", .map(.string, .string), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "qos_algorithm_type", .string, .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["qos", "algorithm_type"],
            text: "How its share of the storage is limited."),
        FieldDeclaration(
            "qos_algorithm_params", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["qos", "algorithm_params"],
            text: "The limits."),
        FieldDeclaration(
            "qos_supported_algorithms", .set(.string), .dynamicReadOnly, since: "rio",
            path: ["qos", "supported_algorithms"]),
        FieldDeclaration(
            "metrics", .ref("VBD_metrics"), .dynamicReadOnly, .nullRef, since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"),
            text: "What is measured of it."),
    ]

    private static let vbdMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "eject",
            [
                ParameterDeclaration("vbd", .ref("VBD"))
            ],
            role: .vmOperator, isAsync: true, errors: ["VBD_NOT_REMOVABLE_MEDIA", "VBD_IS_EMPTY"], since: "rio",
            text: "Takes the medium out."),
        MessageDeclaration(
            "insert",
            [
                ParameterDeclaration("vbd", .ref("VBD")),
                ParameterDeclaration("vdi", .ref("VDI")),
            ],
            role: .vmOperator, isAsync: true, errors: ["VBD_NOT_REMOVABLE_MEDIA", "VBD_NOT_EMPTY"], since: "rio",
            text: "Puts a medium into the drive."),
        MessageDeclaration(
            "plug",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Attaches the disk to the running VM."),
        MessageDeclaration(
            "unplug",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, errors: ["DEVICE_DETACH_REJECTED", "DEVICE_ALREADY_DETACHED"], since: "rio",
            text: "Detaches it; the guest must let it go."),
        MessageDeclaration(
            "unplug_force",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Detaches it whether the guest lets it go or not."),
        MessageDeclaration(
            "unplug_force_no_safety_check",
            [
                ParameterDeclaration("self", .ref("VBD"), since: "symc")
            ],
            role: .vmAdmin, isAsync: true, since: "symc", state: .deprecated, history: History(deprecated: "ely"),
            isHidden: true),
        MessageDeclaration(
            "assert_attachable",
            [
                ParameterDeclaration("self", .ref("VBD"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Throws what keeps the disk from being attached now."),
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
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Whether the VM may write; only while it is not attached."),
    ]
}
