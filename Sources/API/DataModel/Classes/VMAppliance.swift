extension ClassDeclaration {
    static let vmAppliance = ClassDeclaration(
        name: "VM_appliance", since: "boston", hasCreateDestroy: true, defaultRole: .poolOperator,
        fields: vmApplianceFields,
        messages: vmApplianceMessages)

    private static let vmApplianceFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "rio"),
        FieldDeclaration(
            "name_label", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "label"]),
        FieldDeclaration(
            "name_description", .string, .readWrite, .string(""), since: "rio", setterRole: .poolOperator,
            path: ["name", "description"]),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("vm_appliance_operation")), .dynamicReadOnly, .emptySet,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("vm_appliance_operation")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration("VMs", .set(.ref("VM")), .dynamicReadOnly, since: "rio"),
    ]

    private static let vmApplianceMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "start",
            [
                ParameterDeclaration("self", .ref("VM_appliance"), since: "boston"),
                ParameterDeclaration("paused", .bool, since: "boston"),
            ],
            role: .poolOperator, isAsync: true, errors: ["OPERATION_PARTIALLY_FAILED"], since: "boston"),
        MessageDeclaration(
            "clean_shutdown",
            [
                ParameterDeclaration("self", .ref("VM_appliance"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, errors: ["OPERATION_PARTIALLY_FAILED"], since: "boston"),
        MessageDeclaration(
            "hard_shutdown",
            [
                ParameterDeclaration("self", .ref("VM_appliance"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, errors: ["OPERATION_PARTIALLY_FAILED"], since: "boston"),
        MessageDeclaration(
            "shutdown",
            [
                ParameterDeclaration("self", .ref("VM_appliance"), since: "boston")
            ],
            role: .poolOperator, isAsync: true, errors: ["OPERATION_PARTIALLY_FAILED"], since: "boston"),
        MessageDeclaration(
            "assert_can_be_recovered",
            [
                ParameterDeclaration("self", .ref("VM_appliance"), since: "boston"),
                ParameterDeclaration("session_to", .ref("session"), since: "boston"),
            ],
            role: .readOnly, isAsync: true, errors: ["VM_REQUIRES_SR"], since: "boston"),
        MessageDeclaration(
            "get_SRs_required_for_recovery",
            [
                ParameterDeclaration("self", .ref("VM_appliance"), since: "creedence"),
                ParameterDeclaration("session_to", .ref("session"), since: "creedence"),
            ],
            result: .set(.ref("SR")), role: .readOnly, isAsync: true, since: "creedence"),
        MessageDeclaration(
            "recover",
            [
                ParameterDeclaration("self", .ref("VM_appliance"), since: "boston"),
                ParameterDeclaration("session_to", .ref("session"), since: "boston"),
                ParameterDeclaration("force", .bool, since: "boston"),
            ],
            role: .readOnly, isAsync: true, errors: ["VM_REQUIRES_SR"], since: "boston"),
    ]
}
