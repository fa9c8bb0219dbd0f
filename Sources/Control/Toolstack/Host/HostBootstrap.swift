public import APITypes
public import PoolDatabase

/// Which rows stand for this machine.
public struct HostIdentity: Sendable {
    public let host: Ref<Host>
    public let pool: Ref<Pool>
}

/// Makes the objects that every pool has: on the first start all of them, later it only brings the host up to date.
public enum HostBootstrap {
    /// The API that we speak.
    static let apiVersion: (major: Int64, minor: Int64) = (2, 23)
    static let productVersion = "0.1.0"

    /// `initialPasswordFile` is read on the first start only; without it a password is made and kept in
    /// `stateDirectory`/initial-password.
    public static func run(
        database: PoolDatabase, stateDirectory: String, initialPasswordFile: String? = nil
    ) async throws -> HostIdentity {
        let credentials = RootCredentials(database: database)
        if !credentials.isSet {
            let password = InitialPassword(stateDirectory: stateDirectory, givenFile: initialPasswordFile)
            try await credentials.set(try password.obtain())
        }
        let facts = HostFacts.read()
        let (machine, interfaces) = (MachineFacts.read(), InterfaceScan.read())
        return try await database.transaction { transaction in
            let identity = identity(in: transaction) ?? create(transaction, facts)
            try refresh(identity.host, in: transaction, facts)
            try HostRows.refresh(identity, in: transaction, facts, machine, interfaces)
            return identity
        }
    }

    private static func identity(in reader: any DatabaseReader) -> HostIdentity? {
        guard let pool = reader.rows(Pool.self).first, reader.row(pool[Pool.master]) != nil else { return nil }
        return HostIdentity(host: pool[Pool.master], pool: pool.typedRef(Pool.self))
    }

    private static func create(_ transaction: Transaction, _ facts: HostFacts) -> HostIdentity {
        let (host, pool, metrics) = (Ref<Host>.new(), Ref<Pool>.new(), Ref<HostMetrics>.new())
        let domain = Ref<VM>.new()
        transaction.insert(Pool.self, ref: pool) { $0[Pool.master] = host }
        transaction.insert(HostMetrics.self, ref: metrics) { $0[HostMetrics.live] = true }
        transaction.insert(Host.self, ref: host) { row in
            row[Host.nameLabel] = facts.hostname
            row[Host.enabled] = true
            row[Host.metrics] = metrics
            row[Host.controlDomain] = domain
            row[Host.supportedBootloaders] = ["qemu"]
        }
        transaction.insert(VM.self, ref: domain) { row in
            row[VM.nameLabel] = "Control domain on host: \(facts.hostname)"
            row[VM.isControlDomain] = true
            row[VM.isDefaultTemplate] = false
            row[VM.powerState] = .running
            row[VM.residentOn] = host
            row[VM.affinity] = host
            row[VM.domid] = 0
            row[VM.vcpusMax] = Int64(facts.processorCount)
            row[VM.vcpusAtStartup] = Int64(facts.processorCount)
        }
        return HostIdentity(host: host, pool: pool)
    }

    /// What may differ from one start to the next.
    private static func refresh(_ host: Ref<Host>, in transaction: Transaction, _ facts: HostFacts) throws {
        try transaction.set(host, Host.hostname, facts.hostname)
        try transaction.set(host, Host.apiVersionMajor, apiVersion.major)
        try transaction.set(host, Host.apiVersionMinor, apiVersion.minor)
        try transaction.set(host, Host.apiVersionVendor, "Gantry")
        try transaction.set(host, Host.cpuInfo, facts.processor)
        try transaction.set(
            host, Host.softwareVersion,
            [
                "product_brand": "Gantry", "product_version": productVersion,
                "product_version_text": "Gantry \(productVersion)", "product_version_text_short": productVersion,
                "platform_name": "Gantry", "platform_version": productVersion, "build_number": productVersion,
                "xapi": "\(apiVersion.major).\(apiVersion.minor)", "linux": facts.kernel,
                "hostname": facts.hostname, "db_schema": "5.909",
            ])
        let metrics = try transaction.require(host)[Host.metrics]
        try transaction.set(metrics, HostMetrics.memoryTotal, facts.memoryTotal)
        try transaction.set(metrics, HostMetrics.memoryFree, facts.memoryFree)
        try transaction.set(metrics, HostMetrics.live, true)
        try transaction.set(metrics, HostMetrics.lastUpdated, APIDate(seconds: WallClock.seconds))
    }
}
