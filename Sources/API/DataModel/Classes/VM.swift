extension ClassDeclaration {
    static let vm = ClassDeclaration(
        name: "VM", since: "rio", hasCreateDestroy: true, defaultRole: .vmAdmin,
        fields: vmFields,
        messages: vmMessages1 + vmMessages2 + vmMessages3)

    private static let vmFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vm_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vm_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .vmAdmin,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .vmAdmin,
            path: ["name", "description"]),
        FieldDeclaration(
            "power_state", .enumeration("vm_power_state"), .staticReadOnly, .string("Halted"), since: "rio"),
        FieldDeclaration("user_version", .int, .readWrite, since: "rio", setterRole: .vmAdmin),
        FieldDeclaration("is_a_template", .bool, .readWrite, since: "rio", setterRole: .vmAdmin, setterHasEffect: true),
        FieldDeclaration("is_default_template", .bool, .dynamicReadOnly, .bool(false), since: "falcon"),
        FieldDeclaration("suspend_VDI", .ref("VDI"), .staticReadOnly, .nullRef, since: "rio"),
        FieldDeclaration("resident_on", .ref("host"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("scheduled_to_be_resident_on", .ref("host"), .dynamicReadOnly, .nullRef, since: "rio"),
        FieldDeclaration("affinity", .ref("host"), .readWrite, since: "rio", setterRole: .vmPowerAdmin),
        FieldDeclaration(
            "memory_overhead", .int, .dynamicReadOnly, .int(0), since: "rio", path: ["memory", "overhead"]),
        FieldDeclaration(
            "memory_target", .int, .staticReadOnly, .int(0), since: "rio", state: .deprecated,
            path: ["memory", "target"]),
        FieldDeclaration("memory_static_max", .int, .staticReadOnly, since: "rio", path: ["memory", "static_max"]),
        FieldDeclaration("memory_dynamic_max", .int, .staticReadOnly, since: "rio", path: ["memory", "dynamic_max"]),
        FieldDeclaration("memory_dynamic_min", .int, .staticReadOnly, since: "rio", path: ["memory", "dynamic_min"]),
        FieldDeclaration("memory_static_min", .int, .staticReadOnly, since: "rio", path: ["memory", "static_min"]),
        FieldDeclaration(
            "VCPUs_params", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["VCPUs", "params"]),
        FieldDeclaration("VCPUs_max", .int, .staticReadOnly, since: "rio", path: ["VCPUs", "max"]),
        FieldDeclaration("VCPUs_at_startup", .int, .staticReadOnly, since: "rio", path: ["VCPUs", "at_startup"]),
        FieldDeclaration(
            "actions_after_softreboot", .enumeration("on_softreboot_behavior"), .readWrite, .string("soft_reboot"),
            since: "23.1.0", state: .prototyped, setterRole: .vmAdmin, path: ["actions", "after_softreboot"]),
        FieldDeclaration(
            "actions_after_shutdown", .enumeration("on_normal_exit"), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["actions", "after_shutdown"]),
        FieldDeclaration(
            "actions_after_reboot", .enumeration("on_normal_exit"), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["actions", "after_reboot"]),
        FieldDeclaration(
            "actions_after_crash", .enumeration("on_crash_behaviour"), .staticReadOnly, since: "rio",
            path: ["actions", "after_crash"]),
        FieldDeclaration("consoles", .set(.ref("console")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("VIFs", .set(.ref("VIF")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("VBDs", .set(.ref("VBD")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("VUSBs", .set(.ref("VUSB")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("crash_dumps", .set(.ref("crashdump")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("VTPMs", .set(.ref("VTPM")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "PV_bootloader", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "bootloader"]),
        FieldDeclaration("PV_kernel", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "kernel"]),
        FieldDeclaration(
            "PV_ramdisk", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "ramdisk"]),
        FieldDeclaration("PV_args", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "args"]),
        FieldDeclaration(
            "PV_bootloader_args", .string, .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["PV", "bootloader_args"]),
        FieldDeclaration(
            "PV_legacy_args", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "legacy_args"]),
        FieldDeclaration(
            "HVM_boot_policy", .string, .staticReadOnly, since: "rio", state: .deprecated,
            path: ["HVM", "boot_policy"]),
        FieldDeclaration(
            "HVM_boot_params", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["HVM", "boot_params"]),
        FieldDeclaration(
            "HVM_shadow_multiplier", .float, .staticReadOnly, .float(1), since: "miami",
            path: ["HVM", "shadow_multiplier"]),
        FieldDeclaration(
            "platform", .map(.string, .string), .staticReadOnly, since: "rio", mapKeyRoles: ["hvm_serial": .poolAdmin]),
        FieldDeclaration("PCI_bus", .string, .readWrite, since: "rio", state: .deprecated, setterRole: .vmAdmin),
        FieldDeclaration(
            "other_config", .map(.string, .string), .staticReadOnly, since: "rio",
            mapKeyRoles: [
                "pci": .poolAdmin, "hvm_serial": .poolAdmin, "folder": .vmOperator,
                "XenCenter.CustomFields.*": .vmOperator,
            ]),
        FieldDeclaration("domid", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("domarch", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("last_boot_CPU_flags", .map(.string, .string), .staticReadOnly, .emptyMap, since: "rio"),
        FieldDeclaration("is_control_domain", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("metrics", .ref("VM_metrics"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("guest_metrics", .ref("VM_guest_metrics"), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("last_booted_record", .string, .staticReadOnly, .string(""), since: "miami"),
        FieldDeclaration("recommendations", .string, .readWrite, since: "rio", setterRole: .vmAdmin),
        FieldDeclaration(
            "xenstore_data", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .vmAdmin,
            setterHasEffect: true),
        FieldDeclaration("ha_always_run", .bool, .staticReadOnly, .bool(false), since: "orlando", state: .deprecated),
        FieldDeclaration("ha_restart_priority", .string, .staticReadOnly, .string(""), since: "orlando"),
        FieldDeclaration("is_a_snapshot", .bool, .dynamicReadOnly, .bool(false), since: "orlando"),
        FieldDeclaration("snapshot_of", .ref("VM"), .dynamicReadOnly, .nullRef, since: "orlando"),
        FieldDeclaration("snapshots", .set(.ref("VM")), .dynamicReadOnly, since: "orlando"),
        FieldDeclaration("snapshot_time", .datetime, .dynamicReadOnly, .never, since: "orlando"),
        FieldDeclaration("transportable_snapshot_id", .string, .dynamicReadOnly, .string(""), since: "orlando"),
        FieldDeclaration("blobs", .map(.string, .ref("blob")), .dynamicReadOnly, .emptyMap, since: "orlando"),
        FieldDeclaration("tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator),
        FieldDeclaration(
            "blocked_operations", .map(.enumeration("vm_operations"), .string), .staticReadOnly, .emptyMap,
            since: "orlando"),
        FieldDeclaration("snapshot_info", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride"),
        FieldDeclaration("snapshot_metadata", .string, .dynamicReadOnly, .string(""), since: "midnight-ride"),
        FieldDeclaration("parent", .ref("VM"), .dynamicReadOnly, .nullRef, since: "midnight-ride"),
        FieldDeclaration("children", .set(.ref("VM")), .dynamicReadOnly, since: "midnight-ride"),
        FieldDeclaration("bios_strings", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride"),
        FieldDeclaration(
            "protection_policy", .ref("VMPP"), .staticReadOnly, .nullRef, since: "cowley", state: .deprecated),
        FieldDeclaration(
            "is_snapshot_from_vmpp", .bool, .staticReadOnly, .bool(false), since: "cowley", state: .removed),
        FieldDeclaration("snapshot_schedule", .ref("VMSS"), .staticReadOnly, .nullRef, since: "falcon"),
        FieldDeclaration("is_vmss_snapshot", .bool, .staticReadOnly, .bool(false), since: "falcon"),
        FieldDeclaration("appliance", .ref("VM_appliance"), .staticReadOnly, .nullRef, since: "rio"),
        FieldDeclaration("start_delay", .int, .staticReadOnly, .int(0), since: "boston"),
        FieldDeclaration("shutdown_delay", .int, .staticReadOnly, .int(0), since: "boston"),
        FieldDeclaration("order", .int, .staticReadOnly, .int(0), since: "boston"),
        FieldDeclaration("VGPUs", .set(.ref("VGPU")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("attached_PCIs", .set(.ref("PCI")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("suspend_SR", .ref("SR"), .readWrite, .nullRef, since: "boston", setterRole: .vmAdmin),
        FieldDeclaration("version", .int, .staticReadOnly, .int(0), since: "boston"),
        FieldDeclaration("generation_id", .string, .staticReadOnly, .string("0:0"), since: "clearwater"),
        FieldDeclaration("hardware_platform_version", .int, .readWrite, .int(0), since: "cream", setterRole: .vmAdmin),
        FieldDeclaration("has_vendor_device", .bool, .staticReadOnly, .bool(true), since: "dundee"),
        FieldDeclaration("requires_reboot", .bool, .dynamicReadOnly, .bool(false), since: "ely"),
        FieldDeclaration("reference_label", .string, .staticReadOnly, .string(""), since: "ely"),
        FieldDeclaration(
            "domain_type", .enumeration("domain_type"), .staticReadOnly, .string("unspecified"), since: "kolkata"),
        FieldDeclaration("NVRAM", .map(.string, .string), .staticReadOnly, .emptyMap, since: "naples"),
        FieldDeclaration(
            "pending_guidances", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet, since: "1.303.0"),
        FieldDeclaration(
            "recommended_guidances", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet,
            since: "23.18.0", state: .removed, isInternal: true),
        FieldDeclaration(
            "pending_guidances_recommended", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet,
            since: "24.10.0", state: .prototyped),
        FieldDeclaration(
            "pending_guidances_full", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet,
            since: "24.10.0", state: .prototyped),
        FieldDeclaration("groups", .set(.ref("VM_group")), .dynamicReadOnly, since: "24.19.1", state: .prototyped),
        FieldDeclaration(
            "secureboot_certificates_state", .enumeration("vm_secureboot_certificates_state"), .dynamicReadOnly,
            .string("ok"), since: "26.14.0", state: .prototyped),
    ]
}
