extension ClassDeclaration {
    static let poolMessages2: [MessageDeclaration] = [
        MessageDeclaration(
            "get_license_state",
            [
                ParameterDeclaration("self", .ref("pool"), since: "clearwater")
            ],
            result: .map(.string, .string), role: .readOnly, isAsync: true, since: "clearwater",
            text: "The edition in use and when it ends: never."),
        MessageDeclaration(
            "apply_edition",
            [
                ParameterDeclaration("self", .ref("pool"), since: "clearwater"),
                ParameterDeclaration("edition", .string, since: "clearwater"),
            ],
            role: .poolOperator, isAsync: true, since: "clearwater",
            text: "Applies an edition to all hosts. There is one, and it is applied already: another is "
                + "refused by name."),
        MessageDeclaration(
            "enable_ssl_legacy",
            [
                ParameterDeclaration("self", .ref("pool"), since: "dundee")
            ],
            role: .poolOperator, isAsync: true, since: "dundee", state: .removed,
            history: History(deprecated: "dundee", removed: "stockholm")),
        MessageDeclaration(
            "disable_ssl_legacy",
            [
                ParameterDeclaration("self", .ref("pool"), since: "dundee")
            ],
            role: .poolOperator, isAsync: true, since: "dundee", state: .deprecated,
            history: History(deprecated: "stockholm")),
        MessageDeclaration(
            "set_igmp_snooping_enabled",
            [
                ParameterDeclaration("self", .ref("pool"), since: "inverness"),
                ParameterDeclaration("value", .bool, since: "inverness"),
            ],
            role: .poolOperator, isAsync: true, since: "inverness"),
        MessageDeclaration(
            "has_extension",
            [
                ParameterDeclaration("self", .ref("pool"), since: "dundee"),
                ParameterDeclaration("name", .string, since: "dundee"),
            ],
            result: .bool, role: .poolAdmin, isAsync: true, since: "dundee",
            text: "Whether the hosts have an extension of this name. They have none."),
        MessageDeclaration(
            "add_to_guest_agent_config",
            [
                ParameterDeclaration("self", .ref("pool"), since: "dundee"),
                ParameterDeclaration("key", .string, since: "dundee"),
                ParameterDeclaration("value", .string, since: "dundee"),
            ],
            role: .poolAdmin, isAsync: true, since: "dundee"),
        MessageDeclaration(
            "remove_from_guest_agent_config",
            [
                ParameterDeclaration("self", .ref("pool"), since: "dundee"),
                ParameterDeclaration("key", .string, since: "dundee"),
            ],
            role: .poolAdmin, isAsync: true, since: "dundee"),
        MessageDeclaration(
            "rotate_secret", role: .poolAdmin, isAsync: true,
            errors: [
                "INTERNAL_ERROR", "HOST_IS_SLAVE", "CANNOT_CONTACT_HOST", "HA_IS_ENABLED",
                "NOT_SUPPORTED_DURING_UPGRADE",
            ],
            since: "stockholm_psr"),
        MessageDeclaration(
            "set_repositories",
            [
                ParameterDeclaration("self", .ref("pool"), since: "1.301.0"),
                ParameterDeclaration("value", .set(.ref("Repository")), since: "1.301.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.301.0"),
        MessageDeclaration(
            "add_repository",
            [
                ParameterDeclaration("self", .ref("pool"), since: "1.301.0"),
                ParameterDeclaration("value", .ref("Repository"), since: "1.301.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.301.0"),
        MessageDeclaration(
            "remove_repository",
            [
                ParameterDeclaration("self", .ref("pool"), since: "1.301.0"),
                ParameterDeclaration("value", .ref("Repository"), since: "1.301.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.301.0"),
        MessageDeclaration(
            "sync_updates",
            [
                ParameterDeclaration("self", .ref("pool"), since: "1.329.0"),
                ParameterDeclaration("force", .bool, since: "1.329.0"),
                ParameterDeclaration("token", .string, .string(""), since: "1.329.0"),
                ParameterDeclaration("token_id", .string, .string(""), since: "1.329.0"),
                ParameterDeclaration("username", .string, .string(""), since: "25.7.0"),
                ParameterDeclaration("password", .string, .string(""), since: "25.7.0"),
            ],
            result: .string, role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.329.0",
            history: History(changed: ["25.7.0"])),
        MessageDeclaration(
            "check_update_readiness",
            [
                ParameterDeclaration("self", .ref("pool"), since: "1.304.0"),
                ParameterDeclaration("requires_reboot", .bool, since: "1.304.0"),
            ],
            result: .set(.set(.string)), role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.304.0"),
        MessageDeclaration(
            "enable_client_certificate_auth",
            [
                ParameterDeclaration("self", .ref("pool"), since: "1.318.0"),
                ParameterDeclaration("name", .string, since: "1.318.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.318.0"),
        MessageDeclaration(
            "disable_client_certificate_auth",
            [
                ParameterDeclaration("self", .ref("pool"), since: "1.318.0")
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "1.318.0"),
        MessageDeclaration(
            "configure_repository_proxy",
            [
                ParameterDeclaration("self", .ref("pool"), since: "21.3.0"),
                ParameterDeclaration("url", .string, since: "21.3.0"),
                ParameterDeclaration("username", .string, since: "21.3.0"),
                ParameterDeclaration("password", .string, since: "21.3.0"),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "21.3.0"),
        MessageDeclaration(
            "disable_repository_proxy",
            [
                ParameterDeclaration("self", .ref("pool"), since: "21.4.0")
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "21.4.0"),
        MessageDeclaration(
            "set_uefi_certificates",
            [
                ParameterDeclaration("self", .ref("pool"), since: "22.16.0"),
                ParameterDeclaration("value", .string, since: "22.16.0"),
            ],
            role: .poolAdmin, isAsync: true, since: "22.16.0", state: .deprecated,
            history: History(deprecated: "24.0.0")),
        MessageDeclaration(
            "set_custom_uefi_certificates",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolAdmin, isAsync: true, since: "24.0.0", state: .prototyped),
        MessageDeclaration(
            "set_https_only",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolOperator, isAsync: true, since: "22.27.0", state: .prototyped),
        MessageDeclaration(
            "set_telemetry_next_collection",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .datetime),
            ],
            role: .poolAdmin, isAsync: true, since: "23.9.0", state: .prototyped),
        MessageDeclaration(
            "reset_telemetry_uuid",
            [
                ParameterDeclaration("self", .ref("pool"))
            ],
            role: .poolAdmin, isAsync: true, since: "23.9.0", state: .prototyped),
        MessageDeclaration(
            "configure_update_sync",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("update_sync_frequency", .enumeration("update_sync_frequency")),
                ParameterDeclaration("update_sync_day", .int),
            ],
            role: .poolOperator, isAsync: true, since: "23.18.0", state: .prototyped),
        MessageDeclaration(
            "set_update_sync_enabled",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolOperator, isAsync: true, since: "23.18.0", state: .prototyped),
        MessageDeclaration(
            "set_local_auth_max_threads",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolOperator, since: "23.27.0", state: .prototyped),
        MessageDeclaration(
            "set_ext_auth_max_threads",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolOperator, since: "23.27.0", state: .prototyped),
        MessageDeclaration(
            "set_ext_auth_cache_enabled",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolOperator, isAsync: true, since: "24.31.0", state: .prototyped),
        MessageDeclaration(
            "set_ext_auth_cache_size",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolOperator, isAsync: true, since: "24.31.0", state: .prototyped),
        MessageDeclaration(
            "set_ext_auth_cache_expiry",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolOperator, isAsync: true, since: "24.31.0", state: .prototyped),
        MessageDeclaration(
            "get_guest_secureboot_readiness",
            [
                ParameterDeclaration("self", .ref("pool"))
            ],
            result: .enumeration("pool_guest_secureboot_readiness"), role: .poolOperator, since: "24.17.0",
            state: .prototyped),
        MessageDeclaration(
            "enable_ssh",
            [
                ParameterDeclaration("self", .ref("pool"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.13.0", state: .prototyped),
        MessageDeclaration(
            "disable_ssh",
            [
                ParameterDeclaration("self", .ref("pool"))
            ],
            role: .poolAdmin, isAsync: true, since: "25.13.0", state: .prototyped),
        MessageDeclaration(
            "set_ssh_enabled_timeout",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolAdmin, isAsync: true, since: "25.21.0", state: .prototyped),
        MessageDeclaration(
            "set_console_idle_timeout",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .int),
            ],
            role: .poolAdmin, isAsync: true, since: "25.21.0", state: .prototyped),
        MessageDeclaration(
            "set_ssh_auto_mode",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolAdmin, isAsync: true, since: "25.27.0", state: .prototyped),
        MessageDeclaration(
            "install_trusted_certificate",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("ca", .bool),
                ParameterDeclaration("cert", .string),
                ParameterDeclaration("purpose", .set(.enumeration("certificate_purpose"))),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "26.13.0", state: .prototyped),
        MessageDeclaration(
            "uninstall_trusted_certificate",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("certificate", .ref("Certificate")),
            ],
            role: .poolOperatorOrClientCertificate, isAsync: true, since: "26.13.0", state: .prototyped),
        MessageDeclaration(
            "sync_trusted_certificates_from",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("remote_pool", .string),
                ParameterDeclaration("remote_session", .ref("session")),
                ParameterDeclaration("remote_certificate", .string),
                ParameterDeclaration("ca", .bool),
            ],
            result: .set(.ref("Certificate")), role: .poolOperatorOrClientCertificate, isAsync: true, since: "26.16.0",
            state: .prototyped),
        MessageDeclaration(
            "exchange_trusted_certificates_on_join",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("ca", .bool),
                ParameterDeclaration("import", .map(.string, .set(.string))),
                ParameterDeclaration("export", .set(.ref("Certificate"))),
            ],
            result: .map(.string, .set(.string)), role: .poolOperatorOrClientCertificate, isAsync: true,
            since: "26.13.0", state: .prototyped, isHidden: true),
        MessageDeclaration(
            "exchange_crls_on_join",
            [
                ParameterDeclaration("self", .ref("pool")),
                ParameterDeclaration("import", .map(.string, .string)),
                ParameterDeclaration("export", .set(.string)),
            ],
            result: .map(.string, .string), role: .poolOperatorOrClientCertificate, isAsync: true, since: "26.13.0",
            state: .prototyped, isHidden: true),
    ]
}
