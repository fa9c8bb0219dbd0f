extension ClassDeclaration {
    static let hostMessages3: [MessageDeclaration] = [
        MessageDeclaration(
            "disable_local_storage_caching",
            [
                ParameterDeclaration("host", .ref("host"), since: "cowley")
            ],
            role: .poolOperator, since: "cowley"),
        MessageDeclaration(
            "get_sm_diagnostics",
            [
                ParameterDeclaration("host", .ref("host"), since: "boston")
            ],
            result: .string, role: .poolOperator, since: "boston", isHidden: true),
        MessageDeclaration(
            "get_thread_diagnostics",
            [
                ParameterDeclaration("host", .ref("host"), since: "boston")
            ],
            result: .string, role: .poolOperator, since: "boston", isHidden: true),
        MessageDeclaration(
            "sm_dp_destroy",
            [
                ParameterDeclaration("host", .ref("host"), since: "boston"),
                ParameterDeclaration("dp", .string, since: "boston"),
                ParameterDeclaration("allow_leak", .bool, since: "boston"),
            ],
            role: .poolOperator, since: "boston", isHidden: true),
        MessageDeclaration(
            "sync_vlans",
            [
                ParameterDeclaration("host", .ref("host"), since: "boston")
            ],
            role: .poolOperator, since: "boston", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "sync_tunnels",
            [
                ParameterDeclaration("host", .ref("host"), since: "boston")
            ],
            role: .poolOperator, since: "boston", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "sync_pif_currently_attached",
            [
                ParameterDeclaration("host", .ref("host"), since: "boston"),
                ParameterDeclaration("bridges", .set(.string), since: "boston"),
            ],
            role: .poolOperator, since: "boston", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "migrate_receive",
            [
                ParameterDeclaration("host", .ref("host"), since: "tampa"),
                ParameterDeclaration("network", .ref("network"), since: "tampa"),
                ParameterDeclaration("options", .map(.string, .string), since: "tampa"),
            ],
            result: .map(.string, .string), role: .vmPowerAdmin, isAsync: true, since: "tampa",
            text: "Makes the token by which VM.migrate_send finds this host, over an address on the network."),
        MessageDeclaration(
            "declare_dead",
            [
                ParameterDeclaration("host", .ref("host"), since: "clearwater")
            ],
            role: .poolOperator, isAsync: true, since: "clearwater"),
        MessageDeclaration(
            "enable_display",
            [
                ParameterDeclaration("host", .ref("host"), since: "cream")
            ],
            result: .enumeration("host_display"), role: .poolOperator, isAsync: true, since: "cream"),
        MessageDeclaration(
            "disable_display",
            [
                ParameterDeclaration("host", .ref("host"), since: "cream")
            ],
            result: .enumeration("host_display"), role: .poolOperator, isAsync: true, since: "cream"),
        MessageDeclaration(
            "set_ssl_legacy",
            [
                ParameterDeclaration("self", .ref("host"), since: "dundee"),
                ParameterDeclaration("value", .bool, since: "dundee"),
            ],
            role: .poolOperator, isAsync: true, since: "dundee", history: History(changed: ["stockholm"])),
        MessageDeclaration(
            "apply_guest_agent_config",
            [
                ParameterDeclaration("host", .ref("host"), since: "dundee")
            ],
            role: .poolAdmin, isAsync: true, since: "dundee", isHidden: true),
        MessageDeclaration(
            "mxgpu_vf_setup",
            [
                ParameterDeclaration("host", .ref("host"), since: "falcon")
            ],
            role: .vmOperator, isAsync: true, since: "falcon", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "nvidia_vf_setup",
            [
                ParameterDeclaration("host", .ref("host"), since: "quebec"),
                ParameterDeclaration("pf", .ref("PCI"), since: "quebec"),
                ParameterDeclaration("enable", .bool, since: "quebec"),
            ],
            role: .vmOperator, isAsync: true, since: "quebec", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "allocate_resources_for_vm",
            [
                ParameterDeclaration("self", .ref("host"), since: "inverness"),
                ParameterDeclaration("vm", .ref("VM"), since: "inverness"),
                ParameterDeclaration("live", .bool, since: "inverness"),
            ],
            role: .vmOperator, isAsync: true, since: "inverness", isHidden: true,
            text: "Looks that host and VM are there; what the VM needs is taken when it starts."),
        MessageDeclaration(
            "set_iscsi_iqn",
            [
                ParameterDeclaration("host", .ref("host"), since: "kolkata"),
                ParameterDeclaration("value", .string, since: "kolkata"),
            ],
            role: .poolOperator, isAsync: true, since: "kolkata"),
        MessageDeclaration(
            "set_multipathing",
            [
                ParameterDeclaration("host", .ref("host"), since: "kolkata"),
                ParameterDeclaration("value", .bool, since: "kolkata"),
            ],
            role: .poolOperator, isAsync: true, since: "kolkata"),
        MessageDeclaration(
            "write_uefi_certificates_to_disk",
            [
                ParameterDeclaration("host", .ref("host"), since: "22.16.0")
            ],
            role: .localRootOnly, isAsync: true, since: "22.16.0", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "set_uefi_certificates",
            [
                ParameterDeclaration("host", .ref("host"), since: "quebec"),
                ParameterDeclaration("value", .string, since: "quebec"),
            ],
            role: .localRootOnly, isAsync: true, since: "quebec", state: .deprecated,
            history: History(deprecated: "22.16.0")),
        MessageDeclaration(
            "notify_accept_new_pool_secret",
            [
                ParameterDeclaration("host", .ref("host"), since: "stockholm_psr"),
                ParameterDeclaration("old_ps", .string, since: "stockholm_psr", isSecret: true),
                ParameterDeclaration("new_ps", .string, since: "stockholm_psr", isSecret: true),
            ],
            role: .localRootOnly, isAsync: true, since: "stockholm_psr", isHidden: true),
        MessageDeclaration(
            "notify_send_new_pool_secret",
            [
                ParameterDeclaration("host", .ref("host"), since: "stockholm_psr"),
                ParameterDeclaration("old_ps", .string, since: "stockholm_psr", isSecret: true),
                ParameterDeclaration("new_ps", .string, since: "stockholm_psr", isSecret: true),
            ],
            role: .localRootOnly, isAsync: true, since: "stockholm_psr", isHidden: true),
        MessageDeclaration(
            "cleanup_pool_secret",
            [
                ParameterDeclaration("host", .ref("host"), since: "stockholm_psr"),
                ParameterDeclaration("old_ps", .string, since: "stockholm_psr", isSecret: true),
                ParameterDeclaration("new_ps", .string, since: "stockholm_psr", isSecret: true),
            ],
            role: .localRootOnly, isAsync: true, since: "stockholm_psr", isHidden: true),
        MessageDeclaration(
            "set_sched_gran",
            [
                ParameterDeclaration("self", .ref("host"), since: "1.271.0"),
                ParameterDeclaration("value", .enumeration("host_sched_gran"), since: "1.271.0"),
            ],
            role: .localRootOnly, isAsync: true, since: "1.271.0"),
        MessageDeclaration(
            "get_sched_gran",
            [
                ParameterDeclaration("self", .ref("host"), since: "1.271.0")
            ],
            result: .enumeration("host_sched_gran"), role: .localRootOnly, isAsync: true, since: "1.271.0"),
        MessageDeclaration(
            "set_numa_affinity_policy",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .enumeration("host_numa_affinity_policy")),
            ],
            role: .poolAdmin, isAsync: true, since: "24.0.0", state: .prototyped),
        MessageDeclaration("emergency_disable_tls_verification", role: .localRootOnly, since: "1.290.0"),
        MessageDeclaration("emergency_reenable_tls_verification", role: .localRootOnly, since: "1.298.0"),
        MessageDeclaration(
            "cert_distrib_atom",
            [
                ParameterDeclaration("host", .ref("host"), since: "1.295.0"),
                ParameterDeclaration("command", .string, since: "1.295.0"),
            ],
            result: .string, role: .localRootOnly, isAsync: true, since: "1.295.0", isHidden: true, isPoolInternal: true
        ),
        MessageDeclaration(
            "apply_updates",
            [
                ParameterDeclaration("self", .ref("host"), since: "1.301.0"),
                ParameterDeclaration("hash", .string, since: "1.301.0"),
            ],
            result: .set(.set(.string)), role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.301.0"),
        MessageDeclaration(
            "rescan_drivers",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.2.0", state: .prototyped),
        MessageDeclaration(
            "copy_primary_host_certs",
            [
                ParameterDeclaration("host", .ref("host"), since: "1.307.0")
            ],
            role: .poolAdmin, isAsync: true, since: "1.307.0", isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "set_https_only",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolOperator, isAsync: true, since: "22.27.0", state: .prototyped),
        MessageDeclaration(
            "apply_recommended_guidances",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            role: .poolOperator, isAsync: true, since: "23.18.0", state: .removed, history: History(removed: "23.25.0")),
        MessageDeclaration(
            "emergency_clear_mandatory_guidance", role: .localRootOnly, since: "24.10.0", state: .prototyped),
        MessageDeclaration(
            "enable_ssh",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.13.0", state: .prototyped),
        MessageDeclaration(
            "disable_ssh",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.13.0", state: .prototyped),
        MessageDeclaration(
            "set_ssh_enabled_timeout",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolAdmin, isAsync: true, since: "25.21.0", state: .prototyped),
        MessageDeclaration(
            "set_console_idle_timeout",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolAdmin, isAsync: true, since: "25.21.0", state: .prototyped),
        MessageDeclaration(
            "set_ssh_auto_mode",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolAdmin, isAsync: true, since: "25.27.0", state: .prototyped),
        MessageDeclaration(
            "get_tracked_user_agents",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            result: .map(.string, .string), role: .readOnly, isAsync: true, since: "25.34.0", state: .prototyped),
        MessageDeclaration(
            "update_firewalld_service_status", role: .poolOperator, since: "25.34.0", state: .prototyped,
            isHidden: true, isPoolInternal: true),
        MessageDeclaration(
            "set_max_cstate",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolOperator, isAsync: true, since: "26.0.0", state: .prototyped),
        MessageDeclaration(
            "set_ntp_mode",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .enumeration("host_ntp_mode")),
            ],
            role: .poolOperator, isAsync: true, since: "26.0.0", state: .prototyped),
        MessageDeclaration(
            "set_ntp_custom_servers",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .set(.string)),
            ],
            role: .poolOperator, isAsync: true, since: "26.0.0", state: .prototyped),
        MessageDeclaration(
            "get_ntp_servers_status",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            result: .map(.string, .string), role: .readOnly, isAsync: true, since: "26.0.0", state: .prototyped),
        MessageDeclaration(
            "set_timezone",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolOperator, isAsync: true, since: "26.0.0", state: .prototyped),
        MessageDeclaration(
            "list_timezones",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            result: .set(.string), role: .readOnly, isAsync: true, since: "26.0.0", state: .prototyped),
        MessageDeclaration(
            "get_ntp_synchronized",
            [
                ParameterDeclaration("self", .ref("host"))
            ],
            result: .bool, role: .readOnly, isAsync: true, since: "26.0.0", state: .prototyped),
        MessageDeclaration(
            "set_servertime",
            [
                ParameterDeclaration("self", .ref("host")),
                ParameterDeclaration("value", .datetime),
            ],
            role: .poolOperator, isAsync: true, since: "26.0.0", state: .prototyped),
    ]
}
