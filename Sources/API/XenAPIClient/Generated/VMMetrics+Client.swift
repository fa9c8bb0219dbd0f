// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VM_metrics`. What is measured of a VM.
public struct VMMetricsRecord: XenRecord {
    /// Identifies the object.
    public var uuid: String
    /// The memory that the VM has, bytes.
    public var memoryActual: Int64
    /// The virtual processors that it has.
    public var vcpusNumber: Int64
    public var vcpusUtilisation: [Int64: Double]?
    public var vcpusCPU: [Int64: Int64]
    public var vcpusParams: [String: String]
    public var vcpusFlags: [Int64: [String]]
    public var state: [String]
    /// When it was started.
    public var startTime: APIDate
    /// When it was installed.
    public var installTime: APIDate
    /// When it was measured.
    public var lastUpdated: APIDate
    public var otherConfig: [String: String]
    public var hvm: Bool
    public var nestedVirt: Bool
    public var nomigrate: Bool
    public var currentDomainType: Open<DomainType>?
    public var numaOptimised: Bool?
    public var numaNodes: Int64?
    public var numaNodeMemory: [Int64: Int64]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VM_metrics")
        uuid = try record.field("uuid")
        memoryActual = try record.field("memory_actual")
        vcpusNumber = try record.field("VCPUs_number")
        vcpusUtilisation = try record.optional("VCPUs_utilisation")
        vcpusCPU = try record.field("VCPUs_CPU")
        vcpusParams = try record.field("VCPUs_params")
        vcpusFlags = try record.field("VCPUs_flags")
        state = try record.field("state")
        startTime = try record.field("start_time")
        installTime = try record.field("install_time")
        lastUpdated = try record.field("last_updated")
        otherConfig = try record.field("other_config")
        hvm = try record.field("hvm")
        nestedVirt = try record.field("nested_virt")
        nomigrate = try record.field("nomigrate")
        currentDomainType = try record.optional("current_domain_type")
        numaOptimised = try record.optional("numa_optimised")
        numaNodes = try record.optional("numa_nodes")
        numaNodeMemory = try record.optional("numa_node_memory")
    }
}

extension VMMetrics: RecordClass { public typealias Record = VMMetricsRecord }

/// The messages of the class `VM_metrics`.
public struct VMMetricsCalls: ObjectCalls, ListingCalls {
    public typealias Class = VMMetrics
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
