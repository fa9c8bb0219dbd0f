extension ClassDeclaration {
    static let vmMessages1: [MessageDeclaration] = [
        MessageDeclaration(
            "snapshot",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "orlando"),
                ParameterDeclaration("new_name", .string, since: "orlando"),
                ParameterDeclaration("ignore_vdis", .set(.ref("VDI")), .emptySet, since: "21.4.0"),
            ],
            result: .ref("VM"), role: .vmPowerAdmin, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED"], since: "orlando",
            text: "Keeps the VM and its disks, all of one moment, as a snapshot; also while it runs."),
        MessageDeclaration(
            "snapshot_with_quiesce",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "orlando"),
                ParameterDeclaration("new_name", .string, since: "orlando"),
            ],
            result: .ref("VM"), role: .vmPowerAdmin, isAsync: true,
            errors: [
                "VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "VM_SNAPSHOT_WITH_QUIESCE_FAILED",
                "VM_SNAPSHOT_WITH_QUIESCE_TIMEOUT", "VM_SNAPSHOT_WITH_QUIESCE_PLUGIN_DEOS_NOT_RESPOND",
                "VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED",
            ],
            since: "orlando", state: .removed, history: History(deprecated: "quebec", removed: "quebec")),
        MessageDeclaration(
            "clone",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("new_name", .string),
            ],
            result: .ref("VM"), role: .vmAdmin, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"], since: "rio",
            text: "Makes a VM whose disks share the data of this one's."),
        MessageDeclaration(
            "copy",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("new_name", .string),
                ParameterDeclaration("sr", .ref("SR")),
            ],
            result: .ref("VM"), role: .vmAdmin, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"], since: "rio",
            history: History(changed: ["cowley"]),
            text: "Makes a VM with whole copies of the disks, in one SR or where they are."),
        MessageDeclaration(
            "revert",
            [
                ParameterDeclaration("snapshot", .ref("VM"), since: "midnight-ride")
            ],
            role: .vmPowerAdmin, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "SR_FULL", "VM_REVERT_FAILED"],
            since: "midnight-ride",
            text: "Makes the VM that the snapshot is of what it was then; a running one is ended first."),
        MessageDeclaration(
            "checkpoint",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("new_name", .string, since: "midnight-ride"),
            ],
            result: .ref("VM"), role: .vmPowerAdmin, isAsync: true,
            errors: [
                "VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "VM_CHECKPOINT_SUSPEND_FAILED",
                "VM_CHECKPOINT_RESUME_FAILED",
            ],
            since: "midnight-ride",
            text: "Keeps the VM, its disks and its memory, all of one moment, as a snapshot; it runs on."),
        MessageDeclaration(
            "provision",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmAdmin, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"], since: "rio"),
        MessageDeclaration(
            "start",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("start_paused", .bool),
                ParameterDeclaration("force", .bool),
            ],
            role: .vmOperator, isAsync: true,
            errors: [
                "VM_BAD_POWER_STATE", "VM_HVM_REQUIRED", "VM_IS_TEMPLATE", "OTHER_OPERATION_IN_PROGRESS",
                "OPERATION_NOT_ALLOWED", "BOOTLOADER_FAILED", "UNKNOWN_BOOTLOADER", "NO_HOSTS_AVAILABLE",
                "LICENCE_RESTRICTION",
            ],
            since: "rio",
            text: "Starts the VM."),
        MessageDeclaration(
            "start_on",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("start_paused", .bool),
                ParameterDeclaration("force", .bool),
            ],
            role: .vmPowerAdminOrClientCertificate, isAsync: true,
            errors: [
                "VM_BAD_POWER_STATE", "VM_IS_TEMPLATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED",
                "BOOTLOADER_FAILED", "UNKNOWN_BOOTLOADER",
            ],
            since: "rio",
            text: "Starts the VM on a host."),
        MessageDeclaration(
            "pause",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmOperator, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Stops the virtual processors."),
        MessageDeclaration(
            "unpause",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmOperator, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Lets them go on."),
        MessageDeclaration(
            "clean_shutdown",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmOperator, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Asks the guest to shut down and waits until it has."),
        MessageDeclaration(
            "shutdown",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "clearwater")
            ],
            role: .vmOperatorOrClientCertificate, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "clearwater",
            text: "Asks the guest to shut down, and cuts it off when it does not."),
        MessageDeclaration(
            "clean_reboot",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmOperator, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Asks the guest to reboot."),
        MessageDeclaration(
            "hard_shutdown",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmOperator, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Cuts the VM off."),
        MessageDeclaration(
            "power_state_reset",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .poolOperator, isAsync: true, since: "rio",
            text: "Makes the database say that the VM is halted."),
        MessageDeclaration(
            "hard_reboot",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmOperator, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Resets the VM."),
        MessageDeclaration(
            "suspend",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            role: .vmOperatorOrClientCertificate, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Writes the VM's memory to a disk of its suspend SR and ends the VM until it is resumed."),
        MessageDeclaration(
            "csvm",
            [
                ParameterDeclaration("vm", .ref("VM"))
            ],
            result: .ref("VM"), role: .vmAdmin, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"], since: "rio",
            state: .deprecated, history: History(deprecated: "miami"), isHidden: true),
        MessageDeclaration(
            "resume",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("start_paused", .bool),
                ParameterDeclaration("force", .bool),
            ],
            role: .vmOperator, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"],
            since: "rio",
            text: "Lets a suspended VM go on where it was."),
        MessageDeclaration(
            "set_is_default_template",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "falcon"),
                ParameterDeclaration("value", .bool, since: "falcon"),
            ],
            role: .poolAdmin, isAsync: true, since: "falcon", isHidden: true,
            text: "Says whether the template came with the product: such a one cannot be destroyed."),
        MessageDeclaration(
            "hard_reboot_internal",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", state: .deprecated,
            history: History(deprecated: "midnight-ride"), isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "resume_on",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("start_paused", .bool),
                ParameterDeclaration("force", .bool),
            ],
            role: .vmPowerAdminOrClientCertificate, isAsync: true,
            errors: ["VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"], since: "rio",
            text: "Lets a suspended VM go on where it was, on a host."),
        MessageDeclaration(
            "pool_migrate",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("options", .map(.string, .string)),
            ],
            role: .vmPowerAdminOrClientCertificate, isAsync: true,
            errors: [
                "VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "VM_IS_TEMPLATE", "OPERATION_NOT_ALLOWED",
                "VM_BAD_POWER_STATE",
            ],
            since: "rio"),
        MessageDeclaration(
            "pool_migrate_complete",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "tampa"),
                ParameterDeclaration("host", .ref("host"), since: "tampa"),
            ],
            role: .vmPowerAdminOrClientCertificate, isAsync: true, since: "tampa", isHidden: true,
            text: "Ends the move of a VM by another toolstack: refused until all its disks are here as a whole."),
        MessageDeclaration(
            "set_VCPUs_number_live",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("nvcpu", .int),
            ],
            role: .vmAdmin, isAsync: true, errors: ["OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"], since: "rio",
            history: History(changed: ["ely"])),
        MessageDeclaration(
            "add_to_VCPUs_params_live",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("key", .string),
                ParameterDeclaration("value", .string),
            ],
            role: .vmAdmin, isAsync: true, since: "rio"),
        MessageDeclaration(
            "set_NVRAM",
            [
                ParameterDeclaration("self", .ref("VM"), since: "naples"),
                ParameterDeclaration("value", .map(.string, .string), since: "naples"),
            ],
            role: .vmAdmin, since: "naples"),
        MessageDeclaration(
            "add_to_NVRAM",
            [
                ParameterDeclaration("self", .ref("VM"), since: "naples"),
                ParameterDeclaration("key", .string, since: "naples"),
                ParameterDeclaration("value", .string, since: "naples"),
            ],
            role: .vmAdmin, since: "naples"),
        MessageDeclaration(
            "remove_from_NVRAM",
            [
                ParameterDeclaration("self", .ref("VM"), since: "naples"),
                ParameterDeclaration("key", .string, since: "naples"),
            ],
            role: .vmAdmin, since: "naples"),
        MessageDeclaration(
            "set_ha_restart_priority",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("value", .string, since: "orlando"),
            ],
            role: .poolOperator, since: "orlando",
            text: "Sets what becomes of the VM when its host is lost: restart, best-effort or nothing."),
        MessageDeclaration(
            "set_ha_always_run",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("value", .bool, since: "orlando"),
            ],
            role: .poolOperator, since: "orlando", state: .deprecated, history: History(deprecated: "boston"),
            text: "Sets the restart priority to restart, or to none."),
        MessageDeclaration(
            "compute_memory_overhead",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "midnight-ride")
            ],
            result: .int, role: .readOnly, isAsync: true, since: "midnight-ride",
            text: "An estimate of the memory that the VM takes beside its guest's, bytes."),
        MessageDeclaration(
            "set_memory_dynamic_max",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("value", .int, since: "midnight-ride"),
            ],
            role: .vmPowerAdmin, since: "midnight-ride",
            text: "Sets the upper end of the dynamic range of the halted VM, bytes; the four limits stay in order."),
        MessageDeclaration(
            "set_memory_dynamic_min",
            [
                ParameterDeclaration("self", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("value", .int, since: "midnight-ride"),
            ],
            role: .vmPowerAdmin, since: "midnight-ride",
            text: "Sets the lower end of the dynamic range of the halted VM, bytes; the four limits stay in order."),
    ]
}
