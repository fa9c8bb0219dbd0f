extension ClassDeclaration {
    static let vmMetrics = ClassDeclaration(
        name: "VM_metrics", since: "rio", defaultRole: .vmAdmin,
        text: "What is measured of a VM.",
        fields: vmMetricsFields,
        messages: [])

    private static let vmMetricsFields: [FieldDeclaration] = [
        FieldDeclaration(
            "uuid", .string, .dynamicReadOnly, since: "rio",
            text: "Identifies the object."),
        FieldDeclaration(
            "memory_actual", .int, .dynamicReadOnly, since: "rio", path: ["memory", "actual"], isPersistent: false,
            text: "The memory that the VM has, bytes."),
        FieldDeclaration(
            "VCPUs_number", .int, .dynamicReadOnly, since: "rio", path: ["VCPUs", "number"],
            text: "The virtual processors that it has."),
        FieldDeclaration(
            "VCPUs_utilisation", .map(.int, .float), .dynamicReadOnly, .emptyMap, since: "rio", state: .removed,
            history: History(deprecated: "tampa", removed: "tampa"), path: ["VCPUs", "utilisation"],
            isPersistent: false),
        FieldDeclaration(
            "VCPUs_CPU", .map(.int, .int), .dynamicReadOnly, since: "rio", path: ["VCPUs", "CPU"], isPersistent: false),
        FieldDeclaration(
            "VCPUs_params", .map(.string, .string), .dynamicReadOnly, since: "rio", path: ["VCPUs", "params"],
            isPersistent: false),
        FieldDeclaration(
            "VCPUs_flags", .map(.int, .set(.string)), .dynamicReadOnly, since: "rio", path: ["VCPUs", "flags"],
            isPersistent: false),
        FieldDeclaration("state", .set(.string), .dynamicReadOnly, since: "rio", isPersistent: false),
        FieldDeclaration(
            "start_time", .datetime, .dynamicReadOnly, since: "rio",
            text: "When it was started."),
        FieldDeclaration(
            "install_time", .datetime, .dynamicReadOnly, since: "rio",
            text: "When it was installed."),
        FieldDeclaration(
            "last_updated", .datetime, .dynamicReadOnly, since: "rio", isPersistent: false,
            text: "When it was measured."),
        FieldDeclaration(
            "other_config", .map(.string, .string), .readWrite, .emptyMap, since: "orlando", setterRole: .vmAdmin,
            isPersistent: false),
        FieldDeclaration("hvm", .bool, .dynamicReadOnly, .bool(false), since: "ely", isPersistent: false),
        FieldDeclaration("nested_virt", .bool, .dynamicReadOnly, .bool(false), since: "ely", isPersistent: false),
        FieldDeclaration("nomigrate", .bool, .dynamicReadOnly, .bool(false), since: "ely", isPersistent: false),
        FieldDeclaration(
            "current_domain_type", .enumeration("domain_type"), .dynamicReadOnly, .string("unspecified"),
            since: "kolkata", history: History(prototyped: "jura")),
        FieldDeclaration("numa_optimised", .bool, .staticReadOnly, .bool(false), since: "26.2.0", state: .prototyped),
        FieldDeclaration("numa_nodes", .int, .staticReadOnly, .int(0), since: "26.2.0", state: .prototyped),
        FieldDeclaration(
            "numa_node_memory", .map(.int, .int), .dynamicReadOnly, .emptyMap, since: "26.2.0", state: .prototyped),
    ]
}
