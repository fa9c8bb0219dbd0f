extension ClassDeclaration {
    static let host = ClassDeclaration(
        name: "host", since: "rio", defaultRole: .poolOperator,
        text: "A machine that runs VMs, here the one that the daemon runs on.",
        fields: hostFields,
        messages: hostMessages1 + hostMessages2 + hostMessages3)

    private static let hostFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the host."),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "label"],
            text: "The host's name."),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "description"],
            text: "What the administrator wrote about it."),
        FieldDeclaration(
            "memory_overhead", .int, .dynamicReadOnly, .int(0), since: "rio", path: ["memory", "overhead"],
            text: "Memory that the host needs for itself, bytes."),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("host_allowed_operations")), .dynamicReadOnly, .emptySet,
            since: "rio", isPersistent: false,
            text: "What may be asked of the host now."),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("host_allowed_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false,
            text: "What is being done with it, by task."),
        FieldDeclaration(
            "API_version_major", .int, .dynamicReadOnly, since: "rio", path: ["API_version", "major"],
            text: "First number of the API's version."),
        FieldDeclaration(
            "API_version_minor", .int, .dynamicReadOnly, since: "rio", path: ["API_version", "minor"],
            text: "Second number of the API's version."),
        FieldDeclaration(
            "API_version_vendor", .string, .dynamicReadOnly, since: "rio", path: ["API_version", "vendor"],
            text: "Who made this implementation of the API."),
        FieldDeclaration(
            "API_version_vendor_implementation", .map(.string, .string), .dynamicReadOnly, since: "rio",
            path: ["API_version", "vendor_implementation"],
            text: "More about the implementation."),
        FieldDeclaration(
            "enabled", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether VMs may be started here."),
        FieldDeclaration(
            "software_version", .map(.string, .string), .staticReadOnly, since: "rio",
            text: "Names and versions of the software, by name."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .poolOperator,
            mapKeyRoles: ["folder": .vmOperator, "XenCenter.CustomFields.*": .vmOperator],
            text: "For notes."),
        FieldDeclaration(
            "capabilities", .set(.string), .staticReadOnly, since: "rio",
            text: "What kinds of VMs the host can run."),
        FieldDeclaration(
            "cpu_configuration", .map(.string, .string), .dynamicReadOnly, since: "rio",
            text: "How processors are arranged."),
        FieldDeclaration(
            "sched_policy", .string, .dynamicReadOnly, since: "rio",
            text: "How processors are shared out."),
        FieldDeclaration(
            "supported_bootloaders", .set(.string), .dynamicReadOnly, since: "rio",
            text: "What can start a guest's kernel."),
        FieldDeclaration(
            "resident_VMs", .set(.ref("VM")), .dynamicReadOnly, since: "rio",
            text: "The VMs that run here."),
        FieldDeclaration(
            "logging", .map(.string, .string), .readWrite, since: "rio", setterRole: .poolOperator,
            text: "Where logs go."),
        FieldDeclaration(
            "PIFs", .set(.ref("PIF")), .dynamicReadOnly, since: "rio",
            text: "The host's network interfaces."),
        FieldDeclaration(
            "suspend_image_sr", .ref("SR"), .readWrite, since: "rio", setterRole: .poolOperator,
            text: "Where the memory of suspended VMs of this host goes."),
        FieldDeclaration(
            "crash_dump_sr", .ref("SR"), .readWrite, since: "rio", setterRole: .poolOperator,
            text: "Where crash dumps of this host go."),
        FieldDeclaration("crashdumps", .set(.ref("host_crashdump")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "patches", .set(.ref("host_patch")), .dynamicReadOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "ely")),
        FieldDeclaration("updates", .set(.ref("pool_update")), .dynamicReadOnly, since: "ely"),
        FieldDeclaration(
            "PBDs", .set(.ref("PBD")), .dynamicReadOnly, since: "rio",
            text: "The host's connections to storage repositories."),
        FieldDeclaration(
            "host_CPUs", .set(.ref("host_cpu")), .dynamicReadOnly, since: "rio",
            text: "The host's processors."),
        FieldDeclaration(
            "cpu_info", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride",
            text: "The processors, in short: number, model, speed, features."),
        FieldDeclaration(
            "hostname", .string, .readWrite, since: "rio", setterRole: .poolOperator,
            text: "The name on the network."),
        FieldDeclaration(
            "address", .string, .readWrite, since: "rio", setterRole: .poolOperator,
            text: "The address that others reach the host at."),
        FieldDeclaration(
            "metrics", .ref("host_metrics"), .dynamicReadOnly, since: "rio",
            text: "What is measured of the host."),
        FieldDeclaration(
            "license_params", .map(.string, .string), .dynamicReadOnly, since: "rio",
            text: "What the license says; there is none."),
        FieldDeclaration("boot_free_mem", .int, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration("ha_statefiles", .set(.string), .dynamicReadOnly, .emptySet, since: "orlando"),
        FieldDeclaration("ha_network_peers", .set(.string), .dynamicReadOnly, .emptySet, since: "orlando"),
        FieldDeclaration("blobs", .map(.string, .ref("blob")), .dynamicReadOnly, .emptyMap, since: "orlando"),
        FieldDeclaration(
            "tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator,
            text: "Words to find the host by."),
        FieldDeclaration("external_auth_type", .string, .dynamicReadOnly, .string(""), since: "george"),
        FieldDeclaration("external_auth_service_name", .string, .dynamicReadOnly, .string(""), since: "george"),
        FieldDeclaration(
            "external_auth_configuration", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "george"),
        FieldDeclaration(
            "edition", .string, .dynamicReadOnly, .string(""), since: "midnight-ride",
            text: "The edition of the software; there is one."),
        FieldDeclaration(
            "license_server", .map(.string, .string), .readWrite,
            .map(["address": .string("localhost"), "port": .string("27000")]), since: "midnight-ride",
            setterRole: .poolOperator),
        FieldDeclaration("bios_strings", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride"),
        FieldDeclaration(
            "power_on_mode", .string, .dynamicReadOnly, .string(""), since: "midnight-ride",
            text: "How the host can be switched on from afar."),
        FieldDeclaration(
            "power_on_config", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride"),
        FieldDeclaration(
            "local_cache_sr", .ref("SR"), .staticReadOnly, .nullRef, since: "cowley",
            text: "Where disks are cached."),
        FieldDeclaration("chipset_info", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "boston"),
        FieldDeclaration("PCIs", .set(.ref("PCI")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("PGPUs", .set(.ref("PGPU")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("PUSBs", .set(.ref("PUSB")), .dynamicReadOnly, since: "inverness"),
        FieldDeclaration(
            "ssl_legacy", .bool, .staticReadOnly, .bool(true), since: "dundee", state: .deprecated,
            history: History(deprecated: "stockholm")),
        FieldDeclaration(
            "guest_VCPUs_params", .map(.string, .string), .readWrite, .emptyMap, since: "tampa",
            setterRole: .poolOperator),
        FieldDeclaration(
            "display", .enumeration("host_display"), .readWrite, .string("enabled"), since: "cream",
            setterRole: .poolOperator),
        FieldDeclaration(
            "virtual_hardware_platform_versions", .set(.int), .dynamicReadOnly, .set([.int(0)]), since: "cream"),
        FieldDeclaration(
            "control_domain", .ref("VM"), .dynamicReadOnly, .nullRef, since: "ely",
            text: "The VM object that stands for the host's own system."),
        FieldDeclaration("updates_requiring_reboot", .set(.ref("pool_update")), .dynamicReadOnly, since: "ely"),
        FieldDeclaration("features", .set(.ref("Feature")), .dynamicReadOnly, since: "falcon"),
        FieldDeclaration(
            "iscsi_iqn", .string, .staticReadOnly, .string(""), since: "kolkata",
            text: "The name as an iSCSI initiator."),
        FieldDeclaration(
            "multipathing", .bool, .staticReadOnly, .bool(false), since: "kolkata",
            text: "Whether storage is reached over several paths."),
        FieldDeclaration(
            "uefi_certificates", .string, .staticReadOnly, .string(""), since: "quebec", state: .deprecated,
            history: History(deprecated: "22.16.0")),
        FieldDeclaration("certificates", .set(.ref("Certificate")), .dynamicReadOnly, since: "stockholm"),
        FieldDeclaration("editions", .set(.string), .dynamicReadOnly, .emptySet, since: "stockholm"),
        FieldDeclaration(
            "pending_guidances", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet, since: "1.303.0"),
        FieldDeclaration("tls_verification_enabled", .bool, .dynamicReadOnly, .bool(false), since: "1.313.0"),
        FieldDeclaration(
            "last_software_update", .datetime, .dynamicReadOnly, .never, since: "22.20.0", state: .prototyped),
        FieldDeclaration("https_only", .bool, .dynamicReadOnly, .bool(false), since: "22.27.0", state: .prototyped),
        FieldDeclaration(
            "recommended_guidances", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet,
            since: "23.18.0", state: .removed, history: History(removed: "23.24.0"), isInternal: true),
        FieldDeclaration(
            "latest_synced_updates_applied", .enumeration("latest_synced_updates_applied_state"), .dynamicReadOnly,
            .string("unknown"), since: "23.18.0", state: .prototyped),
        FieldDeclaration(
            "numa_affinity_policy", .enumeration("host_numa_affinity_policy"), .dynamicReadOnly,
            .string("default_policy"), since: "24.0.0", state: .prototyped),
        FieldDeclaration(
            "pending_guidances_recommended", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet,
            since: "24.10.0", state: .prototyped),
        FieldDeclaration(
            "pending_guidances_full", .set(.enumeration("update_guidances")), .dynamicReadOnly, .emptySet,
            since: "24.10.0", state: .prototyped),
        FieldDeclaration(
            "last_update_hash", .string, .dynamicReadOnly, .string(""), since: "24.10.0", state: .prototyped),
        FieldDeclaration("ssh_enabled", .bool, .dynamicReadOnly, .bool(true), since: "25.21.0", state: .prototyped),
        FieldDeclaration("ssh_enabled_timeout", .int, .dynamicReadOnly, .int(0), since: "25.21.0", state: .prototyped),
        FieldDeclaration("ssh_expiry", .datetime, .dynamicReadOnly, .never, since: "25.21.0", state: .prototyped),
        FieldDeclaration("console_idle_timeout", .int, .dynamicReadOnly, .int(0), since: "25.21.0", state: .prototyped),
        FieldDeclaration("ssh_auto_mode", .bool, .dynamicReadOnly, .bool(false), since: "25.27.0", state: .prototyped),
        FieldDeclaration("max_cstate", .string, .dynamicReadOnly, .string(""), since: "26.0.0", state: .prototyped),
        FieldDeclaration("secure_boot", .bool, .dynamicReadOnly, .bool(false), since: "25.31.0", state: .prototyped),
        FieldDeclaration(
            "ntp_mode", .enumeration("host_ntp_mode"), .dynamicReadOnly, .string("Factory"), since: "26.0.0",
            state: .prototyped),
        FieldDeclaration(
            "ntp_custom_servers", .set(.string), .dynamicReadOnly, .emptySet, since: "26.0.0", state: .prototyped),
        FieldDeclaration("timezone", .string, .dynamicReadOnly, .string("UTC"), since: "26.0.0", state: .prototyped),
    ]
}
