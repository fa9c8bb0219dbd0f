// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VM_metrics`.
public enum VMMetrics: XenClass {
    public static let className = "VM_metrics"

    public static let uuid = FieldKey<VMMetrics, String>("uuid")
    public static let memoryActual = FieldKey<VMMetrics, Int64>("memory_actual")
    public static let vcpusNumber = FieldKey<VMMetrics, Int64>("VCPUs_number")
    public static let vcpusUtilisation = FieldKey<VMMetrics, [Int64: Double]>("VCPUs_utilisation")
    public static let vcpusCPU = FieldKey<VMMetrics, [Int64: Int64]>("VCPUs_CPU")
    public static let vcpusParams = FieldKey<VMMetrics, [String: String]>("VCPUs_params")
    public static let vcpusFlags = FieldKey<VMMetrics, [Int64: [String]]>("VCPUs_flags")
    public static let state = FieldKey<VMMetrics, [String]>("state")
    public static let startTime = FieldKey<VMMetrics, APIDate>("start_time")
    public static let installTime = FieldKey<VMMetrics, APIDate>("install_time")
    public static let lastUpdated = FieldKey<VMMetrics, APIDate>("last_updated")
    public static let otherConfig = FieldKey<VMMetrics, [String: String]>("other_config")
    public static let hvm = FieldKey<VMMetrics, Bool>("hvm")
    public static let nestedVirt = FieldKey<VMMetrics, Bool>("nested_virt")
    public static let nomigrate = FieldKey<VMMetrics, Bool>("nomigrate")
    public static let currentDomainType = FieldKey<VMMetrics, DomainType>("current_domain_type")
    public static let numaOptimised = FieldKey<VMMetrics, Bool>("numa_optimised")
    public static let numaNodes = FieldKey<VMMetrics, Int64>("numa_nodes")
    public static let numaNodeMemory = FieldKey<VMMetrics, [Int64: Int64]>("numa_node_memory")
}
