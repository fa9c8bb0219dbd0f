extension ClassDeclaration {
    static let network = ClassDeclaration(
        name: "network", since: "rio", hasCreateDestroy: true, defaultRole: .vmAdmin,
        text: "What network interfaces of hosts and VMs are connected to.",
        fields: networkFields,
        messages: networkMessages)

    private static let networkFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the network."),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "label"],
            text: "The network's name."),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "description"],
            text: "What the administrator wrote about it."),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("network_operations")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("network_operations")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "VIFs", .set(.ref("VIF")), .dynamicReadOnly, since: "rio",
            text: "The interfaces of VMs on it."),
        FieldDeclaration(
            "PIFs", .set(.ref("PIF")), .dynamicReadOnly, since: "rio",
            text: "The interfaces of hosts on it."),
        FieldDeclaration(
            "MTU", .int, .readWrite, .int(1500), since: "midnight-ride", setterRole: .vmAdmin,
            text: "The longest packet, bytes."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, since: "rio", setterRole: .poolOperator,
            mapKeyRoles: [
                "folder": .vmOperator, "XenCenter.CustomFields.*": .vmOperator,
                "XenCenterCreateInProgress": .vmOperator,
            ],
            text: "For notes."),
        FieldDeclaration(
            "bridge", .string, .staticReadOnly, .string(""), since: "rio", history: History(changed: ["falcon"]),
            text: "The bridge on the hosts."),
        FieldDeclaration(
            "managed", .bool, .staticReadOnly, .bool(true), since: "falcon",
            text: "Whether the toolstack looks after the bridge."),
        FieldDeclaration("blobs", .map(.string, .ref("blob")), .dynamicReadOnly, .emptyMap, since: "orlando"),
        FieldDeclaration(
            "tags", .set(.string), .readWrite, .emptySet, since: "orlando", setterRole: .vmOperator,
            text: "Words to find the network by."),
        FieldDeclaration(
            "default_locking_mode", .enumeration("network_default_locking_mode"), .dynamicReadOnly, .string("unlocked"),
            since: "tampa"),
        FieldDeclaration("assigned_ips", .map(.ref("VIF"), .string), .dynamicReadOnly, .emptyMap, since: "creedence"),
        FieldDeclaration(
            "purpose", .set(.enumeration("network_purpose")), .dynamicReadOnly, .emptySet, since: "inverness"),
    ]

    private static let networkMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "attach",
            [
                ParameterDeclaration("network", .ref("network"), since: "miami"),
                ParameterDeclaration("host", .ref("host"), since: "miami"),
            ],
            role: .poolOperator, isAsync: true, since: "miami", isHidden: true),
        MessageDeclaration(
            "pool_introduce",
            [
                ParameterDeclaration("name_label", .string, since: "miami"),
                ParameterDeclaration("name_description", .string, since: "miami"),
                ParameterDeclaration("MTU", .int, since: "miami"),
                ParameterDeclaration("other_config", .map(.string, .string), since: "miami"),
                ParameterDeclaration("bridge", .string, since: "miami"),
                ParameterDeclaration("managed", .bool, since: "falcon"),
                ParameterDeclaration("purpose", .set(.enumeration("network_purpose")), since: "inverness"),
            ],
            result: .ref("network"), role: .poolOperator, isAsync: true, since: "rio", isHidden: true,
            text: "Enters a network that the pool knows."),
        MessageDeclaration(
            "create_new_blob",
            [
                ParameterDeclaration("network", .ref("network"), since: "orlando"),
                ParameterDeclaration("name", .string, since: "orlando"),
                ParameterDeclaration("mime_type", .string, since: "orlando"),
                ParameterDeclaration("public", .bool, .bool(false), since: "tampa"),
            ],
            result: .ref("blob"), role: .poolOperator, isAsync: true, since: "orlando",
            text: "Makes an empty blob of the network, whose content is put and read at /blob."),
        MessageDeclaration(
            "set_default_locking_mode",
            [
                ParameterDeclaration("network", .ref("network"), since: "tampa"),
                ParameterDeclaration("value", .enumeration("network_default_locking_mode"), since: "tampa"),
            ],
            role: .poolOperator, isAsync: true, since: "tampa",
            text: "Sets how interfaces are locked to addresses where they say nothing themselves."),
        MessageDeclaration(
            "attach_for_vm",
            [
                ParameterDeclaration("host", .ref("host"), since: "tampa"),
                ParameterDeclaration("vm", .ref("VM"), since: "tampa"),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "tampa", isHidden: true,
            text: "Looks that the host has the networks of the VM. Another toolstack asks so that sends it here."),
        MessageDeclaration(
            "detach_for_vm",
            [
                ParameterDeclaration("host", .ref("host"), since: "tampa"),
                ParameterDeclaration("vm", .ref("VM"), since: "tampa"),
            ],
            role: .vmPowerAdmin, isAsync: true, since: "tampa", isHidden: true,
            text: "Undoes `attach_for_vm`, of which nothing is left."),
        MessageDeclaration(
            "add_purpose",
            [
                ParameterDeclaration("self", .ref("network"), since: "inverness"),
                ParameterDeclaration("value", .enumeration("network_purpose"), since: "inverness"),
            ],
            role: .poolAdmin, isAsync: true, errors: ["NETWORK_INCOMPATIBLE_PURPOSES"], since: "inverness",
            text: "Adds a purpose; refused where another network has one that excludes it."),
        MessageDeclaration(
            "remove_purpose",
            [
                ParameterDeclaration("self", .ref("network"), since: "inverness"),
                ParameterDeclaration("value", .enumeration("network_purpose"), since: "inverness"),
            ],
            role: .poolAdmin, isAsync: true, since: "inverness",
            text: "Takes a purpose away."),
    ]
}
