extension ClassDeclaration {
    static let clusterHost = ClassDeclaration(
        name: "Cluster_host", since: "lima", history: History(prototyped: "kolkata"), defaultRole: .poolOperator,
        fields: clusterHostFields,
        messages: clusterHostMessages)

    private static let clusterHostFields: [FieldDeclaration] = [
        FieldDeclaration("uuid", .string, .dynamicReadOnly, since: "lima", history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "cluster", .ref("Cluster"), .staticReadOnly, .nullRef, since: "lima",
            history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "host", .ref("host"), .staticReadOnly, .nullRef, since: "lima", history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "enabled", .bool, .dynamicReadOnly, .bool(false), since: "lima", history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "PIF", .ref("PIF"), .staticReadOnly, .nullRef, since: "lima", history: History(prototyped: "kolkata")),
        FieldDeclaration(
            "joined", .bool, .dynamicReadOnly, .bool(true), since: "lima", history: History(prototyped: "kolkata")),
        FieldDeclaration("live", .bool, .dynamicReadOnly, .bool(false), since: "24.3.0", state: .prototyped),
        FieldDeclaration("last_update_live", .datetime, .dynamicReadOnly, .never, since: "24.3.0", state: .prototyped),
        FieldDeclaration(
            "allowed_operations", .set(.enumeration("cluster_host_operation")), .dynamicReadOnly, .emptySet,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "current_operations", .map(.string, .enumeration("cluster_host_operation")), .dynamicReadOnly, .emptyMap,
            since: "rio", isPersistent: false),
        FieldDeclaration(
            "other_config", .map(.string, .string), .staticReadOnly, .emptyMap, since: "lima",
            history: History(prototyped: "kolkata")),
    ]

    private static let clusterHostMessages: [MessageDeclaration] = [
        MessageDeclaration(
            "create",
            [
                ParameterDeclaration("cluster", .ref("Cluster"), since: "lima"),
                ParameterDeclaration("host", .ref("host"), since: "lima"),
                ParameterDeclaration("pif", .ref("PIF"), since: "lima"),
            ],
            result: .ref("Cluster_host"), role: .poolOperator, isAsync: true,
            errors: ["PIF_NOT_ATTACHED_TO_HOST", "NO_CLUSTER_HOSTS_REACHABLE"], since: "lima",
            history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "destroy",
            [
                ParameterDeclaration("self", .ref("Cluster_host"), since: "lima")
            ],
            role: .poolOperator, isAsync: true,
            errors: ["CLUSTER_STACK_IN_USE", "CLUSTERING_DISABLED", "CLUSTER_HOST_IS_LAST"], since: "lima",
            history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "enable",
            [
                ParameterDeclaration("self", .ref("Cluster_host"), since: "lima")
            ],
            role: .poolOperator, isAsync: true, errors: ["PIF_ALLOWS_UNPLUG", "REQUIRED_PIF_IS_UNPLUGGED"],
            since: "lima", history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "force_destroy",
            [
                ParameterDeclaration("self", .ref("Cluster_host"), since: "lima")
            ],
            role: .poolOperator, isAsync: true, errors: ["CLUSTER_STACK_IN_USE"], since: "lima",
            history: History(prototyped: "kolkata")),
        MessageDeclaration(
            "forget",
            [
                ParameterDeclaration("self", .ref("Cluster_host"), since: "lima")
            ],
            role: .localRootOnly, isAsync: true, since: "lima", isHidden: true),
        MessageDeclaration(
            "disable",
            [
                ParameterDeclaration("self", .ref("Cluster_host"), since: "lima")
            ],
            role: .poolOperator, isAsync: true, errors: ["CLUSTER_STACK_IN_USE"], since: "lima",
            history: History(prototyped: "kolkata")),
    ]
}
