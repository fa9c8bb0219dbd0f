extension ClassDeclaration {
    static let hostMessages1: [MessageDeclaration] = [
        MessageDeclaration(
            "disable",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("auto_enable", .bool, .bool(true), since: "25.31.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "rio", history: History(changed: ["25.31.0"]),
            text: "Keeps new VMs from starting on the host. Those that run go on, and may reboot."),
        MessageDeclaration(
            "enable",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "rio",
            text: "Lets VMs start on the host again."),
        MessageDeclaration(
            "shutdown",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "reboot",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "prepare_for_poweroff",
            [
                ParameterDeclaration("host", .ref("host"), since: "kolkata")
            ],
            role: .localRootOnly, isAsync: true, since: "kolkata", isHidden: true),
        MessageDeclaration(
            "dmesg",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "rio",
            text: "The messages of the host's kernel."),
        MessageDeclaration(
            "dmesg_clear",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "rio",
            text: "The messages of the host's kernel, which forgets them."),
        MessageDeclaration(
            "get_log",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            result: .string, role: .readOnly, isAsync: true, since: "rio"),
        MessageDeclaration(
            "send_debug_keys",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("keys", .string),
            ],
            role: .poolAdmin, isAsync: true, since: "rio"),
        MessageDeclaration(
            "bugreport_upload",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("url", .string),
                ParameterDeclaration("options", .map(.string, .string)),
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "list_methods", result: .set(.string), role: .readOnly, since: "rio",
            text: "The names of all messages."),
        MessageDeclaration(
            "license_apply",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("contents", .string),
            ],
            role: .poolOperator, isAsync: true, errors: ["LICENSE_PROCESSING_ERROR"], since: "rio", state: .removed,
            history: History(deprecated: "clearwater", removed: "clearwater")),
        MessageDeclaration(
            "license_add",
            [
                ParameterDeclaration("host", .ref("host"), since: "indigo"),
                ParameterDeclaration("contents", .string, since: "indigo"),
            ],
            role: .poolOperator, isAsync: true, errors: ["LICENSE_PROCESSING_ERROR"], since: "indigo"),
        MessageDeclaration(
            "license_remove",
            [
                ParameterDeclaration("host", .ref("host"), since: "indigo")
            ],
            role: .poolOperator, isAsync: true, since: "indigo"),
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("uuid", .string),
                ParameterDeclaration("name_label", .string),
                ParameterDeclaration("name_description", .string),
                ParameterDeclaration("hostname", .string),
                ParameterDeclaration("address", .string),
                ParameterDeclaration("external_auth_type", .string, .string(""), since: "george"),
                ParameterDeclaration("external_auth_service_name", .string, .string(""), since: "george"),
                ParameterDeclaration("external_auth_configuration", .map(.string, .string), .emptyMap, since: "george"),
                ParameterDeclaration("license_params", .map(.string, .string), .emptyMap, since: "midnight-ride"),
                ParameterDeclaration("edition", .string, .string(""), since: "midnight-ride"),
                ParameterDeclaration(
                    "license_server", .map(.string, .string),
                    .map(["address": .string("localhost"), "port": .string("27000")]), since: "midnight-ride"),
                ParameterDeclaration("local_cache_sr", .ref("SR"), .nullRef, since: "cowley"),
                ParameterDeclaration("chipset_info", .map(.string, .string), .emptyMap, since: "boston"),
                ParameterDeclaration("ssl_legacy", .bool, .bool(true), since: "dundee"),
                ParameterDeclaration("last_software_update", .datetime, .never, since: "dundee"),
                ParameterDeclaration("last_update_hash", .string, .string(""), since: "24.40.0"),
                ParameterDeclaration("ssh_enabled", .bool, .bool(true), since: "25.21.0"),
                ParameterDeclaration("ssh_enabled_timeout", .int, .int(0), since: "25.21.0"),
                ParameterDeclaration("ssh_expiry", .datetime, .never, since: "25.21.0"),
                ParameterDeclaration("console_idle_timeout", .int, .int(0), since: "25.21.0"),
                ParameterDeclaration("ssh_auto_mode", .bool, .bool(false), since: "25.27.0"),
                ParameterDeclaration("secure_boot", .bool, .bool(false), since: "25.32.0"),
                ParameterDeclaration("software_version", .map(.string, .string), .emptyMap, since: "25.33.0"),
                ParameterDeclaration("https_only", .bool, .bool(false), since: "25.39.0"),
                ParameterDeclaration("max_cstate", .string, .string(""), since: "26.0.0"),
                ParameterDeclaration("ntp_mode", .enumeration("host_ntp_mode"), .string("Factory"), since: "26.0.0"),
                ParameterDeclaration("ntp_custom_servers", .set(.string), .emptySet, since: "26.0.0"),
                ParameterDeclaration("timezone", .string, .string("UTC"), since: "26.0.0"),
                ParameterDeclaration(
                    "numa_affinity_policy", .enumeration("host_numa_affinity_policy"), .string("default_policy"),
                    since: "26.0.0"),
                ParameterDeclaration(
                    "latest_synced_updates_applied", .enumeration("latest_synced_updates_applied_state"),
                    .string("unknown"), since: "26.0.0"),
                ParameterDeclaration(
                    "pending_guidances_full", .set(.enumeration("update_guidances")), .emptySet, since: "26.0.0"),
                ParameterDeclaration(
                    "pending_guidances_recommended", .set(.enumeration("update_guidances")), .emptySet,
                    since: "26.0.0"),
            ],
            result: .ref("host"), role: .poolOperator, isAsync: true, since: "rio",
            history: History(changed: ["24.40.0", "25.21.0", "25.38.0-next"]), isHidden: true),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "power_on",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .poolOperator, isAsync: true, since: "orlando"),
        MessageDeclaration(
            "set_license_params",
            [
                ParameterDeclaration("self", .ref("host"), since: "orlando"),
                ParameterDeclaration("value", .map(.string, .string), since: "orlando"),
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "emergency_ha_disable",
            [
                ParameterDeclaration("soft", .bool, .bool(false), since: "ely")
            ],
            role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "ha_disarm_fencing",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "preconfigure_ha",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami"),
                ParameterDeclaration("statefiles", .set(.ref("VDI")), since: "miami"),
                ParameterDeclaration("metadata_vdi", .ref("VDI"), since: "miami"),
                ParameterDeclaration("generation", .string, since: "miami"),
            ],
            role: .localRootOnly, isAsync: true, since: "miami", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "ha_join_liveset",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "ha_disable_failover_decisions",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "ha_wait_for_shutdown_via_statefile",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "ha_stop_daemon",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "ha_release_resources",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "ha_xapi_healthcheck", result: .bool, role: .poolAdmin, since: "orlando", isHidden: true,
            text: "Whether the daemon is well: who gets an answer has the answer."),
        MessageDeclaration(
            "local_assert_healthy", role: .localRootOnly,
            errors: [
                "HOST_STILL_BOOTING", "HOST_HAS_NO_MANAGEMENT_IP", "HOST_MASTER_CANNOT_TALK_BACK",
                "HOST_UNKNOWN_TO_MASTER", "HOST_BROKEN", "LICENCE_RESTRICTION", "LICENSE_DOES_NOT_SUPPORT_POOLING",
                "HA_SHOULD_BE_FENCED", "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR",
            ],
            since: "miami", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "request_backup",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("generation", .int),
                ParameterDeclaration("force", .bool),
            ],
            role: .localRootOnly, since: "rio", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "request_config_file_sync",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("hash", .string),
            ],
            role: .localRootOnly, since: "rio", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "propose_new_master",
            [
                ParameterDeclaration("address", .string, since: "miami"),
                ParameterDeclaration("manual", .bool, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "commit_new_master",
            [
                ParameterDeclaration("address", .string, since: "miami")
            ],
            role: .localRootOnly, since: "miami", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "abort_new_master",
            [
                ParameterDeclaration("address", .string, since: "miami")
            ],
            role: .localRootOnly, since: "miami", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "get_data_sources",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando")
            ],
            result: .set(.record("data_source")), role: .readOnly, since: "orlando",
            text: "What is measured of the host."),
        MessageDeclaration(
            "record_data_source",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("data_source", .string, since: "orlando"),
            ],
            role: .poolOperator, since: "orlando",
            text: "Begins to record a data source."),
        MessageDeclaration(
            "query_data_source",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("data_source", .string, since: "orlando"),
            ],
            result: .float, role: .readOnly, since: "orlando",
            text: "The latest value of a data source."),
        MessageDeclaration(
            "forget_data_source_archives",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("data_source", .string, since: "orlando"),
            ],
            role: .poolOperator, since: "orlando",
            text: "Drops what was recorded of a data source."),
        MessageDeclaration(
            "assert_can_evacuate",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami",
            text: "Throws CANNOT_EVACUATE_HOST with the VMs that could not go elsewhere."),
        MessageDeclaration(
            "get_vms_which_prevent_evacuation",
            [
                ParameterDeclaration("self", .ref("host"), since: "orlando")
            ],
            result: .map(.ref("VM"), .set(.string)), role: .readOnly, isAsync: true, since: "orlando",
            text: "The VMs that could not go elsewhere, each with the reason."),
        MessageDeclaration(
            "get_uncooperative_resident_VMs",
            [
                ParameterDeclaration("self", .ref("host"), since: "midnight-ride")
            ],
            result: .set(.ref("VM")), role: .readOnly, isAsync: true, since: "midnight-ride", state: .deprecated,
            history: History(deprecated: "tampa"),
            text: "VMs that do not give memory back when they are asked to. Nobody asks any more: none."),
        MessageDeclaration(
            "get_uncooperative_domains",
            [
                ParameterDeclaration("self", .ref("host"), since: "midnight-ride")
            ],
            result: .set(.string), role: .localRootOnly, isAsync: true, since: "midnight-ride", state: .deprecated,
            history: History(deprecated: "tampa"), isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "evacuate",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami"),
                ParameterDeclaration("network", .ref("network"), .nullRef, since: "1.297.0"),
                ParameterDeclaration("evacuate_batch_size", .int, .int(0), since: "23.27.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "miami",
            history: History(changed: ["1.297.0", "23.27.0"]),
            text: "Moves all VMs off the host. Where there is no other host this fails unless none is there."),
        MessageDeclaration(
            "signal_networking_change", role: .localRootOnly, since: "miami", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "notify",
            [
                ParameterDeclaration("ty", .string, since: "miami"),
                ParameterDeclaration("params", .string, since: "miami"),
            ],
            role: .localRootOnly, isAsync: true, since: "miami", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "syslog_reconfigure",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami"),
        MessageDeclaration(
            "management_reconfigure",
            [
                ParameterDeclaration("pif", .ref("PIF"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami"),
    ]
}
