extension ClassDeclaration {
    static let sr = ClassDeclaration(
        name: "SR", since: "rio", defaultRole: .poolOperator,
        text: "A storage repository: a place that holds disks.",
        fields: srFields,
        messages: srMessages)

    private static let srFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the repository."),
        FieldDeclaration(
            "name_label", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "label"],
            text: "The repository's name."),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "description"],
            text: "What the administrator wrote about it."),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("storage_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false,
            text: "What may be asked of it now."),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("storage_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false,
            text: "What is being done with it, by task."),
        FieldDeclaration(
            "VDIs", .set(.ref("VDI")), .dynamicReadOnly, since: "rio",
            text: "Its disks."),
        FieldDeclaration(
            "PBDs", .set(.ref("PBD")), .dynamicReadOnly, since: "rio",
            text: "The hosts' connections to it."),
        FieldDeclaration(
            "virtual_allocation", .int, .dynamicReadOnly, since: "rio",
            text: "The sizes of its disks added up, bytes."),
        FieldDeclaration(
            "physical_utilisation", .int, .dynamicReadOnly, since: "rio",
            text: "The room that they take, bytes."),
        FieldDeclaration(
            "physical_size", .int, .staticReadOnly, since: "rio",
            text: "The room that there is, bytes."),
        FieldDeclaration(
            "type", .string, .staticReadOnly, since: "rio",
            text: "The type, which names the storage manager."),
        FieldDeclaration(
            "content_type", .string, .staticReadOnly, since: "rio",
            text: "What kind of disks it holds."),
        FieldDeclaration(
            "shared", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether several hosts can use it at once."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .poolOperator,
            mapKeyRoles: ["folder": .vmOperator, "XenCenter.CustomFields.*": .vmOperator],
            text: "For notes."),
        FieldDeclaration(
            "tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator,
            text: "Words to find it by."),
        FieldDeclaration("default_vdi_visibility", .bool, .dynamicReadOnly, since: "rio", isInternal: true),
        FieldDeclaration(
            "sm_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator,
            text: "Choices of the storage manager; `preferred-image-formats` lists the formats for new disks."),
        FieldDeclaration(
            "blobs", .map(.string, .ref("blob")), .dynamicReadOnly, .emptyMap, since: "orlando",
            text: "Binary data kept with it."),
        FieldDeclaration(
            "local_cache_enabled", .bool, .dynamicReadOnly, .bool(false), since: "cowley",
            text: "Whether it caches disks of others."),
        FieldDeclaration(
            "introduced_by", .ref("DR_task"), .dynamicReadOnly, .nullRef, since: "boston",
            text: "The disaster recovery task that brought it."),
        FieldDeclaration(
            "clustered", .bool, .dynamicReadOnly, .bool(false), since: "dundee",
            text: "Whether its hosts form a cluster."),
        FieldDeclaration(
            "is_tools_sr", .bool, .dynamicReadOnly, .bool(false), since: "dundee",
            text: "Whether it holds the guest tools."),
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
            result: .ref("SR"), role: .poolOperator, isAsync: true, errors: ["SR_UNKNOWN_DRIVER"], since: "rio",
            text: "Makes a new repository and connects this host to it."),
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
            result: .ref("SR"), role: .poolOperator, isAsync: true, since: "rio",
            text: "Makes an existing repository known, unconnected."),
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
            result: .string, role: .poolOperator, isAsync: true, since: "rio", state: .deprecated,
            history: History(deprecated: "miami")),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("sr", .ref("SR"))
            ],
            role: .poolOperator, isAsync: true, errors: ["SR_HAS_PBD"], since: "rio",
            text: "Removes the repository with what it holds; it must be empty."),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("sr", .ref("SR"))
            ],
            role: .poolOperator, isAsync: true, errors: ["SR_HAS_PBD"], since: "rio",
            text: "Removes the repository from the database; what it holds stays."),
        MessageDeclaration(
            "update",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "symc")
            ],
            role: .poolOperator, isAsync: true, since: "symc",
            text: "Reads the repository's sizes anew."),
        MessageDeclaration(
            "get_supported_types", result: .set(.string), role: .readOnly, since: "rio",
            text: "The types that there are managers for."),
        MessageDeclaration(
            "scan",
            [
                ParameterDeclaration("sr", .ref("SR"))
            ],
            role: .vmPowerAdmin, isAsync: true, since: "rio",
            text: "Makes the database agree with what the repository holds."),
        MessageDeclaration(
            "probe",
            [
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("device_config", .map(.string, .string)),
                ParameterDeclaration("type", .string, since: "miami"),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
            ],
            result: .string, role: .poolOperator, isAsync: true, since: "miami",
            text: "Looks what a device has on it."),
        MessageDeclaration(
            "probe_ext",
            [
                ParameterDeclaration("host", .ref("host"), since: "kolkata"),
                ParameterDeclaration("device_config", .map(.string, .string), since: "kolkata"),
                ParameterDeclaration("type", .string, since: "kolkata"),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "kolkata"),
            ],
            result: .set(.record("probe_result")), role: .poolOperator, isAsync: true, since: "lima",
            history: History(prototyped: "kolkata"),
            text: "Looks for SRs at a place, and tells what it found there."),
        MessageDeclaration(
            "set_shared",
            [
                ParameterDeclaration("sr", .ref("SR")),
                ParameterDeclaration("value", .bool),
            ],
            role: .poolOperator, isAsync: true, since: "rio",
            text: "Says whether several hosts may attach it; refused where more hosts have than that allows."),
        MessageDeclaration(
            "set_name_label",
            [
                ParameterDeclaration("sr", .ref("SR")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolOperator, isAsync: true, since: "rio",
            text: "Sets the name."),
        MessageDeclaration(
            "set_name_description",
            [
                ParameterDeclaration("sr", .ref("SR")),
                ParameterDeclaration("value", .string),
            ],
            role: .poolOperator, isAsync: true, since: "rio",
            text: "Sets the description."),
        MessageDeclaration(
            "create_new_blob",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "orlando"),
                ParameterDeclaration("name", .string, since: "orlando"),
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .poolOperator, isAsync: true, since: "orlando",
            text: "Makes an empty blob of the SR, whose content is put and read at /blob."),
        MessageDeclaration(
            "set_physical_size",
            [
                ParameterDeclaration("self", .ref("SR"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .poolOperator, since: "miami",
            text: "Records how large the repository's storage is, in bytes; for its storage driver alone."),
        MessageDeclaration(
            "set_virtual_allocation",
            [
                ParameterDeclaration("self", .ref("SR"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true,
            text: "Records what the virtual sizes of the repository's disks come to, in bytes; for its storage "
                + "driver alone."),
        MessageDeclaration(
            "set_physical_utilisation",
            [
                ParameterDeclaration("self", .ref("SR"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true,
            text: "Records how much of the repository's storage is used, in bytes; for its storage driver alone."),
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
            role: .poolOperator, isAsync: true, since: "boston",
            text: "Throws SR_OPERATION_NOT_SUPPORTED: no SR here can hold a copy of the database."),
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
            result: .set(.record("data_source")), role: .readOnly, since: "dundee",
            text: "What is measured of the SR."),
        MessageDeclaration(
            "record_data_source",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "dundee"),
                ParameterDeclaration("data_source", .string, since: "dundee"),
            ],
            role: .poolOperator, since: "dundee",
            text: "Begins to record a data source."),
        MessageDeclaration(
            "query_data_source",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "dundee"),
                ParameterDeclaration("data_source", .string, since: "dundee"),
            ],
            result: .float, role: .readOnly, since: "dundee",
            text: "The latest value of a data source."),
        MessageDeclaration(
            "forget_data_source_archives",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "dundee"),
                ParameterDeclaration("data_source", .string, since: "dundee"),
            ],
            role: .poolOperator, since: "dundee",
            text: "Drops what was recorded of a data source."),
        MessageDeclaration(
            "get_live_hosts",
            [
                ParameterDeclaration("sr", .ref("SR"), since: "stockholm")
            ],
            result: .set(.ref("host")), role: .poolOperator, isAsync: true, since: "stockholm", isHidden: true),
    ]
}
