extension ClassDeclaration {
    static let pif = ClassDeclaration(
        name: "PIF", since: "rio", defaultRole: .poolOperator,
        text: "A network interface of a host.",
        fields: pifFields,
        messages: pifMessages)

    private static let pifFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the interface."),
        FieldDeclaration(
            "device", .string, .staticReadOnly, since: "rio",
            text: "Its name on the host."),
        FieldDeclaration(
            "network", .ref("network"), .staticReadOnly, since: "rio",
            text: "The network that it is on."),
        FieldDeclaration(
            "host", .ref("host"), .staticReadOnly, since: "rio",
            text: "The host that has it."),
        FieldDeclaration(
            "MAC", .string, .staticReadOnly, since: "rio",
            text: "Its hardware address."),
        FieldDeclaration(
            "MTU", .int, .staticReadOnly, since: "rio",
            text: "The longest packet, bytes."),
        FieldDeclaration(
            "VLAN", .int, .staticReadOnly, since: "rio",
            text: "The VLAN's number; -1 for none."),
        FieldDeclaration("device_name", .string, .readWrite, since: "rio", setterRole: .poolOperator, isInternal: true),
        FieldDeclaration(
            "metrics", .ref("PIF_metrics"), .dynamicReadOnly, since: "rio",
            text: "What is measured of it."),
        FieldDeclaration(
            "physical", .bool, .dynamicReadOnly, .bool(false), since: "miami",
            text: "Whether it is a piece of hardware."),
        FieldDeclaration(
            "currently_attached", .bool, .dynamicReadOnly, .bool(true), since: "miami",
            text: "Whether it is up."),
        FieldDeclaration(
            "ip_configuration_mode", .enumeration("ip_configuration_mode"), .dynamicReadOnly, .string("None"),
            since: "miami",
            text: "How it gets its address."),
        FieldDeclaration(
            "IP", .string, .dynamicReadOnly, .string(""), since: "miami",
            text: "Its IPv4 address."),
        FieldDeclaration(
            "netmask", .string, .dynamicReadOnly, .string(""), since: "miami",
            text: "The mask of that address."),
        FieldDeclaration(
            "gateway", .string, .dynamicReadOnly, .string(""), since: "miami",
            text: "The way out of its network."),
        FieldDeclaration(
            "DNS", .string, .dynamicReadOnly, .string(""), since: "miami",
            text: "Name servers, separated by commas."),
        FieldDeclaration("bond_slave_of", .ref("Bond"), .dynamicReadOnly, .nullRef, since: "miami"),
        FieldDeclaration("bond_master_of", .set(.ref("Bond")), .dynamicReadOnly, since: "miami"),
        FieldDeclaration("VLAN_master_of", .ref("VLAN"), .dynamicReadOnly, .nullRef, since: "miami"),
        FieldDeclaration("VLAN_slave_of", .set(.ref("VLAN")), .dynamicReadOnly, since: "miami"),
        FieldDeclaration(
            "management", .bool, .dynamicReadOnly, .bool(false), since: "miami",
            text: "Whether the API is reached over it."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "miami", setterRole: .poolOperator,
            text: "For notes."),
        FieldDeclaration("disallow_unplug", .bool, .dynamicReadOnly, .bool(false), since: "orlando"),
        FieldDeclaration("tunnel_access_PIF_of", .set(.ref("tunnel")), .dynamicReadOnly, since: "cowley"),
        FieldDeclaration("tunnel_transport_PIF_of", .set(.ref("tunnel")), .dynamicReadOnly, since: "cowley"),
        FieldDeclaration(
            "ipv6_configuration_mode", .enumeration("ipv6_configuration_mode"), .dynamicReadOnly, .string("None"),
            since: "tampa"),
        FieldDeclaration("IPv6", .set(.string), .dynamicReadOnly, .emptySet, since: "tampa"),
        FieldDeclaration("ipv6_gateway", .string, .dynamicReadOnly, .string(""), since: "tampa"),
        FieldDeclaration(
            "primary_address_type", .enumeration("primary_address_type"), .dynamicReadOnly, .string("IPv4"),
            since: "tampa"),
        FieldDeclaration("managed", .bool, .staticReadOnly, .bool(true), since: "vgpu-productisation"),
        FieldDeclaration("properties", .map(.string, .string), .dynamicReadOnly, .emptyMap, since: "creedence"),
        FieldDeclaration("capabilities", .set(.string), .dynamicReadOnly, .emptySet, since: "dundee"),
        FieldDeclaration(
            "igmp_snooping_status", .enumeration("pif_igmp_status"), .dynamicReadOnly, .string("unknown"),
            since: "inverness"),
        FieldDeclaration("sriov_physical_PIF_of", .set(.ref("network_sriov")), .dynamicReadOnly, since: "kolkata"),
        FieldDeclaration("sriov_logical_PIF_of", .set(.ref("network_sriov")), .dynamicReadOnly, since: "kolkata"),
        FieldDeclaration("PCI", .ref("PCI"), .dynamicReadOnly, .nullRef, since: "kolkata"),
    ]

    private static let pifMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create_VLAN",
            [
                ParameterDeclaration("device", .string),
                ParameterDeclaration("network", .ref("network")),
                ParameterDeclaration("host", .ref("host")),
                ParameterDeclaration("VLAN", .int),
            ],
            result: .ref("PIF"), role: .poolOperator, isAsync: true, errors: ["VLAN_TAG_INVALID"], since: "rio",
            state: .deprecated, history: History(deprecated: "miami")),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("PIF"))
            ],
            role: .poolOperator, isAsync: true, errors: ["PIF_IS_PHYSICAL"], since: "rio", state: .deprecated,
            history: History(deprecated: "miami")),
        MessageDeclaration(
            "reconfigure_ip",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "miami"),
                ParameterDeclaration("mode", .enumeration("ip_configuration_mode"), since: "miami"),
                ParameterDeclaration("IP", .string, since: "miami"),
                ParameterDeclaration("netmask", .string, since: "miami"),
                ParameterDeclaration("gateway", .string, since: "miami"),
                ParameterDeclaration("DNS", .string, since: "miami"),
            ],
            role: .poolOperator, isAsync: true, errors: ["CLUSTERING_ENABLED"], since: "miami"),
        MessageDeclaration(
            "reconfigure_ipv6",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "tampa"),
                ParameterDeclaration("mode", .enumeration("ipv6_configuration_mode"), since: "tampa"),
                ParameterDeclaration("IPv6", .string, since: "tampa"),
                ParameterDeclaration("gateway", .string, since: "tampa"),
                ParameterDeclaration("DNS", .string, since: "tampa"),
            ],
            role: .poolOperator, isAsync: true, errors: ["CLUSTERING_ENABLED"], since: "tampa"),
        MessageDeclaration(
            "set_primary_address_type",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "tampa"),
                ParameterDeclaration("primary_address_type", .enumeration("primary_address_type"), since: "tampa"),
            ],
            role: .poolOperator, isAsync: true, since: "tampa"),
        MessageDeclaration(
            "scan",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, since: "miami",
            text: "Looks for the host's interfaces, and enters those that are new."),
        MessageDeclaration(
            "introduce",
            [
                ParameterDeclaration("host", .ref("host"), since: "miami"),
                ParameterDeclaration("MAC", .string, since: "miami"),
                ParameterDeclaration("device", .string, since: "miami"),
                ParameterDeclaration("managed", .bool, .bool(true), since: "vgpu-productisation"),
            ],
            result: .ref("PIF"), role: .poolOperator, isAsync: true, since: "miami"),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, errors: ["PIF_TUNNEL_STILL_EXISTS", "CLUSTERING_ENABLED"],
            since: "miami"),
        MessageDeclaration(
            "unplug",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "miami")
            ],
            role: .poolOperator, isAsync: true,
            errors: [
                "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", "VIF_IN_USE", "PIF_DOES_NOT_ALLOW_UNPLUG",
                "PIF_HAS_FCOE_SR_IN_USE",
            ],
            since: "miami"),
        MessageDeclaration(
            "set_disallow_unplug",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "orlando"),
                ParameterDeclaration("value", .bool, since: "orlando"),
            ],
            role: .poolOperator, isAsync: true, errors: ["OTHER_OPERATION_IN_PROGRESS", "CLUSTERING_ENABLED"],
            since: "orlando"),
        MessageDeclaration(
            "plug",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "miami")
            ],
            role: .poolOperator, isAsync: true, errors: ["TRANSPORT_PIF_NOT_CONFIGURED"], since: "miami"),
        MessageDeclaration(
            "pool_introduce",
            [
                ParameterDeclaration("device", .string, since: "miami"),
                ParameterDeclaration("network", .ref("network"), since: "miami"),
                ParameterDeclaration("host", .ref("host"), since: "miami"),
                ParameterDeclaration("MAC", .string, since: "miami"),
                ParameterDeclaration("MTU", .int, since: "miami"),
                ParameterDeclaration("VLAN", .int, since: "miami"),
                ParameterDeclaration("physical", .bool, since: "miami"),
                ParameterDeclaration("ip_configuration_mode", .enumeration("ip_configuration_mode"), since: "miami"),
                ParameterDeclaration("IP", .string, since: "miami"),
                ParameterDeclaration("netmask", .string, since: "miami"),
                ParameterDeclaration("gateway", .string, since: "miami"),
                ParameterDeclaration("DNS", .string, since: "miami"),
                ParameterDeclaration("bond_slave_of", .ref("Bond"), since: "miami"),
                ParameterDeclaration("VLAN_master_of", .ref("VLAN"), since: "miami"),
                ParameterDeclaration("management", .bool, since: "miami"),
                ParameterDeclaration("other_config", .map(.string, .string), since: "miami"),
                ParameterDeclaration("disallow_unplug", .bool, .bool(false), since: "orlando"),
                ParameterDeclaration(
                    "ipv6_configuration_mode", .enumeration("ipv6_configuration_mode"), .string("None"),
                    since: "boston"),
                ParameterDeclaration("IPv6", .set(.string), .emptySet, since: "boston"),
                ParameterDeclaration("ipv6_gateway", .string, .string(""), since: "boston"),
                ParameterDeclaration(
                    "primary_address_type", .enumeration("primary_address_type"), .string("IPv4"), since: "boston"),
                ParameterDeclaration("managed", .bool, .bool(true), since: "vgpu-productisation"),
                ParameterDeclaration("properties", .map(.string, .string), .emptyMap, since: "creedence"),
            ],
            result: .ref("PIF"), role: .poolOperator, isAsync: true, since: "rio", isHidden: true),
        MessageDeclaration(
            "db_introduce",
            [
                ParameterDeclaration("device", .string, since: "orlando"),
                ParameterDeclaration("network", .ref("network"), since: "orlando"),
                ParameterDeclaration("host", .ref("host"), since: "orlando"),
                ParameterDeclaration("MAC", .string, since: "orlando"),
                ParameterDeclaration("MTU", .int, since: "orlando"),
                ParameterDeclaration("VLAN", .int, since: "orlando"),
                ParameterDeclaration("physical", .bool, since: "orlando"),
                ParameterDeclaration("ip_configuration_mode", .enumeration("ip_configuration_mode"), since: "orlando"),
                ParameterDeclaration("IP", .string, since: "orlando"),
                ParameterDeclaration("netmask", .string, since: "orlando"),
                ParameterDeclaration("gateway", .string, since: "orlando"),
                ParameterDeclaration("DNS", .string, since: "orlando"),
                ParameterDeclaration("bond_slave_of", .ref("Bond"), since: "orlando"),
                ParameterDeclaration("VLAN_master_of", .ref("VLAN"), since: "orlando"),
                ParameterDeclaration("management", .bool, since: "orlando"),
                ParameterDeclaration("other_config", .map(.string, .string), since: "orlando"),
                ParameterDeclaration("disallow_unplug", .bool, .bool(false), since: "orlando"),
                ParameterDeclaration(
                    "ipv6_configuration_mode", .enumeration("ipv6_configuration_mode"), .string("None"),
                    since: "boston"),
                ParameterDeclaration("IPv6", .set(.string), .emptySet, since: "boston"),
                ParameterDeclaration("ipv6_gateway", .string, .string(""), since: "boston"),
                ParameterDeclaration(
                    "primary_address_type", .enumeration("primary_address_type"), .string("IPv4"), since: "boston"),
                ParameterDeclaration("managed", .bool, .bool(true), since: "vgpu-productisation"),
                ParameterDeclaration("properties", .map(.string, .string), .emptyMap, since: "creedence"),
            ],
            result: .ref("PIF"), role: .poolOperator, isAsync: true, since: "orlando"),
        MessageDeclaration(
            "db_forget",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "orlando")
            ],
            role: .poolOperator, isAsync: true, since: "orlando"),
        MessageDeclaration(
            "set_property",
            [
                ParameterDeclaration("self", .ref("PIF"), since: "creedence"),
                ParameterDeclaration("name", .string, since: "creedence"),
                ParameterDeclaration("value", .string, since: "creedence"),
            ],
            role: .poolOperator, isAsync: true, since: "creedence"),
    ]
}
