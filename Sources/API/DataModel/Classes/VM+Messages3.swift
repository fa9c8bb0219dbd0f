extension ClassDeclaration {
    static let vmMessages3: [MessageDeclaration] = [
        MessageDeclaration(
            "set_bios_strings",
            [
                ParameterDeclaration("self", .ref("VM"), since: "inverness"),
                ParameterDeclaration("value", .map(.string, .string), since: "inverness"),
            ],
            role: .vmAdmin, isAsync: true, errors: ["VM_BIOS_STRINGS_ALREADY_SET", "INVALID_VALUE"], since: "inverness",
            text: "Sets, once, what the firmware says of the machine from its next start on."),
        MessageDeclaration(
            "copy_bios_strings",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "midnight-ride"),
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
            ],
            role: .vmAdmin, isAsync: true, since: "midnight-ride",
            text: "Sets, once, what the firmware says of the machine to what the host's own says, where "
                + "that can be told to a guest."),
        MessageDeclaration(
            "set_protection_policy",
            [
                ParameterDeclaration("self", .ref("VM"), since: "cowley"),
                ParameterDeclaration("value", .ref("VMPP"), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "set_snapshot_schedule",
            [
                ParameterDeclaration("self", .ref("VM"), since: "falcon"),
                ParameterDeclaration("value", .ref("VMSS"), since: "falcon"),
            ],
            role: .poolOperator, since: "falcon"),
        MessageDeclaration(
            "set_start_delay",
            [
                ParameterDeclaration("self", .ref("VM"), since: "boston"),
                ParameterDeclaration("value", .int, since: "boston"),
            ],
            role: .poolOperator, isAsync: true, since: "boston",
            text: "Sets how long to wait after its start before the next VM starts, seconds."),
        MessageDeclaration(
            "set_shutdown_delay",
            [
                ParameterDeclaration("self", .ref("VM"), since: "boston"),
                ParameterDeclaration("value", .int, since: "boston"),
            ],
            role: .poolOperator, isAsync: true, since: "boston",
            text: "Sets how long VM.shutdown waits for the guest, seconds; 0: as long as the host does."),
        MessageDeclaration(
            "set_order",
            [
                ParameterDeclaration("self", .ref("VM"), since: "boston"),
                ParameterDeclaration("value", .int, since: "boston"),
            ],
            role: .poolOperator, isAsync: true, since: "boston",
            text: "Sets the place of the VM among those that start together."),
        MessageDeclaration(
            "set_suspend_VDI",
            [
                ParameterDeclaration("self", .ref("VM"), since: "boston"),
                ParameterDeclaration("value", .ref("VDI"), since: "boston"),
            ],
            role: .poolOperator, isAsync: true, since: "boston",
            text: "Puts a disk with the same content in the place of the one that holds a suspended VM's memory."),
        MessageDeclaration(
            "assert_can_be_recovered",
            [
                ParameterDeclaration("self", .ref("VM"), since: "boston"),
                ParameterDeclaration("session_to", .ref("session"), since: "boston"),
            ],
            role: .readOnly, isAsync: true, errors: ["VM_IS_PART_OF_AN_APPLIANCE", "VM_REQUIRES_SR"], since: "boston"),
        MessageDeclaration(
            "get_SRs_required_for_recovery",
            [
                ParameterDeclaration("self", .ref("VM"), since: "creedence"),
                ParameterDeclaration("session_to", .ref("session"), since: "creedence"),
            ],
            result: .set(.ref("SR")), role: .readOnly, isAsync: true, since: "creedence"),
        MessageDeclaration(
            "recover",
            [
                ParameterDeclaration("self", .ref("VM"), since: "boston"),
                ParameterDeclaration("session_to", .ref("session"), since: "boston"),
                ParameterDeclaration("force", .bool, since: "boston"),
            ],
            role: .readOnly, isAsync: true, since: "boston"),
        MessageDeclaration(
            "import_convert",
            [
                ParameterDeclaration("type", .string, since: "tampa"),
                ParameterDeclaration("username", .string, since: "tampa"),
                ParameterDeclaration("password", .string, since: "tampa"),
                ParameterDeclaration("sr", .ref("SR"), since: "tampa"),
                ParameterDeclaration("remote_config", .map(.string, .string), since: "tampa"),
            ],
            role: .vmAdmin, isAsync: true, since: "tampa"),
        MessageDeclaration(
            "set_appliance",
            [
                ParameterDeclaration("self", .ref("VM"), since: "boston"),
                ParameterDeclaration("value", .ref("VM_appliance"), since: "boston"),
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "set_groups",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("value", .set(.ref("VM_group"))),
            ],
            role: .vmAdmin, isAsync: true, errors: ["OPERATION_NOT_ALLOWED"], since: "24.19.1", state: .prototyped),
        MessageDeclaration(
            "query_services",
            [
                ParameterDeclaration("self", .ref("VM"), since: "tampa")
            ],
            result: .map(.string, .string), role: .poolAdmin, isAsync: true, since: "tampa"),
        MessageDeclaration(
            "call_plugin",
            [
                ParameterDeclaration("vm", .ref("VM"), since: "cream"),
                ParameterDeclaration("plugin", .string, since: "cream"),
                ParameterDeclaration("fn", .string, since: "cream"),
                ParameterDeclaration("args", .map(.string, .string), since: "cream"),
            ],
            result: .string, role: .vmOperator, isAsync: true, since: "cream"),
        MessageDeclaration(
            "call_host_plugin",
            [
                ParameterDeclaration("vm", .ref("VM")),
                ParameterDeclaration("plugin", .string),
                ParameterDeclaration("fn", .string),
                ParameterDeclaration("args", .map(.string, .string)),
            ],
            result: .string, role: .vmOperator, isAsync: true, since: "25.22.0", state: .prototyped),
        MessageDeclaration(
            "set_has_vendor_device",
            [
                ParameterDeclaration("self", .ref("VM"), since: "dundee"),
                ParameterDeclaration("value", .bool, since: "dundee"),
            ],
            role: .vmAdmin, isAsync: true, since: "dundee"),
        MessageDeclaration(
            "import",
            [
                ParameterDeclaration("url", .string, since: "dundee"),
                ParameterDeclaration("sr", .ref("SR"), since: "dundee"),
                ParameterDeclaration("full_restore", .bool, since: "dundee"),
                ParameterDeclaration("force", .bool, since: "dundee"),
            ],
            result: .set(.ref("VM")), role: .poolOperator, isAsync: true, since: "dundee"),
        MessageDeclaration(
            "set_actions_after_crash",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("value", .enumeration("on_crash_behaviour")),
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Sets what becomes of the VM when its guest crashes."),
        MessageDeclaration(
            "set_domain_type",
            [
                ParameterDeclaration("self", .ref("VM"), since: "kolkata"),
                ParameterDeclaration("value", .enumeration("domain_type"), since: "kolkata"),
            ],
            role: .vmAdmin, since: "kolkata"),
        MessageDeclaration(
            "set_HVM_boot_policy",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("value", .string),
            ],
            role: .vmAdmin, since: "rio", state: .deprecated, history: History(deprecated: "kolkata"),
            text: "Sets what the firmware boots from."),
        MessageDeclaration(
            "set_NVRAM_EFI_variables",
            [
                ParameterDeclaration("self", .ref("VM"), since: "naples"),
                ParameterDeclaration("value", .string, since: "naples"),
                ParameterDeclaration("update", .enumeration("update_status"), .string("unspecified"), since: "26.12.0"),
            ],
            role: .localRootOnly, since: "naples", isHidden: true),
        MessageDeclaration(
            "restart_device_models",
            [
                ParameterDeclaration("self", .ref("VM"))
            ],
            role: .vmPowerAdminOrClientCertificate, isAsync: true,
            errors: [
                "VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "VM_IS_TEMPLATE", "OPERATION_NOT_ALLOWED",
                "VM_BAD_POWER_STATE",
            ],
            since: "23.30.0", state: .prototyped),
        MessageDeclaration(
            "set_uefi_mode",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("mode", .enumeration("vm_uefi_mode")),
            ],
            result: .string, role: .poolAdmin, isAsync: true, since: "24.17.0", state: .prototyped),
        MessageDeclaration(
            "get_secureboot_readiness",
            [
                ParameterDeclaration("self", .ref("VM"))
            ],
            result: .enumeration("vm_secureboot_readiness"), role: .poolAdmin, isAsync: true, since: "24.17.0",
            state: .prototyped),
        MessageDeclaration(
            "update_secureboot_certificates_on_boot",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("mark", .bool),
            ],
            role: .vmAdmin, isAsync: true, since: "26.14.0", state: .prototyped),
        MessageDeclaration(
            "set_blocked_operations",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("value", .map(.enumeration("vm_operations"), .string), since: "orlando"),
            ],
            role: .vmAdmin, isAsync: true, since: "orlando",
            text: "Sets the operations that are refused, each with the error's text."),
        MessageDeclaration(
            "add_to_blocked_operations",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("key", .enumeration("vm_operations"), since: "orlando"),
                ParameterDeclaration("value", .string, since: "orlando"),
            ],
            role: .vmAdmin, isAsync: true, since: "orlando",
            text: "Refuses an operation from now on, with the given text."),
        MessageDeclaration(
            "remove_from_blocked_operations",
            [
                ParameterDeclaration("self", .ref("VM"), since: "orlando"),
                ParameterDeclaration("key", .enumeration("vm_operations"), since: "orlando"),
            ],
            role: .vmAdmin, isAsync: true, since: "orlando",
            text: "Lets an operation be done again."),
        MessageDeclaration(
            "sysprep",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("unattend", .string, isSecret: true),
                ParameterDeclaration("timeout", .float),
            ],
            role: .vmAdmin, isAsync: true, since: "25.24.0", state: .prototyped),
        MessageDeclaration(
            "add_to_other_config",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("key", .string),
                ParameterDeclaration("value", .string),
            ],
            role: .vmAdmin, since: "rio",
            mapKeyRoles: [
                "hvm_serial": .poolAdmin, "pci": .poolAdmin, "folder": .vmOperator,
                "XenCenter.CustomFields.*": .vmOperator,
            ],
            text: "Adds an entry to what clients keep with the VM."),
        MessageDeclaration(
            "remove_from_other_config",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("key", .string),
            ],
            role: .vmAdmin, since: "rio",
            mapKeyRoles: [
                "hvm_serial": .poolAdmin, "pci": .poolAdmin, "folder": .vmOperator,
                "XenCenter.CustomFields.*": .vmOperator,
            ],
            text: "Takes an entry out of what clients keep with the VM."),
        MessageDeclaration(
            "set_other_config",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("value", .map(.string, .string)),
            ],
            role: .vmAdmin, since: "rio",
            text: "Sets what clients keep with the VM; each guarded entry needs the role that the datamodel gives it."),
        MessageDeclaration(
            "add_to_platform",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("key", .string),
                ParameterDeclaration("value", .string),
            ],
            role: .vmAdmin, since: "rio", mapKeyRoles: ["hvm_serial": .poolAdmin],
            text: "Adds an entry to how the machine is built."),
        MessageDeclaration(
            "remove_from_platform",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("key", .string),
            ],
            role: .vmAdmin, since: "rio", mapKeyRoles: ["hvm_serial": .poolAdmin],
            text: "Takes an entry out of how the machine is built."),
        MessageDeclaration(
            "set_platform",
            [
                ParameterDeclaration("self", .ref("VM")),
                ParameterDeclaration("value", .map(.string, .string)),
            ],
            role: .vmAdmin, since: "rio",
            text: "Sets how the machine is built, from the next start on."),
    ]
}
