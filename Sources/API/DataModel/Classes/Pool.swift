extension ClassDeclaration {
    static let pool = ClassDeclaration(
        name: "pool", since: "rio", defaultRole: .poolOperator,
        text: "The hosts that share this database. There is one object of the class.",
        fields: poolFields,
        messages: poolMessages1 + poolMessages2)

    private static let poolFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the pool."),
        FieldDeclaration(
            "name_label", .string, .readWrite, since: "rio", setterRole: .poolOperator,
            text: "The pool's name."),
        FieldDeclaration(
            "name_description", .string, .readWrite, since: "rio", setterRole: .poolOperator,
            text: "What the administrator wrote about it."),
        FieldDeclaration(
            "master", .ref("host"), .dynamicReadOnly, since: "rio",
            text: "The coordinator: the host that answers calls for all."),
        FieldDeclaration(
            "default_SR", .ref("SR"), .readWrite, since: "rio", setterRole: .poolOperator,
            text: "Where disks go when a client names no repository."),
        FieldDeclaration(
            "suspend_image_SR", .ref("SR"), .readWrite, since: "rio", setterRole: .poolOperator,
            text: "Where the memory of suspended VMs goes."),
        FieldDeclaration(
            "crash_dump_SR", .ref("SR"), .readWrite, since: "rio", setterRole: .poolOperator,
            text: "Where crash dumps go."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .poolOperator,
            mapKeyRoles: [
                "folder": .vmOperator, "XenCenter.CustomFields.*": .vmOperator, "EMPTY_FOLDERS": .vmOperator,
            ],
            text: "For notes."),
        FieldDeclaration(
            "ha_enabled", .bool, .dynamicReadOnly, .bool(false), since: "orlando",
            text: "Whether the pool restarts VMs of lost hosts; not here."),
        FieldDeclaration("ha_configuration", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "orlando"),
        FieldDeclaration("ha_statefiles", .set(.string), .dynamicReadOnly, .emptySet, since: "orlando"),
        FieldDeclaration("ha_host_failures_to_tolerate", .int, .dynamicReadOnly, .int(0), since: "orlando"),
        FieldDeclaration("ha_plan_exists_for", .int, .dynamicReadOnly, .int(0), since: "orlando"),
        FieldDeclaration(
            "ha_allow_overcommit", .bool, .readWrite, .bool(false), since: "orlando", setterRole: .poolOperator),
        FieldDeclaration("ha_overcommitted", .bool, .dynamicReadOnly, .bool(false), since: "orlando"),
        FieldDeclaration("blobs", .map(.string, .ref("blob")), .dynamicReadOnly, .emptyMap, since: "orlando"),
        FieldDeclaration(
            "tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator,
            text: "Words to find the pool by."),
        FieldDeclaration(
            "gui_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .vmOperator,
            text: "For notes of graphical clients."),
        FieldDeclaration(
            "health_check_config", .map(.string, .string), .readWrite, .emptyMap, since: "dundee",
            setterRole: .poolOperator),
        FieldDeclaration("wlb_url", .string, .dynamicReadOnly, .string(""), since: "george"),
        FieldDeclaration("wlb_username", .string, .dynamicReadOnly, .string(""), since: "george"),
        FieldDeclaration("wlb_password", .ref("secret"), .dynamicReadOnly, since: "george", isInternal: true),
        FieldDeclaration(
            "wlb_enabled", .bool, .readWrite, .bool(false), since: "george",
            setterRole: .poolOperatorOrClientCertificate),
        FieldDeclaration(
            "wlb_verify_cert", .bool, .readWrite, .bool(false), since: "george", state: .deprecated,
            history: History(deprecated: "1.290.0"), setterRole: .poolOperator),
        FieldDeclaration("redo_log_enabled", .bool, .dynamicReadOnly, .bool(false), since: "midnight-ride"),
        FieldDeclaration("redo_log_vdi", .ref("VDI"), .dynamicReadOnly, .nullRef, since: "midnight-ride"),
        FieldDeclaration(
            "vswitch_controller", .string, .dynamicReadOnly, .string(""), since: "midnight-ride", state: .deprecated,
            history: History(deprecated: "falcon")),
        FieldDeclaration(
            "restrictions", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "midnight-ride",
            text: "Features that are off, for clients that ask."),
        FieldDeclaration("metadata_VDIs", .set(.ref("VDI")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration("ha_cluster_stack", .string, .dynamicReadOnly, .string(""), since: "dundee"),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("pool_allowed_operations")), .dynamicReadOnly, .emptySet,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("pool_allowed_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration("guest_agent_config", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "dundee"),
        FieldDeclaration(
            "cpu_info", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "dundee",
            text: "What the hosts' processors have in common."),
        FieldDeclaration(
            "policy_no_vendor_device", .bool, .readWrite, .bool(false), since: "dundee", state: .deprecated,
            history: History(deprecated: "24.14.0"), setterRole: .poolOperator),
        FieldDeclaration(
            "live_patching_disabled", .bool, .readWrite, .bool(false), since: "ely", setterRole: .poolOperator),
        FieldDeclaration("igmp_snooping_enabled", .bool, .dynamicReadOnly, .bool(false), since: "inverness"),
        FieldDeclaration(
            "uefi_certificates", .string, .staticReadOnly, .string(""), since: "quebec",
            history: History(changed: ["22.16.0"])),
        FieldDeclaration(
            "custom_uefi_certificates", .string, .staticReadOnly, .string(""), since: "24.0.0", state: .prototyped),
        FieldDeclaration(
            "is_psr_pending", .bool, .readWrite, .bool(false), since: "stockholm_psr", setterRole: .poolOperator),
        FieldDeclaration("tls_verification_enabled", .bool, .dynamicReadOnly, .bool(false), since: "1.290.0"),
        FieldDeclaration("repositories", .set(.ref("Repository")), .dynamicReadOnly, .emptySet, since: "1.301.0"),
        FieldDeclaration("client_certificate_auth_enabled", .bool, .dynamicReadOnly, .bool(false), since: "1.318.0"),
        FieldDeclaration("client_certificate_auth_name", .string, .dynamicReadOnly, .string(""), since: "1.318.0"),
        FieldDeclaration("repository_proxy_url", .string, .dynamicReadOnly, .string(""), since: "21.3.0"),
        FieldDeclaration("repository_proxy_username", .string, .dynamicReadOnly, .string(""), since: "21.3.0"),
        FieldDeclaration(
            "repository_proxy_password", .ref("secret"), .dynamicReadOnly, .nullRef, since: "21.3.0",
            history: History(changed: ["23.9.0"])),
        FieldDeclaration(
            "migration_compression", .bool, .readWrite, .bool(false), since: "22.33.0", state: .prototyped,
            setterRole: .poolOperator),
        FieldDeclaration(
            "coordinator_bias", .bool, .readWrite, .bool(true), since: "rio", history: History(prototyped: "22.37.0"),
            setterRole: .poolOperator),
        FieldDeclaration(
            "local_auth_max_threads", .int, .staticReadOnly, .int(8), since: "23.27.0", state: .prototyped),
        FieldDeclaration("ext_auth_max_threads", .int, .staticReadOnly, .int(1), since: "23.27.0", state: .prototyped),
        FieldDeclaration(
            "ext_auth_cache_enabled", .bool, .dynamicReadOnly, .bool(true), since: "24.31.0", state: .prototyped),
        FieldDeclaration("ext_auth_cache_size", .int, .dynamicReadOnly, .int(50), since: "24.31.0", state: .prototyped),
        FieldDeclaration(
            "ext_auth_cache_expiry", .int, .dynamicReadOnly, .int(300), since: "24.31.0", state: .prototyped),
        FieldDeclaration(
            "telemetry_uuid", .ref("secret"), .dynamicReadOnly, .nullRef, since: "23.9.0", state: .prototyped),
        FieldDeclaration(
            "telemetry_frequency", .enumeration("telemetry_frequency"), .dynamicReadOnly, .string("weekly"),
            since: "23.9.0", state: .prototyped),
        FieldDeclaration(
            "telemetry_next_collection", .datetime, .dynamicReadOnly, .never, since: "23.9.0", state: .prototyped),
        FieldDeclaration("last_update_sync", .datetime, .dynamicReadOnly, .never, since: "23.18.0", state: .prototyped),
        FieldDeclaration(
            "update_sync_frequency", .enumeration("update_sync_frequency"), .dynamicReadOnly, .string("weekly"),
            since: "23.18.0", state: .prototyped),
        FieldDeclaration("update_sync_day", .int, .dynamicReadOnly, .int(0), since: "23.18.0", state: .prototyped),
        FieldDeclaration(
            "update_sync_enabled", .bool, .dynamicReadOnly, .bool(false), since: "23.18.0", state: .prototyped),
        FieldDeclaration(
            "recommendations", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "24.19.1",
            state: .prototyped),
        FieldDeclaration(
            "license_server", .map(.string, .string), .readWrite, .emptyMap, since: "25.6.0", state: .prototyped,
            setterRole: .poolOperator),
        FieldDeclaration(
            "ha_reboot_vm_on_internal_shutdown", .bool, .readWrite, .bool(true), since: "25.16.0", state: .prototyped,
            setterRole: .poolOperator),
        FieldDeclaration(
            "limit_console_sessions", .bool, .readWrite, .bool(false), since: "26.1.0", state: .prototyped,
            setterRole: .poolOperator),
        FieldDeclaration(
            "vm_console_idle_timeout", .int, .readWrite, .int(0), since: "26.1.0", state: .prototyped,
            setterRole: .poolOperator),
        FieldDeclaration(
            "auto_update_vm_secureboot_certificates", .bool, .readWrite, .bool(false), since: "26.16.1",
            state: .prototyped, setterRole: .poolOperator),
    ]
}
