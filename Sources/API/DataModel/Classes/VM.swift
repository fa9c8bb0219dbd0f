extension ClassDeclaration {
    static let vm = ClassDeclaration(
        name: "VM", since: "rio", history: History(changed: ["1.257.0"]), hasCreateDestroy: true, defaultRole: .vmAdmin,
        text: "A virtual machine, a snapshot of one, or a template to make one from.",
        fields: vmFields,
        messages: vmMessages1 + vmMessages2 + vmMessages3)

    private static let vmFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the VM."),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vm_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false,
            text: "What may be asked of the VM in its state."),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vm_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false,
            text: "What is being done with it, by task."),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .vmAdmin,
            path: ["name", "label"],
            text: "The VM's name."),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .vmAdmin,
            path: ["name", "description"],
            text: "What its owner wrote about it."),
        FieldDeclaration(
            "power_state", .enumeration("vm_power_state"), .staticReadOnly, .string("Halted"), since: "rio",
            history: History(changed: ["1.257.0"]),
            text: "Halted, running, paused or suspended."),
        FieldDeclaration(
            "user_version", .int, .readWrite, since: "rio", setterRole: .vmAdmin,
            text: "A number for the owner's use."),
        FieldDeclaration(
            "is_a_template", .bool, .readWrite, since: "rio", setterRole: .vmAdmin, setterHasEffect: true,
            text: "Whether it is a template."),
        FieldDeclaration(
            "is_default_template", .bool, .dynamicReadOnly, .bool(false), since: "falcon",
            text: "Whether the toolstack brought the template."),
        FieldDeclaration(
            "suspend_VDI", .ref("VDI"), .staticReadOnly, .nullRef, since: "rio", history: History(changed: ["1.257.0"]),
            text: "The disk that holds its memory while it is suspended."),
        FieldDeclaration(
            "resident_on", .ref("host"), .dynamicReadOnly, since: "rio",
            text: "The host that it runs on; null when it does not run."),
        FieldDeclaration("scheduled_to_be_resident_on", .ref("host"), .dynamicReadOnly, .nullRef, since: "rio"),
        FieldDeclaration(
            "affinity", .ref("host"), .readWrite, since: "rio", setterRole: .vmPowerAdmin,
            text: "The host that it should run on."),
        FieldDeclaration(
            "memory_overhead", .int, .dynamicReadOnly, .int(0), since: "rio", path: ["memory", "overhead"],
            text: "What the host needs for the VM besides its memory, bytes."),
        FieldDeclaration(
            "memory_target", .int, .staticReadOnly, .int(0), since: "rio", state: .deprecated,
            history: History(deprecated: "midnight-ride"), path: ["memory", "target"],
            text: "The memory that it should have, bytes."),
        FieldDeclaration(
            "memory_static_max", .int, .staticReadOnly, since: "rio", path: ["memory", "static_max"],
            text: "The most memory that it can ever have while it runs, bytes."),
        FieldDeclaration(
            "memory_dynamic_max", .int, .staticReadOnly, since: "rio", path: ["memory", "dynamic_max"],
            text: "The most memory that it is given, bytes."),
        FieldDeclaration(
            "memory_dynamic_min", .int, .staticReadOnly, since: "rio", path: ["memory", "dynamic_min"],
            text: "The least memory that it is left with, bytes."),
        FieldDeclaration(
            "memory_static_min", .int, .staticReadOnly, since: "rio", path: ["memory", "static_min"],
            text: "The least memory that it can run with, bytes."),
        FieldDeclaration(
            "VCPUs_params", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["VCPUs", "params"],
            text: "How its virtual processors are run."),
        FieldDeclaration(
            "VCPUs_max", .int, .staticReadOnly, since: "rio", path: ["VCPUs", "max"],
            text: "The most virtual processors that it can have."),
        FieldDeclaration(
            "VCPUs_at_startup", .int, .staticReadOnly, since: "rio", path: ["VCPUs", "at_startup"],
            text: "The virtual processors that it starts with."),
        FieldDeclaration(
            "actions_after_softreboot", .enumeration("on_softreboot_behavior"), .readWrite, .string("soft_reboot"),
            since: "23.1.0", state: .prototyped, setterRole: .vmAdmin, path: ["actions", "after_softreboot"]),
        FieldDeclaration(
            "actions_after_shutdown", .enumeration("on_normal_exit"), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["actions", "after_shutdown"],
            text: "What follows when the guest shuts down."),
        FieldDeclaration(
            "actions_after_reboot", .enumeration("on_normal_exit"), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["actions", "after_reboot"],
            text: "What follows when the guest reboots."),
        FieldDeclaration(
            "actions_after_crash", .enumeration("on_crash_behaviour"), .staticReadOnly, since: "rio",
            path: ["actions", "after_crash"],
            text: "What follows when the guest crashes."),
        FieldDeclaration(
            "consoles", .set(.ref("console")), .dynamicReadOnly, since: "rio",
            text: "Its consoles."),
        FieldDeclaration(
            "VIFs", .set(.ref("VIF")), .dynamicReadOnly, since: "rio",
            text: "Its network interfaces."),
        FieldDeclaration(
            "VBDs", .set(.ref("VBD")), .dynamicReadOnly, since: "rio",
            text: "Its disks, as they are attached."),
        FieldDeclaration("VUSBs", .set(.ref("VUSB")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("crash_dumps", .set(.ref("crashdump")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "VTPMs", .set(.ref("VTPM")), .dynamicReadOnly, since: "rio",
            text: "Its trusted platform modules."),
        FieldDeclaration(
            "PV_bootloader", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "bootloader"],
            text: "What finds the kernel, for VMs that boot without firmware."),
        FieldDeclaration(
            "PV_kernel", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "kernel"],
            text: "The kernel to boot, a file on the host."),
        FieldDeclaration(
            "PV_ramdisk", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "ramdisk"],
            text: "The initial file system to boot with, a file on the host."),
        FieldDeclaration(
            "PV_args", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "args"],
            text: "The kernel's command line."),
        FieldDeclaration(
            "PV_bootloader_args", .string, .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["PV", "bootloader_args"],
            text: "Arguments of the bootloader."),
        FieldDeclaration(
            "PV_legacy_args", .string, .readWrite, since: "rio", setterRole: .vmAdmin, path: ["PV", "legacy_args"]),
        FieldDeclaration(
            "HVM_boot_policy", .string, .staticReadOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "kolkata"), path: ["HVM", "boot_policy"],
            text: "Not empty: the VM boots through firmware."),
        FieldDeclaration(
            "HVM_boot_params", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            path: ["HVM", "boot_params"],
            text: "How the firmware boots; `order` has letters for devices."),
        FieldDeclaration(
            "HVM_shadow_multiplier", .float, .staticReadOnly, .float(1), since: "miami",
            path: ["HVM", "shadow_multiplier"],
            text: "Room for shadow page tables; not used."),
        FieldDeclaration(
            "platform", .map(.string, .string), .staticReadOnly, since: "rio", mapKeyRoles: ["hvm_serial": .poolAdmin],
            text: "Properties of the virtual hardware."),
        FieldDeclaration(
            "PCI_bus", .string, .readWrite, since: "rio", state: .deprecated, history: History(deprecated: "boston"),
            setterRole: .vmAdmin),
        FieldDeclaration(
            "other_config", .map(.string, .string), .staticReadOnly, since: "rio",
            mapKeyRoles: [
                "pci": .poolAdmin, "hvm_serial": .poolAdmin, "folder": .vmOperator,
                "XenCenter.CustomFields.*": .vmOperator,
            ],
            text: "For notes."),
        FieldDeclaration(
            "domid", .int, .dynamicReadOnly, since: "rio",
            text: "The number of the running instance; -1 when it does not run."),
        FieldDeclaration(
            "domarch", .string, .dynamicReadOnly, since: "rio",
            text: "The architecture of the running instance."),
        FieldDeclaration("last_boot_CPU_flags", .map(.string, .string), .staticReadOnly, .emptyMap, since: "rio"),
        FieldDeclaration(
            "is_control_domain", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether it stands for a host's own system."),
        FieldDeclaration(
            "metrics", .ref("VM_metrics"), .dynamicReadOnly, since: "rio",
            text: "What is measured of the VM."),
        FieldDeclaration(
            "guest_metrics", .ref("VM_guest_metrics"), .dynamicReadOnly, since: "rio",
            text: "What the guest says of itself."),
        FieldDeclaration(
            "last_booted_record", .string, .staticReadOnly, .string(""), since: "miami",
            history: History(changed: ["1.257.0"])),
        FieldDeclaration(
            "recommendations", .string, .readWrite, since: "rio", setterRole: .vmAdmin,
            text: "What clients should keep to when they change it."),
        FieldDeclaration(
            "xenstore_data", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .vmAdmin,
            setterHasEffect: true,
            text: "Entries for the guest."),
        FieldDeclaration(
            "ha_always_run", .bool, .staticReadOnly, .bool(false), since: "orlando", state: .deprecated,
            history: History(deprecated: "boston")),
        FieldDeclaration(
            "ha_restart_priority", .string, .staticReadOnly, .string(""), since: "orlando",
            text: "Whether it is restarted when its host is lost."),
        FieldDeclaration(
            "is_a_snapshot", .bool, .dynamicReadOnly, .bool(false), since: "orlando",
            text: "Whether it is a snapshot."),
        FieldDeclaration(
            "snapshot_of", .ref("VM"), .dynamicReadOnly, .nullRef, since: "orlando",
            text: "The VM that it is a snapshot of."),
        FieldDeclaration(
            "snapshots", .set(.ref("VM")), .dynamicReadOnly, since: "orlando",
            text: "Its snapshots."),
        FieldDeclaration(
            "snapshot_time", .datetime, .dynamicReadOnly, .never, since: "orlando",
            text: "When the snapshot was made."),
        FieldDeclaration("transportable_snapshot_id", .string, .dynamicReadOnly, .string(""), since: "orlando"),
        FieldDeclaration(
            "blobs", .map(.string, .ref("blob")), .dynamicReadOnly, .emptyMap, since: "orlando",
            text: "Binary data kept with it."),
        FieldDeclaration(
            "tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator,
            text: "Words to find the VM by."),
        FieldDeclaration(
            "blocked_operations", .map(.enumeration("vm_operations"), .string), .staticReadOnly, .emptyMap,
            since: "orlando",
            text: "Operations that are refused, with the code of the error."),
        FieldDeclaration("snapshot_info", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride"),
        FieldDeclaration("snapshot_metadata", .string, .dynamicReadOnly, .string(""), since: "midnight-ride"),
        FieldDeclaration(
            "parent", .ref("VM"), .dynamicReadOnly, .nullRef, since: "midnight-ride",
            text: "The snapshot that it goes back to."),
        FieldDeclaration(
            "children", .set(.ref("VM")), .dynamicReadOnly, since: "midnight-ride",
            text: "The VMs and snapshots that go back to this one."),
        FieldDeclaration(
            "bios_strings", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride",
            text: "Names that the firmware shows."),
        FieldDeclaration(
            "protection_policy", .ref("VMPP"), .staticReadOnly, .nullRef, since: "cowley", state: .deprecated,
            history: History(deprecated: "clearwater")),
        FieldDeclaration(
            "is_snapshot_from_vmpp", .bool, .staticReadOnly, .bool(false), since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        FieldDeclaration("snapshot_schedule", .ref("VMSS"), .staticReadOnly, .nullRef, since: "falcon"),
        FieldDeclaration("is_vmss_snapshot", .bool, .staticReadOnly, .bool(false), since: "falcon"),
        FieldDeclaration("appliance", .ref("VM_appliance"), .staticReadOnly, .nullRef, since: "rio"),
        FieldDeclaration(
            "start_delay", .int, .staticReadOnly, .int(0), since: "boston",
            text: "Seconds to wait after it was started, in an appliance."),
        FieldDeclaration(
            "shutdown_delay", .int, .staticReadOnly, .int(0), since: "boston",
            text: "Seconds to wait before it is shut down, in an appliance."),
        FieldDeclaration(
            "order", .int, .staticReadOnly, .int(0), since: "boston",
            text: "Its place in the order of an appliance."),
        FieldDeclaration("VGPUs", .set(.ref("VGPU")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("attached_PCIs", .set(.ref("PCI")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("suspend_SR", .ref("SR"), .readWrite, .nullRef, since: "boston", setterRole: .vmAdmin),
        FieldDeclaration("version", .int, .staticReadOnly, .int(0), since: "boston"),
        FieldDeclaration("generation_id", .string, .staticReadOnly, .string("0:0"), since: "clearwater"),
        FieldDeclaration(
            "hardware_platform_version", .int, .readWrite, .int(0), since: "cream", setterRole: .vmAdmin,
            text: "The version of the virtual hardware that it needs."),
        FieldDeclaration(
            "has_vendor_device", .bool, .staticReadOnly, .bool(true), since: "dundee",
            history: History(changed: ["24.14.0"])),
        FieldDeclaration("requires_reboot", .bool, .dynamicReadOnly, .bool(false), since: "ely"),
        FieldDeclaration("reference_label", .string, .staticReadOnly, .string(""), since: "ely"),
        FieldDeclaration(
            "domain_type", .enumeration("domain_type"), .staticReadOnly, .string("unspecified"), since: "kolkata",
            history: History(prototyped: "jura"),
            text: "Which kind of virtualization it uses."),
        FieldDeclaration("NVRAM", .map(.string, .string), .staticReadOnly, .emptyMap, since: "naples"),
        FieldDeclaration(
            "pending_guidances", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet, since: "1.303.0"),
        FieldDeclaration(
            "recommended_guidances", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet,
            since: "23.18.0", state: .removed, history: History(removed: "23.24.0"), isInternal: true),
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
