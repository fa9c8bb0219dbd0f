extension ClassDeclaration {
    static let vdi = ClassDeclaration(
        name: "VDI", since: "rio", hasCreateDestroy: true, defaultRole: .vmAdmin,
        text: "A virtual disk.",
        fields: vdiFields,
        messages: vdiMessages)

    private static let vdiFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the disk."),
        FieldDeclaration(
            "name_label", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "label"],
            text: "The disk's name."),
        FieldDeclaration(
            "name_description", .string, .staticReadOnly, .string(""), since: "rio", path: ["name", "description"],
            text: "What its owner wrote about it."),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vdi_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false,
            text: "What may be asked of it now."),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vdi_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false,
            text: "What is being done with it, by task."),
        FieldDeclaration(
            "SR", .ref("SR"), .staticReadOnly, since: "rio",
            text: "The repository that holds it."),
        FieldDeclaration(
            "VBDs", .set(.ref("VBD")), .dynamicReadOnly, since: "rio",
            text: "Where it is attached."),
        FieldDeclaration(
            "crash_dumps", .set(.ref("crashdump")), .dynamicReadOnly, since: "rio",
            text: "Crash dumps that it holds."),
        FieldDeclaration(
            "virtual_size", .int, .staticReadOnly, since: "rio",
            text: "The size that a guest sees, bytes."),
        FieldDeclaration(
            "physical_utilisation", .int, .dynamicReadOnly, since: "rio",
            text: "The room that it takes in the repository, bytes."),
        FieldDeclaration(
            "type", .enumeration("vdi_type"), .staticReadOnly, since: "rio",
            text: "What it is for."),
        FieldDeclaration(
            "sharable", .bool, .staticReadOnly, since: "rio",
            text: "Whether several VMs may write it at once."),
        FieldDeclaration(
            "read_only", .bool, .staticReadOnly, since: "rio",
            text: "Whether it must not be written."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .vmAdmin,
            mapKeyRoles: ["folder": .vmOperator, "XenCenter.CustomFields.*": .vmOperator],
            text: "For notes."),
        FieldDeclaration(
            "storage_lock", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether the repository has it locked."),
        FieldDeclaration(
            "location", .string, .dynamicReadOnly, .string(""), since: "miami",
            text: "Its name in the repository."),
        FieldDeclaration(
            "managed", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether the toolstack made it."),
        FieldDeclaration(
            "missing", .bool, .dynamicReadOnly, since: "rio",
            text: "Whether the last scan did not find it."),
        FieldDeclaration(
            "parent", .ref("VDI"), .dynamicReadOnly, since: "rio", state: .deprecated,
            history: History(deprecated: "ely"),
            text: "Not used."),
        FieldDeclaration(
            "xenstore_data", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .vmAdmin,
            text: "Entries for the guest."),
        FieldDeclaration(
            "sm_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .vmAdmin,
            text: "Choices of the storage manager; `image-format` is the format of the image."),
        FieldDeclaration(
            "is_a_snapshot", .bool, .dynamicReadOnly, .bool(false), since: "orlando",
            text: "Whether it is a snapshot."),
        FieldDeclaration(
            "snapshot_of", .ref("VDI"), .dynamicReadOnly, .nullRef, since: "orlando",
            text: "The disk that it is a snapshot of."),
        FieldDeclaration(
            "snapshots", .set(.ref("VDI")), .dynamicReadOnly, since: "orlando",
            text: "Its snapshots."),
        FieldDeclaration(
            "snapshot_time", .datetime, .dynamicReadOnly, .never, since: "orlando",
            text: "When the snapshot was made."),
        FieldDeclaration(
            "tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator,
            text: "Words to find it by."),
        FieldDeclaration(
            "allow_caching", .bool, .dynamicReadOnly, .bool(false), since: "cowley",
            text: "Whether hosts may cache it."),
        FieldDeclaration(
            "on_boot", .enumeration("on_boot"), .dynamicReadOnly, .string("persist"), since: "cowley",
            text: "Whether it keeps what was written when its VM starts again."),
        FieldDeclaration(
            "metadata_of_pool", .ref("pool"), .dynamicReadOnly, .nullRef, since: "boston",
            text: "The pool whose database it holds."),
        FieldDeclaration(
            "metadata_latest", .bool, .dynamicReadOnly, .bool(false), since: "boston",
            text: "Whether that database is the latest."),
        FieldDeclaration(
            "is_tools_iso", .bool, .dynamicReadOnly, .bool(false), since: "dundee",
            text: "Whether it holds the guest tools."),
        FieldDeclaration(
            "cbt_enabled", .bool, .dynamicReadOnly, .bool(false), since: "inverness",
            text: "Whether it is known which blocks changed."),
    ]

    private static let vdiMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "snapshot",
            [
                ParameterDeclaration("vdi", .ref("VDI")),
                ParameterDeclaration("driver_params", .map(.string, .string), .emptyMap, since: "miami"),
            ],
            result: .ref("VDI"), role: .vmAdmin, isAsync: true, since: "rio",
            text: "Keeps the content as it is now."),
        MessageDeclaration(
            "clone",
            [
                ParameterDeclaration("vdi", .ref("VDI")),
                ParameterDeclaration("driver_params", .map(.string, .string), .emptyMap, since: "miami"),
            ],
            result: .ref("VDI"), role: .vmAdmin, isAsync: true, since: "rio",
            text: "Makes a writable disk with the same content."),
        MessageDeclaration(
            "resize",
            [
                ParameterDeclaration("vdi", .ref("VDI")),
                ParameterDeclaration("size", .int),
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Changes the size; the content stays."),
        MessageDeclaration(
            "resize_online",
            [
                ParameterDeclaration("vdi", .ref("VDI")),
                ParameterDeclaration("size", .int),
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            history: History(deprecated: "inverness", removed: "inverness"),
            text: "Changes the size of a disk that may be in use."),
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("uuid", .string),
                ParameterDeclaration("name_label", .string),
                ParameterDeclaration("name_description", .string),
                ParameterDeclaration("SR", .ref("SR")),
                ParameterDeclaration("type", .enumeration("vdi_type")),
                ParameterDeclaration("sharable", .bool),
                ParameterDeclaration("read_only", .bool),
                ParameterDeclaration("other_config", .map(.string, .string)),
                ParameterDeclaration("location", .string),
                ParameterDeclaration("xenstore_data", .map(.string, .string), .emptyMap),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
                ParameterDeclaration("managed", .bool, .bool(true), since: "tampa"),
                ParameterDeclaration("virtual_size", .int, .int(0), since: "tampa"),
                ParameterDeclaration("physical_utilisation", .int, .int(0), since: "tampa"),
                ParameterDeclaration("metadata_of_pool", .ref("pool"), .nullRef, since: "tampa"),
                ParameterDeclaration("is_a_snapshot", .bool, .bool(false), since: "tampa"),
                ParameterDeclaration("snapshot_time", .datetime, .never, since: "tampa"),
                ParameterDeclaration("snapshot_of", .ref("VDI"), .nullRef, since: "tampa"),
            ],
            result: .ref("VDI"), role: .vmAdmin, isAsync: true, errors: ["SR_OPERATION_NOT_SUPPORTED"], since: "miami",
            text: "Makes an image in a repository known as a disk."),
        MessageDeclaration(
            "pool_introduce",
            [
                ParameterDeclaration("uuid", .string, since: "miami"),
                ParameterDeclaration("name_label", .string, since: "miami"),
                ParameterDeclaration("name_description", .string, since: "miami"),
                ParameterDeclaration("SR", .ref("SR"), since: "miami"),
                ParameterDeclaration("type", .enumeration("vdi_type"), since: "miami"),
                ParameterDeclaration("sharable", .bool, since: "miami"),
                ParameterDeclaration("read_only", .bool, since: "miami"),
                ParameterDeclaration("other_config", .map(.string, .string), since: "miami"),
                ParameterDeclaration("location", .string, since: "miami"),
                ParameterDeclaration("xenstore_data", .map(.string, .string), .emptyMap, since: "miami"),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
                ParameterDeclaration("managed", .bool, .bool(true), since: "tampa"),
                ParameterDeclaration("virtual_size", .int, .int(0), since: "tampa"),
                ParameterDeclaration("physical_utilisation", .int, .int(0), since: "tampa"),
                ParameterDeclaration("metadata_of_pool", .ref("pool"), .nullRef, since: "tampa"),
                ParameterDeclaration("is_a_snapshot", .bool, .bool(false), since: "tampa"),
                ParameterDeclaration("snapshot_time", .datetime, .never, since: "tampa"),
                ParameterDeclaration("snapshot_of", .ref("VDI"), .nullRef, since: "tampa"),
                ParameterDeclaration("cbt_enabled", .bool, .bool(false), since: "inverness"),
            ],
            result: .ref("VDI"), role: .vmAdmin, isAsync: true, since: "rio", isHidden: true),
        MessageDeclaration(
            "db_introduce",
            [
                ParameterDeclaration("uuid", .string, since: "miami"),
                ParameterDeclaration("name_label", .string, since: "miami"),
                ParameterDeclaration("name_description", .string, since: "miami"),
                ParameterDeclaration("SR", .ref("SR"), since: "miami"),
                ParameterDeclaration("type", .enumeration("vdi_type"), since: "miami"),
                ParameterDeclaration("sharable", .bool, since: "miami"),
                ParameterDeclaration("read_only", .bool, since: "miami"),
                ParameterDeclaration("other_config", .map(.string, .string), since: "miami"),
                ParameterDeclaration("location", .string, since: "miami"),
                ParameterDeclaration("xenstore_data", .map(.string, .string), .emptyMap, since: "miami"),
                ParameterDeclaration("sm_config", .map(.string, .string), .emptyMap, since: "miami"),
                ParameterDeclaration("managed", .bool, .bool(true), since: "tampa"),
                ParameterDeclaration("virtual_size", .int, .int(0), since: "tampa"),
                ParameterDeclaration("physical_utilisation", .int, .int(0), since: "tampa"),
                ParameterDeclaration("metadata_of_pool", .ref("pool"), .nullRef, since: "tampa"),
                ParameterDeclaration("is_a_snapshot", .bool, .bool(false), since: "tampa"),
                ParameterDeclaration("snapshot_time", .datetime, .never, since: "tampa"),
                ParameterDeclaration("snapshot_of", .ref("VDI"), .nullRef, since: "tampa"),
                ParameterDeclaration("cbt_enabled", .bool, .bool(false), since: "inverness"),
            ],
            result: .ref("VDI"), role: .localRootOnly, isAsync: true, since: "rio", isHidden: true,
            text: "Makes the row of a disk that a storage driver has found or made in its repository; for that "
                + "driver alone."),
        MessageDeclaration(
            "db_forget",
            [
                ParameterDeclaration("vdi", .ref("VDI"), since: "miami")
            ],
            role: .localRootOnly, isAsync: true, since: "miami", isHidden: true,
            text: "Takes the row of a disk away that is no longer in its repository; for its storage driver alone."),
        MessageDeclaration(
            "update",
            [
                ParameterDeclaration("vdi", .ref("VDI"), since: "symc")
            ],
            role: .vmAdmin, isAsync: true, errors: ["SR_OPERATION_NOT_SUPPORTED"], since: "symc",
            text: "Reads the disk's sizes anew."),
        MessageDeclaration(
            "copy",
            [
                ParameterDeclaration("vdi", .ref("VDI")),
                ParameterDeclaration("sr", .ref("SR"), .nullRef),
                ParameterDeclaration("base_vdi", .ref("VDI"), .nullRef, since: "clearwater-felton"),
                ParameterDeclaration("into_vdi", .ref("VDI"), .nullRef, since: "clearwater-felton"),
            ],
            result: .ref("VDI"), role: .vmAdmin, isAsync: true,
            errors: ["VDI_READONLY", "VDI_TOO_SMALL", "VDI_NOT_SPARSE"], since: "rio",
            history: History(changed: ["cowley", "clearwater-felton"]),
            text: "Makes a full copy in another repository."),
        MessageDeclaration(
            "force_unlock",
            [
                ParameterDeclaration("vdi", .ref("VDI"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio", state: .deprecated, history: History(deprecated: "miami"),
            isHidden: true),
        MessageDeclaration(
            "set_managed",
            [
                ParameterDeclaration("self", .ref("VDI")),
                ParameterDeclaration("value", .bool),
            ],
            role: .localRootOnly, since: "rio", isHidden: true,
            text: "Says whether the disk is one for users, or something that other disks stand on; for its storage "
                + "driver alone."),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("vdi", .ref("VDI"))
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Removes the disk from the database; the content stays."),
        MessageDeclaration(
            "set_sharable",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "george"),
                ParameterDeclaration("value", .bool, since: "george"),
            ],
            role: .vmAdmin, since: "george",
            text: "Whether several VMs may write it at once."),
        MessageDeclaration(
            "set_read_only",
            [
                ParameterDeclaration("self", .ref("VDI")),
                ParameterDeclaration("value", .bool),
            ],
            role: .vmAdmin, since: "rio",
            text: "Whether it must not be written."),
        MessageDeclaration(
            "set_missing",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "miami"),
                ParameterDeclaration("value", .bool, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true,
            text: "Says whether the disk's image was not found when its repository was scanned; for its storage "
                + "driver alone."),
        MessageDeclaration(
            "set_virtual_size",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true,
            text: "Records how large the disk is for guests, in bytes; for its storage driver alone."),
        MessageDeclaration(
            "set_physical_utilisation",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "miami"),
                ParameterDeclaration("value", .int, since: "miami"),
            ],
            role: .localRootOnly, since: "miami", isHidden: true,
            text: "Records how much space the disk takes in its repository, in bytes; for its storage driver alone."),
        MessageDeclaration(
            "set_is_a_snapshot",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "boston"),
                ParameterDeclaration("value", .bool, since: "boston"),
            ],
            role: .localRootOnly, since: "boston", isHidden: true,
            text: "Says whether the disk is a snapshot of another; for its storage driver alone."),
        MessageDeclaration(
            "set_snapshot_of",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "boston"),
                ParameterDeclaration("value", .ref("VDI"), since: "boston"),
            ],
            role: .localRootOnly, since: "boston", isHidden: true,
            text: "Says which disk the snapshot is of; for its storage driver alone."),
        MessageDeclaration(
            "set_snapshot_time",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "boston"),
                ParameterDeclaration("value", .datetime, since: "boston"),
            ],
            role: .localRootOnly, since: "boston", isHidden: true,
            text: "Says when the snapshot was made; for its storage driver alone."),
        MessageDeclaration(
            "set_metadata_of_pool",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "boston"),
                ParameterDeclaration("value", .ref("pool"), since: "boston"),
            ],
            role: .localRootOnly, since: "boston", isHidden: true,
            text: "Says which pool's metadata the disk holds; for its storage driver alone."),
        MessageDeclaration(
            "set_name_label",
            [
                ParameterDeclaration("self", .ref("VDI")),
                ParameterDeclaration("value", .string),
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Changes the name."),
        MessageDeclaration(
            "set_name_description",
            [
                ParameterDeclaration("self", .ref("VDI")),
                ParameterDeclaration("value", .string),
            ],
            role: .vmAdmin, isAsync: true, since: "rio",
            text: "Changes the description."),
        MessageDeclaration(
            "generate_config",
            [
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("vdi", .ref("VDI"), since: "orlando"),
            ],
            result: .string, role: .vmAdmin, isAsync: true, since: "orlando", isHidden: true,
            text: "What the disk's storage driver needs to attach it without a toolstack, in the driver's own words."),
        MessageDeclaration(
            "set_on_boot",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "cowley"),
                ParameterDeclaration("value", .enumeration("on_boot"), since: "cowley"),
            ],
            role: .vmAdmin, isAsync: true, since: "cowley",
            text: "Whether the disk keeps what was written when its VM starts again."),
        MessageDeclaration(
            "set_allow_caching",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "cowley"),
                ParameterDeclaration("value", .bool, since: "cowley"),
            ],
            role: .vmAdmin, isAsync: true, since: "cowley",
            text: "Whether hosts may cache it."),
        MessageDeclaration(
            "open_database",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "boston")
            ],
            result: .ref("session"), role: .poolOperator, isAsync: true, since: "boston"),
        MessageDeclaration(
            "checksum",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "boston")
            ],
            result: .string, role: .vmAdmin, isAsync: true, since: "boston", isHidden: true),
        MessageDeclaration(
            "read_database_pool_uuid",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "boston")
            ],
            result: .string, role: .readOnly, isAsync: true, since: "boston"),
        MessageDeclaration(
            "pool_migrate",
            [
                ParameterDeclaration("vdi", .ref("VDI"), since: "tampa"),
                ParameterDeclaration("sr", .ref("SR"), since: "tampa"),
                ParameterDeclaration("options", .map(.string, .string), since: "tampa"),
            ],
            result: .ref("VDI"), role: .vmPowerAdmin, isAsync: true, since: "tampa",
            text: "Moves the disk to another repository, another format, or both, also while it is written."),
        // Ours: no other server has it.
        MessageDeclaration(
            "plan_pool_migrate",
            [
                ParameterDeclaration("vdi", .ref("VDI"), since: "26.17.0"),
                ParameterDeclaration("sr", .ref("SR"), since: "26.17.0"),
                ParameterDeclaration("options", .map(.string, .string), since: "26.17.0"),
            ],
            result: .string, role: .vmPowerAdmin, isAsync: true, since: "26.17.0", state: .prototyped,
            text: "What VDI.pool_migrate with the same arguments would do, as a JSON object; nothing is changed."),
        MessageDeclaration(
            "enable_cbt",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "inverness")
            ],
            role: .vmAdmin, isAsync: true,
            errors: [
                "SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS",
                "OPERATION_NOT_ALLOWED", "VDI_INCOMPATIBLE_TYPE", "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",
            ],
            since: "inverness",
            text: "Begins to track which blocks of 64 KiB of the disk change, in a new set of logs; a guest "
                + "that uses it goes on."),
        MessageDeclaration(
            "disable_cbt",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "inverness")
            ],
            role: .vmAdmin, isAsync: true,
            errors: [
                "SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS",
                "OPERATION_NOT_ALLOWED", "VDI_INCOMPATIBLE_TYPE", "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",
            ],
            since: "inverness",
            text: "Ends the tracking of the disk's changes. Snapshots keep their logs; with what comes "
                + "later they cannot be compared."),
        MessageDeclaration(
            "set_cbt_enabled",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "inverness"),
                ParameterDeclaration("value", .bool, since: "inverness"),
            ],
            role: .localRootOnly, isAsync: true, since: "inverness", isHidden: true,
            text: "Records whether the changed blocks of the disk are tracked; for its storage driver alone."),
        MessageDeclaration(
            "data_destroy",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "inverness")
            ],
            role: .vmAdmin, isAsync: true,
            errors: [
                "SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS",
                "OPERATION_NOT_ALLOWED", "VDI_INCOMPATIBLE_TYPE", "VDI_NO_CBT_METADATA", "VDI_IN_USE",
                "VDI_IS_A_PHYSICAL_DEVICE",
            ],
            since: "inverness",
            text: "Deletes a tracked snapshot's data and keeps the log of changed blocks: the VDI is then "
                + "of type cbt_metadata. Waits a few seconds for its VBDs to go."),
        MessageDeclaration(
            "list_changed_blocks",
            [
                ParameterDeclaration("vdi_from", .ref("VDI"), since: "inverness"),
                ParameterDeclaration("vdi_to", .ref("VDI"), since: "inverness"),
            ],
            result: .string, role: .vmOperator, isAsync: true,
            errors: ["SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS", "VDI_IN_USE"],
            since: "inverness",
            text: "The blocks of 64 KiB that may differ between two snapshots of one set of logs, or a "
                + "snapshot and its disk, the earlier first: one bit each in base64, the first block in the "
                + "highest bit of the first byte. The disk may have moved since."),
        MessageDeclaration(
            "get_nbd_info",
            [
                ParameterDeclaration("self", .ref("VDI"), since: "inverness")
            ],
            result: .set(.record("vdi_nbd_server_info")), role: .vmAdmin, errors: ["VDI_INCOMPATIBLE_TYPE"],
            since: "inverness",
            text:
                "Where the VDI can be read over NBD, one record for each address: on the networks of purpose nbd (in TLS) or "
                + "insecure_nbd. The name of the export is good for as long as the caller's session. None where no network has such a purpose."
        ),
        MessageDeclaration(
            "revert",
            [
                ParameterDeclaration("snapshot", .ref("VDI"))
            ],
            role: .vmPowerAdmin, isAsync: true, errors: ["UNIMPLEMENTED_IN_SM_BACKEND"], since: "26.16.0",
            state: .prototyped,
            text: "Gives the disk that the snapshot is of, unattached, the snapshot's content."),
    ]
}
