extension ClassDeclaration {
    static let cluster = ClassDeclaration(
        name: "Cluster", since: "lima", history: History(prototyped: "kolkata"), defaultRole: .poolOperator,
        fields: clusterFields,
        messages: clusterMessages)

    private static let clusterFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "lima", history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "cluster_hosts", .set(.ref("Cluster_host")), .dynamicReadOnly, since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration("pending_forget", .set(.string), .dynamicReadOnly, .emptySet, since: "lima"),
        FieldDeclaration(
            "cluster_token", .string, .staticReadOnly, .string(""), since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "cluster_stack", .string, .staticReadOnly, .string("corosync"), since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration("cluster_stack_version", .int, .staticReadOnly, .int(2), since: "24.15.0", state: .prototyped),
        FieldDeclaration("is_quorate", .bool, .dynamicReadOnly, .bool(false), since: "24.3.0", state: .prototyped),
        FieldDeclaration("quorum", .int, .dynamicReadOnly, .int(0), since: "24.3.0", state: .prototyped),
        FieldDeclaration("live_hosts", .int, .dynamicReadOnly, .int(0), since: "24.3.0", state: .prototyped),
        FieldDeclaration("expected_hosts", .int, .dynamicReadOnly, .int(0), since: "25.17.0", state: .prototyped),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("cluster_operation")), .dynamicReadOnly, .emptySet, since: "rio",
            isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("cluster_operation")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "pool_auto_join", .bool, .staticReadOnly, .bool(true), since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "token_timeout", .float, .staticReadOnly, .float(20), since: "lima",
            history: History(prototyped: "kolkata", changed: ["lima"])),
        FieldDeclaration(
            "token_timeout_coefficient", .float, .staticReadOnly, .float(1), since: "lima",
            history: History(prototyped: "kolkata", changed: ["lima"])),
        FieldDeclaration(
            "cluster_config", .map(.string, .string), .staticReadOnly, .emptyMap, since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "lima",
            history: History(prototyped: "kolkata"), setterRole: .poolOperator),
    ]

    private static let clusterMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("PIF", .ref("PIF"), since: "kolkata"),
                ParameterDeclaration("cluster_stack", .string, since: "kolkata"),
                ParameterDeclaration("pool_auto_join", .bool, since: "kolkata"),
                ParameterDeclaration("token_timeout", .float, .float(20), since: "kolkata"),
                ParameterDeclaration("token_timeout_coefficient", .float, .float(1), since: "kolkata"),
            ],
            result: .ref("Cluster"), role: .poolOperator, isAsync: true,
            errors: ["INVALID_CLUSTER_STACK", "INVALID_VALUE", "PIF_ALLOWS_UNPLUG", "REQUIRED_PIF_IS_UNPLUGGED"],
            since: "lima", history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("Cluster"), since: "lima")
            ],
            role: .poolOperator, isAsync: true, errors: ["CLUSTER_DOES_NOT_HAVE_ONE_NODE", "CLUSTER_STACK_IN_USE"],
            since: "lima", history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "get_network",
            [
                ParameterDeclaration("self", .ref("Cluster"), since: "lima")
            ],
            result: .ref("network"), role: .readOnly, isAsync: true, since: "lima",
            history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "pool_create",
            [
                ParameterDeclaration("network", .ref("network"), since: "kolkata"),
                ParameterDeclaration("cluster_stack", .string, since: "kolkata"),
                ParameterDeclaration("token_timeout", .float, .float(20), since: "kolkata"),
                ParameterDeclaration("token_timeout_coefficient", .float, .float(1), since: "kolkata"),
            ],
            result: .ref("Cluster"), role: .poolOperator, isAsync: true, since: "lima",
            history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "pool_force_destroy",
            [
                ParameterDeclaration("self", .ref("Cluster"), since: "lima")
            ],
            role: .poolOperator, isAsync: true, errors: ["CLUSTER_FORCE_DESTROY_FAILED"], since: "lima",
            history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "pool_destroy",
            [
                ParameterDeclaration("self", .ref("Cluster"), since: "lima")
            ],
            role: .poolOperator, isAsync: true,
            errors: ["CLUSTER_STACK_IN_USE", "CLUSTERING_DISABLED", "CLUSTER_HOST_IS_LAST"], since: "lima",
            history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "pool_resync",
            [
                ParameterDeclaration("self", .ref("Cluster"), since: "lima")
            ],
            role: .poolOperator, isAsync: true, since: "lima", history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "cstack_sync",
            [
                ParameterDeclaration("self", .ref("Cluster"), since: "lima")
            ],
            role: .poolOperator, isAsync: true, since: "lima", history: History(prototyped: "kolkata"), isHidden: true,
            isPoolInternal: true),
    ]
}
