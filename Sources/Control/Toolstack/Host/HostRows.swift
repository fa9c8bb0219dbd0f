import APITypes
import PoolDatabase

/// What the rows of the host, its processors, its pool and its network say, brought up to date with the machine at every
/// start.
enum HostRows {
    static func refresh(
        _ identity: HostIdentity, in tx: Transaction, _ facts: HostFacts, _ machine: MachineFacts,
        _ interfaces: InterfaceScan
    ) throws {
        let host = identity.host
        try tx.set(host, Host.biosStrings, machine.biosStrings)
        try tx.set(host, Host.chipsetInfo, machine.chipset)
        // Guests are fully virtual x86-64 machines, whichever way they are run.
        try tx.set(host, Host.capabilities, ["hvm-3.0-x86_64"])
        try tx.set(host, Host.schedPolicy, "default")
        try tx.set(host, Host.edition, Self.edition)
        try tx.set(host, Host.editions, [Self.edition])
        try tx.set(host, Host.licenseParams, ["sku_type": Self.edition])
        try tx.set(host, Host.virtualHardwarePlatformVersions, [0, 1, 2])
        try tx.set(host, Host.sslLegacy, false)
        try tx.set(host, Host.apiVersionVendorImplementation, ["gantry": HostBootstrap.productVersion])
        var config = try tx.require(host)[Host.otherConfig]
        // Where clients look for how long a host has been up.
        config["boot_time"] = "\(machine.bootTime)."
        config["agent_start_time"] = "\(WallClock.seconds)."
        try tx.set(host, Host.otherConfig, config)
        try refreshProcessors(of: host, in: tx, facts)
        try refreshControlDomain(of: host, in: tx, facts, since: machine.bootTime)
        try refreshPool(identity.pool, in: tx, facts)
        try NetworkRows.refresh(host, in: tx, interfaces)
    }

    /// There is one edition, with everything in it.
    static let edition = "free"

    /// The control domain stands for the host's own system: it has all processors and what memory is not the guests'.
    private static func refreshControlDomain(
        of host: Ref<Host>, in tx: Transaction, _ facts: HostFacts, since: Int64
    ) throws {
        let domain = try tx.require(host)[Host.controlDomain]
        guard tx.row(domain) != nil else { return }
        let used = HostMemory.ownUse(
            total: facts.memoryTotal, available: facts.memoryFree, resident: HostMemory.promised(tx))
        try tx.set(host, Host.memoryOverhead, used)
        let metrics = try GuestRows.metrics(of: domain, in: tx)
        try tx.set(metrics, VMMetrics.memoryActual, used)
        try tx.set(metrics, VMMetrics.vcpusNumber, Int64(facts.processorCount))
        try tx.set(metrics, VMMetrics.state, ["running"])
        try tx.set(metrics, VMMetrics.startTime, APIDate(seconds: since))
        try tx.set(metrics, VMMetrics.lastUpdated, APIDate(seconds: WallClock.seconds))
    }

    private static func refreshPool(_ pool: Ref<Pool>, in tx: Transaction, _ facts: HostFacts) throws {
        var info = facts.processor.filter { ["cpu_count", "socket_count", "vendor", "features"].contains($0.key) }
        info["features_hvm"] = facts.processor["features_hvm"] ?? ""
        info["features_pv"] = facts.processor["features_pv"] ?? ""
        try tx.set(pool, Pool.cpuInfo, info)
    }

    /// One row for each processor, in their order.
    private static func refreshProcessors(of host: Ref<Host>, in tx: Transaction, _ facts: HostFacts) throws {
        var rows: [Int64: Ref<HostCPU>] = [:]
        for row in tx.rows(HostCPU.self, where: { $0[HostCPU.host] == host }) {
            let (number, ref) = (row[HostCPU.number], row.typedRef(HostCPU.self))
            if number < 0 || number >= Int64(facts.processorCount) || rows[number] != nil {
                tx.delete(ref)
            } else {
                rows[number] = ref
            }
        }
        let processor = facts.processor
        for number in 0..<Int64(facts.processorCount) {
            let ref = rows[number] ?? .new()
            if rows[number] == nil {
                tx.insert(HostCPU.self, ref: ref) { row in
                    row[HostCPU.host] = host
                    row[HostCPU.number] = number
                }
            }
            try tx.set(ref, HostCPU.vendor, processor["vendor"] ?? "")
            try tx.set(ref, HostCPU.speed, Int64(Double(processor["speed"] ?? "") ?? 0))
            try tx.set(ref, HostCPU.modelname, processor["modelname"] ?? "")
            try tx.set(ref, HostCPU.family, Int64(processor["family"] ?? "") ?? 0)
            try tx.set(ref, HostCPU.model, Int64(processor["model"] ?? "") ?? 0)
            try tx.set(ref, HostCPU.stepping, processor["stepping"] ?? "")
            try tx.set(ref, HostCPU.flags, processor["flags"] ?? "")
            try tx.set(ref, HostCPU.features, processor["features"] ?? "")
        }
    }
}
