extension ClassDeclaration {
    static let poolMessages1: [MessageDeclaration] = [
        MessageDeclaration(
            "join",
            [
                ParameterDeclaration("master_address", .string),
                ParameterDeclaration("master_username", .string),
                ParameterDeclaration("master_password", .string),
            ],
            role: .poolOperator, isAsync: true, errors: ["JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"], since: "rio"),
        MessageDeclaration(
            "join_force",
            [
                ParameterDeclaration("master_address", .string),
                ParameterDeclaration("master_username", .string),
                ParameterDeclaration("master_password", .string),
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "eject",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "initial_auth", result: .string, role: .poolOperator, isAsync: true, isSecret: true, since: "rio",
            isHidden: true),
        MessageDeclaration(
            "exchange_certificates_on_join",
            [
                ParameterDeclaration("uuid", .string, since: "1.298.0"),
                ParameterDeclaration("certificate", .string, since: "1.298.0"),
            ],
            result: .map(.string, .string), role: .poolOperator, isAsync: true, since: "1.298.0", isHidden: true),
        MessageDeclaration(
            "exchange_ca_certificates_on_join",
            [
                ParameterDeclaration("import", .map(.string, .string), since: "1.320.0"),
                ParameterDeclaration("export", .set(.ref("Certificate")), since: "1.320.0"),
            ],
            result: .map(.string, .string), role: .poolOperator, isAsync: true, since: "1.320.0", isHidden: true),
        MessageDeclaration("emergency_transition_to_master", role: .poolOperator, since: "rio"),
        MessageDeclaration(
            "emergency_reset_master",
            [
                ParameterDeclaration("master_address", .string)
            ],
            role: .poolOperator, since: "rio"),
        MessageDeclaration(
            "recover_slaves", result: .set(.ref("host")), role: .poolOperator, isAsync: true, since: "rio",
            text: "Tells members that lost their coordinator where it is now; those that were told. A pool "
                + "of one host has none."),
        MessageDeclaration(
            "hello",
            [
                ParameterDeclaration("host_uuid", .string),
                ParameterDeclaration("host_address", .string),
            ],
            result: .enumeration("hello_return"), role: .poolOperator, isAsync: true, since: "rio", isHidden: true),
        MessageDeclaration(
            "is_slave",
            [
                ParameterDeclaration("host", .ref("host"))
            ],
            result: .bool, role: .poolAdmin, since: "rio", isHidden: true,
            text: "Whether the host that answers is a member that is not the coordinator."),
        MessageDeclaration(
            "create_VLAN",
            [
                ParameterDeclaration("device", .string),
                ParameterDeclaration("network", .ref("network")),
                ParameterDeclaration("VLAN", .int),
            ],
            result: .set(.ref("PIF")), role: .poolOperator, isAsync: true, errors: ["VLAN_TAG_INVALID"], since: "rio"),
        MessageDeclaration(
            "management_reconfigure",
            [
                ParameterDeclaration("network", .ref("network"), since: "inverness")
            ],
            role: .poolOperator, isAsync: true,
            errors: [
                "HA_IS_ENABLED", "PIF_NOT_PRESENT", "CANNOT_PLUG_BOND_SLAVE", "PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE",
                "PIF_HAS_NO_NETWORK_CONFIGURATION", "PIF_HAS_NO_V6_NETWORK_CONFIGURATION",
            ],
            since: "inverness"),
        MessageDeclaration(
            "create_VLAN_from_PIF",
            [
                ParameterDeclaration("pif", .ref("PIF")),
                ParameterDeclaration("network", .ref("network")),
                ParameterDeclaration("VLAN", .int),
            ],
            result: .set(.ref("PIF")), role: .poolOperator, isAsync: true, errors: ["VLAN_TAG_INVALID"], since: "rio"),
        MessageDeclaration(
            "enable_ha",
            [
                ParameterDeclaration("heartbeat_srs", .set(.ref("SR")), since: "miami"),
                ParameterDeclaration("configuration", .map(.string, .string), since: "miami"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "miami"),
        MessageDeclaration("disable_ha", role: .poolOperatorOrClientCertificate, isAsync: true, since: "miami"),
        MessageDeclaration(
            "sync_database", role: .poolOperator, isAsync: true, since: "rio",
            text: "Brings the database to all hosts. Every answered change is durable already."),
        MessageDeclaration(
            "designate_new_master",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami"),
        MessageDeclaration(
            "ha_prevent_restarts_for",
            [
                ParameterDeclaration("seconds", .int, since: "orlando-update-1")
            ],
            role: .poolOperator, since: "orlando-update-1"),
        MessageDeclaration(
            "ha_failover_plan_exists",
            [
                ParameterDeclaration("n", .int, since: "orlando")
            ],
            result: .bool, role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "ha_compute_max_host_failures_to_tolerate", result: .int, role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "ha_compute_hypothetical_max_host_failures_to_tolerate",
            [
                ParameterDeclaration("configuration", .map(.ref("VM"), .string), since: "orlando")
            ],
            result: .int, role: .readOnly, since: "orlando"),
        MessageDeclaration(
            "ha_compute_vm_failover_plan",
            [
                ParameterDeclaration("failed_hosts", .set(.ref("host")), since: "orlando"),
                ParameterDeclaration("failed_vms", .set(.ref("VM")), since: "orlando"),
            ],
            result: .map(.ref("VM"), .map(.string, .string)), role: .poolOperator, since: "orlando"),
        MessageDeclaration(
            "set_ha_host_failures_to_tolerate",
            [
                ParameterDeclaration("self", .ref("pool"), since: "orlando"),
                ParameterDeclaration("value", .int, since: "orlando"),
            ],
            role: .poolOperator, isAsync: true, since: "orlando"),
        MessageDeclaration(
            "create_new_blob",
            [
                ParameterDeclaration("pool", .ref("pool"), since: "orlando"),
                ParameterDeclaration("name", .string, since: "orlando"),
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .poolOperator, isAsync: true, since: "orlando",
            text: "Makes an empty blob of the pool, whose content is put and read at /blob."),
        MessageDeclaration(
            "ha_schedule_plan_recomputation", role: .localRootOnly, isAsync: true, since: "orlando", isHidden: true,
            isPoolInternal: true),
        MessageDeclaration(
            "enable_binary_storage", role: .poolOperator, isAsync: true, since: "orlando", isHidden: true),
        MessageDeclaration(
            "disable_binary_storage", role: .poolOperator, isAsync: true, since: "orlando", isHidden: true),
        MessageDeclaration(
            "enable_external_auth",
            [
                ParameterDeclaration("pool", .ref("pool"), since: "george"),
                ParameterDeclaration("config", .map(.string, .string), since: "george"),
                ParameterDeclaration("service_name", .string, since: "george"),
                ParameterDeclaration("auth_type", .string, since: "george"),
            ],
            role: .poolAdmin, since: "george"),
        MessageDeclaration(
            "disable_external_auth",
            [
                ParameterDeclaration("pool", .ref("pool"), since: "george"),
                ParameterDeclaration("config", .map(.string, .string), .emptyMap, since: "george"),
            ],
            role: .poolAdmin, since: "george"),
        MessageDeclaration(
            "external_auth_set_ldaps",
            [
                ParameterDeclaration("pool", .ref("pool"), since: "26.16.0"),
                ParameterDeclaration("ldaps", .bool, since: "26.16.0"),
                ParameterDeclaration("force", .bool, .bool(false), since: "26.16.0"),
            ],
            role: .poolAdmin, since: "26.16.0"),
        MessageDeclaration(
            "detect_nonhomogeneous_external_auth",
            [
                ParameterDeclaration("pool", .ref("pool"), since: "george")
            ],
            role: .poolOperator, since: "george"),
        MessageDeclaration(
            "initialize_wlb",
            [
                ParameterDeclaration("wlb_url", .string, since: "george"),
                ParameterDeclaration("wlb_username", .string, since: "george"),
                ParameterDeclaration("wlb_password", .string, since: "george"),
                ParameterDeclaration("xenserver_username", .string, since: "george"),
                ParameterDeclaration("xenserver_password", .string, since: "george"),
            ],
            role: .poolOperator, isAsync: true, since: "george"),
        MessageDeclaration("deconfigure_wlb", role: .poolOperator, isAsync: true, since: "george"),
        MessageDeclaration(
            "send_wlb_configuration",
            [
                ParameterDeclaration("config", .map(.string, .string), since: "george")
            ],
            role: .poolOperator, isAsync: true, since: "george"),
        MessageDeclaration(
            "retrieve_wlb_configuration", result: .map(.string, .string), role: .readOnly, isAsync: true,
            since: "george"),
        MessageDeclaration(
            "retrieve_wlb_recommendations", result: .map(.ref("VM"), .set(.string)), role: .readOnly, isAsync: true,
            since: "george"),
        MessageDeclaration(
            "send_test_post",
            [
                ParameterDeclaration("host", .string, since: "george"),
                ParameterDeclaration("port", .int, since: "george"),
                ParameterDeclaration("body", .string, since: "george"),
            ],
            result: .string, role: .poolAdmin, isAsync: true, since: "george"),
        MessageDeclaration(
            "certificate_install",
            [
                ParameterDeclaration("name", .string, since: "george"),
                ParameterDeclaration("cert", .string, since: "george"),
            ],
            role: .poolOperator, isAsync: true, since: "george", state: .deprecated,
            history: History(deprecated: "1.290.0")),
        MessageDeclaration(
            "certificate_uninstall",
            [
                ParameterDeclaration("name", .string, since: "george")
            ],
            role: .poolOperator, isAsync: true, since: "george", state: .deprecated,
            history: History(deprecated: "1.290.0")),
        MessageDeclaration(
            "certificate_list", result: .set(.string), role: .poolOperator, isAsync: true, since: "george",
            state: .deprecated, history: History(deprecated: "1.290.0")),
        MessageDeclaration(
            "install_ca_certificate",
            [
                ParameterDeclaration("name", .string, since: "1.290.0"),
                ParameterDeclaration("cert", .string, since: "1.290.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.290.0", state: .deprecated,
            history: History(deprecated: "26.13.0")),
        MessageDeclaration(
            "uninstall_ca_certificate",
            [
                ParameterDeclaration("name", .string, since: "1.290.0"),
                ParameterDeclaration("force", .bool, .bool(false), since: "24.35.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.290.0", state: .deprecated,
            history: History(changed: ["24.35.0"], deprecated: "26.13.0")),
        MessageDeclaration(
            "crl_install",
            [
                ParameterDeclaration("name", .string, since: "george"),
                ParameterDeclaration("cert", .string, since: "george"),
            ],
            role: .poolOperator, isAsync: true, since: "george"),
        MessageDeclaration(
            "crl_uninstall",
            [
                ParameterDeclaration("name", .string, since: "george")
            ],
            role: .poolOperator, isAsync: true, since: "george"),
        MessageDeclaration("crl_list", result: .set(.string), role: .poolOperator, isAsync: true, since: "george"),
        MessageDeclaration("certificate_sync", role: .poolOperator, isAsync: true, since: "george"),
        MessageDeclaration("enable_tls_verification", role: .poolAdmin, since: "1.290.0"),
        MessageDeclaration(
            "enable_redo_log",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "midnight-ride")
            ],
            role: .poolOperator, isAsync: true, since: "midnight-ride"),
        MessageDeclaration("disable_redo_log", role: .poolOperator, isAsync: true, since: "midnight-ride"),
        MessageDeclaration(
            "audit_log_append",
            [
                ParameterDeclaration("line", .string, since: "midnight-ride")
            ],
            role: .poolAdmin, isAsync: true, since: "midnight-ride", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "set_vswitch_controller",
            [
                ParameterDeclaration("address", .string, since: "midnight-ride")
            ],
            role: .poolOperator, isAsync: true, since: "midnight-ride", state: .deprecated,
            history: History(changed: ["cowley"], deprecated: "falcon")),
        MessageDeclaration(
            "test_archive_target",
            [
                ParameterDeclaration("self", .ref("pool"), since: "cowley"),
                ParameterDeclaration("config", .map(.string, .string), since: "cowley"),
            ],
            result: .string, role: .poolOperator, since: "cowley"),
        MessageDeclaration(
            "enable_local_storage_caching",
            [
                ParameterDeclaration("self", .ref("pool"), since: "cowley")
            ],
            role: .poolOperator, isAsync: true, since: "cowley"),
        MessageDeclaration(
            "disable_local_storage_caching",
            [
                ParameterDeclaration("self", .ref("pool"), since: "cowley")
            ],
            role: .poolOperator, isAsync: true, since: "cowley"),
    ]
}
