extension ClassDeclaration {
    static let pci = ClassDeclaration(
        name: "PCI", since: "boston", defaultRole: .poolOperator,
        fields: pciFields,
        messages: pciMessages)

    private static let pciFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "boston"),
        FieldDeclaration("class_id", .string, .staticReadOnly, .string(""), since: "boston"),
        FieldDeclaration("class_name", .string, .staticReadOnly, .string(""), since: "boston"),
        FieldDeclaration("vendor_id", .string, .staticReadOnly, .string(""), since: "boston"),
        FieldDeclaration("vendor_name", .string, .staticReadOnly, .string(""), since: "boston"),
        FieldDeclaration("device_id", .string, .staticReadOnly, .string(""), since: "boston"),
        FieldDeclaration("device_name", .string, .staticReadOnly, .string(""), since: "boston"),
        FieldDeclaration("host", .ref("host"), .staticReadOnly, .nullRef, since: "boston"),
        FieldDeclaration("pci_id", .string, .staticReadOnly, .string(""), since: "boston"),
        FieldDeclaration("functions", .int, .dynamicReadOnly, .int(1), since: "boston", isInternal: true),
        FieldDeclaration("virtual_functions", .set(.ref("PCI")), .dynamicReadOnly, since: "falcon", isInternal: true),
        FieldDeclaration(
            "physical_function", .ref("PCI"), .staticReadOnly, .nullRef, since: "falcon", isInternal: true),
        FieldDeclaration("attached_VMs", .set(.ref("VM")), .dynamicReadOnly, since: "boston", isInternal: true),
        FieldDeclaration("dependencies", .set(.ref("PCI")), .dynamicReadOnly, since: "boston"),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "boston", setterRole: .poolOperator),
        FieldDeclaration("subsystem_vendor_id", .string, .staticReadOnly, .string(""), since: "clearwater-whetstone"),
        FieldDeclaration("subsystem_vendor_name", .string, .staticReadOnly, .string(""), since: "clearwater-whetstone"),
        FieldDeclaration("subsystem_device_id", .string, .staticReadOnly, .string(""), since: "clearwater-whetstone"),
        FieldDeclaration("subsystem_device_name", .string, .staticReadOnly, .string(""), since: "clearwater-whetstone"),
        FieldDeclaration(
            "scheduled_to_be_attached_to", .ref("VM"), .dynamicReadOnly, .nullRef, since: "falcon", isInternal: true),
        FieldDeclaration("driver_name", .string, .staticReadOnly, .string(""), since: "kolkata"),
    ]

    private static let pciMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "disable_dom0_access",
            [
                ParameterDeclaration("self", .ref("PCI"))
            ],
            result: .enumeration("pci_dom0_access"), role: .poolOperator, isAsync: true, since: "24.14.0",
            state: .prototyped),
        MessageDeclaration(
            "enable_dom0_access",
            [
                ParameterDeclaration("self", .ref("PCI"))
            ],
            result: .enumeration("pci_dom0_access"), role: .poolOperator, isAsync: true, since: "24.14.0",
            state: .prototyped),
        MessageDeclaration(
            "get_dom0_access_status",
            [
                ParameterDeclaration("self", .ref("PCI"))
            ],
            result: .enumeration("pci_dom0_access"), role: .poolOperator, isAsync: true, since: "24.14.0",
            state: .prototyped),
    ]
}
