extension ClassDeclaration {
    static let vmMessages2: [MessageDeclaration] = [
        MessageDeclaration(
            "set_memory_dynamic_range",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("min", .int, since: "midnight-ride"),
                ParameterDeclaration("max", .int, since: "midnight-ride"),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "midnight-ride",
            text: "Sets the memory that it is given, from and to."),
        MessageDeclaration(
            "set_memory_static_max",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("value", .int, since: "orlando"),
            ],
            role: .vmPowerAdmin, errors: ["HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"], since: "orlando",
            text: "Sets the upper end of the static range of the halted VM, bytes: what its guest is started with."),
        MessageDeclaration(
            "set_memory_static_min",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("value", .int, since: "midnight-ride"),
            ],
            role: .vmPowerAdmin, since: "midnight-ride",
            text: "Sets the lower end of the static range of the halted VM, bytes; the four limits stay in order."),
        MessageDeclaration(
            "set_memory_static_range",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("min", .int, since: "midnight-ride"),
                ParameterDeclaration("max", .int, since: "midnight-ride"),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "midnight-ride",
            text: "Sets the memory that it can have, from and to."),
        MessageDeclaration(
            "set_memory_limits",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("static_min", .int, since: "midnight-ride"),
                ParameterDeclaration("static_max", .int, since: "midnight-ride"),
                ParameterDeclaration("dynamic_min", .int, since: "midnight-ride"),
                ParameterDeclaration("dynamic_max", .int, since: "midnight-ride"),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "midnight-ride",
            text: "Sets the four limits of memory together."),
        MessageDeclaration(
            "set_memory",
            [
                ParameterDeclaration("self", .ref("VM"), since: "ely"),
                ParameterDeclaration("value", .int, since: "ely"),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "ely",
            text: "Sets all limits to the same amount."),
        MessageDeclaration(
            "set_memory_target_live",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("target", .int),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "rio", state: .deprecated,
            history: History(deprecated: "midnight-ride")),
        MessageDeclaration(
            "wait_memory_target_live",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando")
            ],
            role: .readOnly, isAsync: true, since: "orlando", state: .deprecated,
            history: History(deprecated: "midnight-ride")),
        MessageDeclaration(
            "get_cooperative",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride")
            ],
            result: .bool, role: .readOnly, isAsync: true, since: "midnight-ride", state: .deprecated,
            history: History(deprecated: "tampa"),
            text: "Whether the guest gives memory back when it is asked to. Nobody asks any more: always true."),
        MessageDeclaration(
            "set_HVM_shadow_multiplier",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("value", .float, since: "midnight-ride"),
            ],
            role: .vmPowerAdmin, since: "midnight-ride"),
        MessageDeclaration(
            "set_shadow_multiplier_live",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("multiplier", .float),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "rio"),
        MessageDeclaration(
            "set_VCPUs_max",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("value", .int, since: "midnight-ride"),
            ],
            role: .vmAdmin, since: "midnight-ride",
            text: "Sets the largest number of processors of the halted VM."),
        MessageDeclaration(
            "set_VCPUs_at_startup",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("value", .int, since: "midnight-ride"),
            ],
            role: .vmAdmin, since: "midnight-ride",
            text: "Sets the number of processors that the halted VM will start with: at least one, at most VCPUs_max."),
        MessageDeclaration(
            "send_sysrq",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("key", .string),
            ],
            role: .poolAdmin, isAsync: true, errors: ["VM_BAD_POWER_STATE"], since: "rio"),
        MessageDeclaration(
            "send_trigger",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("trigger", .string),
            ],
            role: .poolAdmin, isAsync: true, errors: ["VM_BAD_POWER_STATE"], since: "rio"),
        MessageDeclaration(
            "maximise_memory",
            [
                ParameterDeclaration("self", .ref("VM"), since: "miami"),
                ParameterDeclaration("total", .int, since: "miami"),
                ParameterDeclaration("approximate", .bool, since: "miami"),
            ],
            result: .int, role: .readOnly, isAsync: true, since: "miami",
            text: "The most memory a guest can have, bytes, so that together with its overhead it fits "
                + "into the total."),
        MessageDeclaration(
            "migrate_send",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "tampa"),
                ParameterDeclaration("dest", .map(.string, .string), since: "tampa"),
                ParameterDeclaration("live", .bool, since: "tampa"),
                ParameterDeclaration("vdi_map", .map(.ref("VDI"), .ref("SR")), since: "tampa"),
                ParameterDeclaration("vif_map", .map(.ref("VIF"), .ref("network")), since: "tampa"),
                ParameterDeclaration("options", .map(.string, .string), since: "tampa"),
                ParameterDeclaration("vgpu_map", .map(.ref("VGPU"), .ref("GPU_group")), .emptyMap, since: "inverness"),
                ParameterDeclaration("vdi_format_map", .map(.ref("VDI"), .string), .emptyMap, since: "26.14.0-next"),
            ],
            result: .ref("VM"), role: .vmPowerAdmin, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "LICENCE_RESTRICTION"], since: "tampa",
            text:
                "Moves the VM's disks to the repositories and formats of the maps, also while it runs; to another pool "
                + "with its memory. Options: force, copy and compress (the memory, on its way; where it is not given as "
                + "pool.migration_compression says), each true or false, and those of VDI.pool_migrate."),
        // Ours: no other server has it.
        MessageDeclaration(
            "plan_migrate_send",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "26.17.0"),
                ParameterDeclaration("dest", .map(.string, .string), since: "26.17.0"),
                ParameterDeclaration("live", .bool, since: "26.17.0"),
                ParameterDeclaration("vdi_map", .map(.ref("VDI"), .ref("SR")), since: "26.17.0"),
                ParameterDeclaration("vif_map", .map(.ref("VIF"), .ref("network")), since: "26.17.0"),
                ParameterDeclaration("options", .map(.string, .string), since: "26.17.0"),
                ParameterDeclaration("vgpu_map", .map(.ref("VGPU"), .ref("GPU_group")), .emptyMap, since: "26.17.0"),
                ParameterDeclaration("vdi_format_map", .map(.ref("VDI"), .string), .emptyMap, since: "26.17.0"),
            ],
            result: .string, role: .vmPowerAdmin, isAsync: true, since: "26.17.0", state: .prototyped,
            text: "What VM.migrate_send with the same arguments would do, as a JSON object; nothing is changed."),
        // Ours, too: for when another pool cannot be asked.
        MessageDeclaration(
            "get_peer_moves", [], result: .string, role: .readOnly, since: "26.17.0", state: .prototyped,
            text: "The moves of VMs to and from other pools that are not over, as a JSON array."),
        MessageDeclaration(
            "settle_peer_move",
            [
                ParameterDeclaration("move", .string, since: "26.17.0"),
                ParameterDeclaration("decision", .string, since: "26.17.0"),
            ],
            role: .poolAdmin, isAsync: true, since: "26.17.0", state: .prototyped,
            text:
                "Decides a move whose other side cannot be asked: `here` (the VM is this pool's), `there` (it is the other's) "
                + "or `forget` (nothing more is told to the other side; the disks of a VM that was still coming stay as they are)."
        ),
        MessageDeclaration(
            "assert_can_migrate",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "tampa"),
                ParameterDeclaration("dest", .map(.string, .string), since: "tampa"),
                ParameterDeclaration("live", .bool, since: "tampa"),
                ParameterDeclaration("vdi_map", .map(.ref("VDI"), .ref("SR")), since: "tampa"),
                ParameterDeclaration("vif_map", .map(.ref("VIF"), .ref("network")), since: "tampa"),
                ParameterDeclaration("options", .map(.string, .string), since: "tampa"),
                ParameterDeclaration("vgpu_map", .map(.ref("VGPU"), .ref("GPU_group")), .emptyMap, since: "inverness"),
                ParameterDeclaration("vdi_format_map", .map(.ref("VDI"), .string), .emptyMap, since: "26.17.0"),
            ],
            role: .vmPowerAdmin, isAsync: true, errors: ["LICENCE_RESTRICTION"], since: "tampa",
            text: "Checks whether VM.migrate_send with the same arguments could begin, and changes nothing."),
        MessageDeclaration(
            "assert_can_migrate_sender",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "inverness"),
                ParameterDeclaration("dest", .map(.string, .string), since: "inverness"),
                ParameterDeclaration("live", .bool, since: "inverness"),
                ParameterDeclaration("vdi_map", .map(.ref("VDI"), .ref("SR")), since: "inverness"),
                ParameterDeclaration("vif_map", .map(.ref("VIF"), .ref("network")), since: "inverness"),
                ParameterDeclaration("vgpu_map", .map(.ref("VGPU"), .ref("GPU_group")), since: "inverness"),
                ParameterDeclaration("options", .map(.string, .string), since: "inverness"),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "inverness", isHidden: true,
            text: "The part of VM.assert_can_migrate that the VM's own host checks."),
        MessageDeclaration(
            "get_boot_record",
            [
                ParameterDeclaration("self", .ref("VM"))
            ],
            result: .record("VM"), role: .readOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "inverness"),
            text: "The record as the guest was started with it."),
        MessageDeclaration(
            "get_data_sources",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando")
            ],
            result: .set(.record("data_source")), role: .readOnly, since: "orlando",
            text: "What is measured of the VM."),
        MessageDeclaration(
            "record_data_source",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("data_source", .string, since: "orlando"),
            ],
            role: .vmAdmin, since: "orlando",
            text: "Begins to record a data source."),
        MessageDeclaration(
            "query_data_source",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("data_source", .string, since: "orlando"),
            ],
            result: .float, role: .readOnly, since: "orlando",
            text: "The latest value of a data source."),
        MessageDeclaration(
            "forget_data_source_archives",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("data_source", .string, since: "orlando"),
            ],
            role: .vmAdmin, since: "orlando",
            text: "Drops what was recorded of a data source."),
        MessageDeclaration(
            "assert_operation_valid",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("op", .enumeration("vm_operations")),
            ],
            role: .readOnly, isAsync: true, since: "rio",
            text: "Throws what keeps the operation from beginning now."),
        MessageDeclaration(
            "update_allowed_operations",
            [
                ParameterDeclaration("self", .ref("VM"))
            ],
            role: .poolAdmin, isAsync: true, since: "rio",
            text: "Computes allowed_operations anew."),
        MessageDeclaration(
            "get_allowed_VBD_devices",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            result: .set(.string), role: .readOnly, since: "rio",
            text: "The positions where a disk can be attached."),
        MessageDeclaration(
            "get_allowed_VIF_devices",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            result: .set(.string), role: .readOnly, since: "rio",
            text: "The device numbers that no network interface of the VM has."),
        MessageDeclaration(
            "get_possible_hosts",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            result: .set(.ref("host")), role: .readOnly, isAsync: true, since: "rio",
            text: "The hosts on which the VM could start now."),
        MessageDeclaration(
            "assert_can_boot_here",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("host", .ref("host")),
            ],
            role: .readOnly, isAsync: true,
            errors: [
                "HOST_NOT_ENOUGH_FREE_MEMORY", "HOST_NOT_ENOUGH_PCPUS", "NETWORK_SRIOV_INSUFFICIENT_CAPACITY",
                "HOST_NOT_LIVE", "HOST_DISABLED", "HOST_CANNOT_ATTACH_NETWORK", "VM_HVM_REQUIRED", "VM_REQUIRES_GPU",
                "VM_REQUIRES_IOMMU", "VM_REQUIRES_NETWORK", "VM_REQUIRES_SR", "VM_REQUIRES_VGPU",
                "VM_HOST_INCOMPATIBLE_VERSION", "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION",
                "INVALID_VALUE", "MEMORY_CONSTRAINT_VIOLATION", "OPERATION_NOT_ALLOWED", "VALUE_NOT_SUPPORTED",
                "VM_INCOMPATIBLE_WITH_THIS_HOST",
            ],
            since: "rio", history: History(changed: ["quebec"]),
            text: "Throws what keeps the VM from starting on the host now: a disabled host, an SR that is "
                + "not attached, memory, or its own configuration."),
        MessageDeclaration(
            "atomic_set_resident_on",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("host", .ref("host")),
            ],
            role: .localRootOnly, isAsync: true, since: "rio", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "create_new_blob",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "orlando"),
                ParameterDeclaration("name", .string, since: "orlando"),
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .vmPowerAdmin, isAsync: true, since: "orlando",
            text: "Makes an empty blob of the VM, whose content is put and read at /blob."),
        MessageDeclaration(
            "s3_suspend",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "midnight-ride")
            ],
            role: .vmOperator, isAsync: true, since: "midnight-ride", isHidden: true),
        MessageDeclaration(
            "s3_resume",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "midnight-ride")
            ],
            role: .vmOperator, isAsync: true, since: "midnight-ride", isHidden: true),
        MessageDeclaration(
            "assert_agile",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando")
            ],
            role: .readOnly, isAsync: true, since: "orlando",
            text: "Throws the SR that keeps the VM from running on every host of the pool."),
        MessageDeclaration(
            "update_snapshot_metadata",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "george"),
                ParameterDeclaration("snapshot_of", .ref("VM"), since: "george"),
                ParameterDeclaration("snapshot_time", .datetime, since: "george"),
                ParameterDeclaration("transportable_snapshot_id", .string, since: "george"),
            ],
            role: .poolOperator, isAsync: true, since: "george", state: .deprecated,
            history: History(deprecated: "midnight-ride"), isHidden: true),
        MessageDeclaration(
            "retrieve_wlb_recommendations",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "george")
            ],
            result: .map(.ref("host"), .set(.string)), role: .readOnly, isAsync: true, since: "george"),
    ]
}
