extension ClassDeclaration {
    static let sr = ClassDeclaration(
        name: "SR", since: "rio", defaultRole: .poolOperator,
        fields: srFields,
        messages: srMessages)

    private static let srFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("name_label", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "description"]),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("storage_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("storage_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration("VDIs", .set(.ref("VDI")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("PBDs", .set(.ref("PBD")), .dynamicReadOnly, since: "rio"),
        FieldDeclaration("virtual_allocation", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("physical_utilisation", .int, .dynamicReadOnly, since: "rio"),
        FieldDeclaration("physical_size", .int, .staticReadOnly, since: "rio"),
        FieldDeclaration("type", .string, .staticReadOnly, since: "rio"),
        FieldDeclaration("content_type", .string, .staticReadOnly, since: "rio"),
        FieldDeclaration("shared", .bool, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .poolOperator,
            mapKeyRoles: ["folder": .vmOperator, "XenCenter.CustomFields.*": .vmOperator]),
        FieldDeclaration("tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator),
        FieldDeclaration("default_vdi_visibility", .bool, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration(
            "sm_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator),
        FieldDeclaration("blobs", .map(.string, .ref("blob")), .dynamicReadOnly, .emptyMap, since: "orlando"),
        FieldDeclaration("local_cache_enabled", .bool, .dynamicReadOnly, .bool(false), since: "cowley"),
        FieldDeclaration("introduced_by", .ref("DR_task"), .dynamicReadOnly, .nullRef, since: "boston"),
        FieldDeclaration("clustered", .bool, .dynamicReadOnly, .bool(false), since: "dundee"),
        FieldDeclaration("is_tools_sr", .bool, .dynamicReadOnly, .bool(false), since: "dundee"),
    ]

    private static let srMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("device_config", .map(.string, .string)),
                ParameterDeclaration("physical_size", .int),
                ParameterDeclaration("name_label", .string),
                ParameterDeclaration("name_description", .string),
                ParameterDeclaration("type", .string),
                ParameterDeclaration("content_type", .string),
                ParameterDeclaration("shared", .bool),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
            ],
            result: .ref("SR"), role: .poolOperator, isAsync: true, errors: ["SR_UNKNOWN_DRIVER"], since: "rio"),
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("uuid", .string),
                ParameterDeclaration("name_label", .string),
                ParameterDeclaration("name_description", .string),
                ParameterDeclaration("type", .string),
                ParameterDeclaration("content_type", .string),
                ParameterDeclaration("shared", .bool),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
            ],
            result: .ref("SR"), role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "make",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("device_config", .map(.string, .string)),
                ParameterDeclaration("physical_size", .int),
                ParameterDeclaration("name_label", .string),
                ParameterDeclaration("name_description", .string),
                ParameterDeclaration("type", .string),
                ParameterDeclaration("content_type", .string),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "rio", state: .deprecated),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("sr", .ref("SR"))
            ],
            role: .poolOperator, isAsync: true, errors: ["SR_HAS_PBD"], since: "rio"),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("sr", .ref("SR"))
            ],
            role: .poolOperator, isAsync: true, errors: ["SR_HAS_PBD"], since: "rio"),
        MessageDeclaration(
            "update",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "symc")
            ],
            role: .poolOperator, isAsync: true, since: "symc"),
        MessageDeclaration("get_supported_types", result: .set(.string), role: .readOnly, since: "rio"),
        MessageDeclaration(
            "scan",
            [
                ParameterDeclaration("sr", .ref("SR"))
            ],
            role: .vmPowerAdmin, isAsync: true, since: "rio"),
        MessageDeclaration(
            "probe",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("device_config", .map(.string, .string)),
                ParameterDeclaration("type", .string, since: "miami"),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "miami"),
        MessageDeclaration(
            "probe_ext",
            [
                ParameterDeclaration("host", .ref("host"), since: "kolkata"),
                ParameterDeclaration("device_config", .map(.string, .string), since: "kolkata"),
                ParameterDeclaration("type", .string, since: "kolkata"),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "kolkata"),
            ],
            result: .set(.record("probe_result")), role: .poolOperator, isAsync: true, since: "lima"),
        MessageDeclaration(
            "set_shared",
            [
                ParameterDeclaration("sr", .ref("SR")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "set_name_label",
            [
                ParameterDeclaration("sr", .ref("SR")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "set_name_description",
            [
                ParameterDeclaration("sr", .ref("SR")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolOperator, isAsync: true, since: "rio"),
        MessageDeclaration(
            "create_new_blob",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "orlando"),
                ParameterDeclaration("name", .string, since: "orlando"),
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .poolOperator, isAsync: true, since: "orlando"),
        MessageDeclaration(
            "set_physical_size",
            [
                ParameterDeclaration("self", .ref("SR"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .poolOperator, since: "miami"),
        MessageDeclaration(
            "set_virtual_allocation",
            [
                ParameterDeclaration("self", .ref("SR"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true),
        MessageDeclaration(
            "set_physical_utilisation",
            [
                ParameterDeclaration("self", .ref("SR"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true),
        MessageDeclaration(
            "assert_can_host_ha_statefile",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "orlando")
            ],
            role: .poolOperator, isAsync: true, since: "orlando"),
        MessageDeclaration(
            "assert_supports_database_replication",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "enable_database_replication",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "disable_database_replication",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "get_data_sources",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "dundee")
            ],
            result: .set(.record("data_source")), role: .readOnly, since: "dundee"),
        MessageDeclaration(
            "record_data_source",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "dundee"),
                ParameterDeclaration("data_source", .string, since: "dundee"),
            ],
            role: .poolOperator, since: "dundee"),
        MessageDeclaration(
            "query_data_source",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "dundee"),
                ParameterDeclaration("data_source", .string, since: "dundee"),
            ],
            result: .float, role: .readOnly, since: "dundee"),
        MessageDeclaration(
            "forget_data_source_archives",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "dundee"),
                ParameterDeclaration("data_source", .string, since: "dundee"),
            ],
            role: .poolOperator, since: "dundee"),
        MessageDeclaration(
            "get_live_hosts",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "stockholm")
            ],
            result: .set(.ref("host")), role: .poolOperator, isAsync: true, since: "stockholm", isHidden: true),
    ]
}
