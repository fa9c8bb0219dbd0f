extension ClassDeclaration {
    static let hostMessages2: [MessageDeclaration] = [
        MessageDeclaration(
            "local_management_reconfigure",
            [
                ParameterDeclaration("interface", .string, since: "miami")
            ],
            role: .poolOperator, since: "miami"),
        MessageDeclaration("management_disable", role: .poolOperator, since: "miami"),
        MessageDeclaration(
            "get_management_interface",
            [
                ParameterDeclaration("host", .ref("host"), since: "tampa")
            ],
            result: .ref("PIF"), role: .poolOperator, isAsync: true, since: "tampa",
            text: "The PIF over which the host is managed."),
        MessageDeclaration(
            "get_system_status_capabilities",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami")
            ],
            result: .string, role: .readOnly, since: "miami"),
        MessageDeclaration(
            "get_diagnostic_timing_stats",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami"),
                ParameterDeclaration("counts", .bool, .bool(false), since: "25.33.0"),
            ],
            result: .map(.string, .string), role: .readOnly, since: "miami", isHidden: true),
        MessageDeclaration(
            "restart_agent",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration("shutdown_agent", role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "set_hostname_live",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami"),
                ParameterDeclaration("hostname", .string, since: "miami"),
            ],
            role: .poolOperator, errors: ["HOST_NAME_INVALID"], since: "miami"),
        MessageDeclaration(
            "is_in_emergency_mode", result: .bool, role: .readOnly, since: "miami", isHidden: true,
            text: "Whether the host has lost its coordinator. It is its own."),
        MessageDeclaration(
            "compute_free_memory",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            result: .int, role: .readOnly, isAsync: true, since: "orlando",
            text: "Memory that guests can still be started with, bytes."),
        MessageDeclaration(
            "compute_memory_overhead",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride")
            ],
            result: .int, role: .readOnly, isAsync: true, since: "midnight-ride",
            text: "Memory that the host keeps for itself, bytes."),
        MessageDeclaration(
            "tickle_heartbeat",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("stuff", .map(.string, .string), since: "orlando"),
            ],
            result: .map(.string, .string), role: .localRootOnly, since: "orlando", isHidden: true, isPoolInternal: true
        ),
        MessageDeclaration(
            "sync_data",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .poolAdmin, since: "orlando"),
        MessageDeclaration(
            "backup_rrds",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("delay", .float, since: "orlando"),
            ],
            role: .poolAdmin, since: "orlando",
            text: "Writes the recorded measurements to the disk."),
        MessageDeclaration(
            "create_new_blob",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("name", .string, since: "orlando"),
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .poolOperator, isAsync: true, since: "orlando",
            text: "Makes an empty blob of the host, whose content is put and read at /blob."),
        MessageDeclaration(
            "call_plugin",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("plugin", .string, since: "orlando"),
                ParameterDeclaration("fn", .string, since: "orlando"),
                ParameterDeclaration("args", .map(.string, .string), since: "orlando"),
            ],
            result: .string, role: .poolAdmin, isAsync: true, since: "orlando",
            text: """
                Runs a plugin of the host. There is one, tapdisk-pause, with which storage drivers hold a disk that is in use; \
                every other name is answered with XENAPI_MISSING_PLUGIN.
                """),
        MessageDeclaration(
            "has_extension",
            [
                ParameterDeclaration("host", .ref("host"), since: "ely"),
                ParameterDeclaration("name", .string, since: "ely"),
            ],
            result: .bool, role: .poolAdmin, isAsync: true, since: "ely",
            text: "Whether the host has an extension of this name. It has none."),
        MessageDeclaration(
            "call_extension",
            [
                ParameterDeclaration("host", .ref("host"), since: "ely"),
                ParameterDeclaration("call", .string, since: "ely"),
            ],
            result: .string, role: .poolAdmin, since: "ely"),
        MessageDeclaration(
            "get_servertime",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            result: .datetime, role: .readOnly, since: "orlando",
            text: "The host's clock."),
        MessageDeclaration(
            "get_server_localtime",
            [
                ParameterDeclaration("host", .ref("host"), since: "cowley")
            ],
            result: .datetime, role: .readOnly, since: "cowley",
            text: "The host's clock in its own time zone."),
        MessageDeclaration(
            "enable_binary_storage",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "disable_binary_storage",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "enable_external_auth",
            [
                ParameterDeclaration("host", .ref("host"), since: "george"),
                ParameterDeclaration("config", .map(.string, .string), since: "george"),
                ParameterDeclaration("service_name", .string, since: "george"),
                ParameterDeclaration("auth_type", .string, since: "george"),
            ],
            role: .poolAdmin, since: "george"),
        MessageDeclaration(
            "disable_external_auth",
            [
                ParameterDeclaration("host", .ref("host"), since: "george"),
                ParameterDeclaration("config", .map(.string, .string), .emptyMap, since: "george"),
                ParameterDeclaration("force", .bool, .bool(false), since: "26.2.0-next"),
            ],
            role: .poolAdmin, since: "george"),
        MessageDeclaration(
            "external_auth_set_ldaps",
            [
                ParameterDeclaration("host", .ref("host"), since: "26.16.0"),
                ParameterDeclaration("ldaps", .bool, since: "26.16.0"),
                ParameterDeclaration("force", .bool, .bool(false), since: "26.16.0"),
            ],
            role: .poolAdmin, since: "26.16.0"),
        MessageDeclaration(
            "retrieve_wlb_evacuate_recommendations",
            [
                ParameterDeclaration("self", .ref("host"), since: "george")
            ],
            result: .map(.ref("VM"), .set(.string)), role: .readOnly, isAsync: true, since: "george"),
        MessageDeclaration(
            "install_ca_certificate",
            [
                ParameterDeclaration("host", .ref("host"), since: "1.290.0"),
                ParameterDeclaration("name", .string, since: "1.290.0"),
                ParameterDeclaration("cert", .string, since: "1.290.0"),
            ],
            role: .localRootOnly, isAsync: true, since: "1.290.0", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "uninstall_ca_certificate",
            [
                ParameterDeclaration("host", .ref("host"), since: "1.290.0"),
                ParameterDeclaration("name", .string, since: "1.290.0"),
                ParameterDeclaration("force", .bool, .bool(false), since: "24.35.0"),
            ],
            role: .localRootOnly, isAsync: true, since: "1.290.0", history: History(changed: ["24.35.0"]),
            isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "certificate_list",
            [
                ParameterDeclaration("host", .ref("host"), since: "george")
            ],
            result: .set(.string), role: .localRootOnly, isAsync: true, since: "george", state: .deprecated,
            history: History(deprecated: "1.290.0"), isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "crl_install",
            [
                ParameterDeclaration("host", .ref("host"), since: "george"),
                ParameterDeclaration("name", .string, since: "george"),
                ParameterDeclaration("crl", .string, since: "george"),
            ],
            role: .localRootOnly, isAsync: true, since: "george", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "crl_uninstall",
            [
                ParameterDeclaration("host", .ref("host"), since: "george"),
                ParameterDeclaration("name", .string, since: "george"),
            ],
            role: .localRootOnly, isAsync: true, since: "george", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "crl_list",
            [
                ParameterDeclaration("host", .ref("host"), since: "george")
            ],
            result: .set(.string), role: .localRootOnly, isAsync: true, since: "george", isHidden: true,
            isPoolInternal: true),
        MessageDeclaration(
            "certificate_sync",
            [
                ParameterDeclaration("host", .ref("host"), since: "george")
            ],
            role: .localRootOnly, isAsync: true, since: "george", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "get_server_certificate",
            [
                ParameterDeclaration("host", .ref("host"), since: "george")
            ],
            result: .string, role: .readOnly, isAsync: true, since: "george", history: History(changed: ["inverness"])),
        MessageDeclaration(
            "refresh_server_certificate",
            [
                ParameterDeclaration("host", .ref("host"), since: "1.307.0")
            ],
            role: .poolAdmin, isAsync: true, since: "1.307.0"),
        MessageDeclaration(
            "install_server_certificate",
            [
                ParameterDeclaration("host", .ref("host"), since: "stockholm"),
                ParameterDeclaration("certificate", .string, since: "stockholm"),
                ParameterDeclaration("private_key", .string, since: "stockholm"),
                ParameterDeclaration("certificate_chain", .string, .string(""), since: "stockholm"),
            ],
            role: .poolAdmin, isAsync: true, since: "stockholm"),
        MessageDeclaration("emergency_reset_server_certificate", role: .localRootOnly, since: "stockholm"),
        MessageDeclaration(
            "reset_server_certificate",
            [
                ParameterDeclaration("host", .ref("host"), since: "1.290.0")
            ],
            role: .poolAdmin, isAsync: true, since: "1.290.0"),
        MessageDeclaration(
            "update_pool_secret",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
                ParameterDeclaration("pool_secret", .string, since: "midnight-ride", isSecret: true),
            ],
            role: .localRootOnly, isAsync: true, since: "midnight-ride", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "update_master",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
                ParameterDeclaration("master_address", .string, since: "midnight-ride"),
            ],
            role: .localRootOnly, isAsync: true, since: "midnight-ride", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "attach_static_vdis",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
                ParameterDeclaration("vdi_reason_map", .map(.ref("VDI"), .string), since: "midnight-ride"),
            ],
            role: .localRootOnly, isAsync: true, since: "midnight-ride", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "detach_static_vdis",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
                ParameterDeclaration("vdis", .set(.ref("VDI")), since: "midnight-ride"),
            ],
            role: .localRootOnly, isAsync: true, since: "midnight-ride", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "set_localdb_key",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
                ParameterDeclaration("key", .string, since: "midnight-ride"),
                ParameterDeclaration("value", .string, since: "midnight-ride"),
            ],
            role: .localRootOnly, isAsync: true, since: "midnight-ride", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "apply_edition",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
                ParameterDeclaration("edition", .string, since: "midnight-ride"),
                ParameterDeclaration("force", .bool, .bool(false), since: "clearwater"),
            ],
            role: .poolOperator, since: "midnight-ride",
            text: "Applies an edition to the host. There is one, and it is applied already: another is "
                + "refused by name."),
        MessageDeclaration(
            "refresh_pack_info",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride")
            ],
            role: .poolOperator, isAsync: true, since: "midnight-ride", state: .deprecated,
            history: History(deprecated: "ely")),
        MessageDeclaration(
            "set_power_on_mode",
            [
                ParameterDeclaration("self", .ref("host"), since: "cowley"),
                ParameterDeclaration("power_on_mode", .string, since: "cowley"),
                ParameterDeclaration("power_on_config", .map(.string, .string), since: "cowley"),
            ],
            role: .poolOperator, isAsync: true, since: "cowley", history: History(changed: ["stockholm", "24.19.0"]),
            text: "Sets how the host can be switched on from afar, and with which settings."),
        MessageDeclaration(
            "set_cpu_features",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride"),
                ParameterDeclaration("features", .string, since: "midnight-ride"),
            ],
            role: .poolOperator, since: "midnight-ride", state: .removed,
            history: History(deprecated: "dundee", removed: "dundee")),
        MessageDeclaration(
            "reset_cpu_features",
            [
                ParameterDeclaration("host", .ref("host"), since: "midnight-ride")
            ],
            role: .poolOperator, since: "midnight-ride", state: .removed,
            history: History(deprecated: "dundee", removed: "dundee")),
        MessageDeclaration(
            "reset_networking",
            [
                ParameterDeclaration("host", .ref("host"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, since: "boston", isHidden: true),
        MessageDeclaration(
            "enable_local_storage_caching",
            [
                ParameterDeclaration("host", .ref("host"), since: "cowley"),
                ParameterDeclaration("sr", .ref("SR"), since: "cowley"),
            ],
            role: .poolOperator, since: "cowley"),
    ]
}
