import APITypes
import Guests
import PoolDatabase

/// What a host offers beside calls: numbers, health, consoles, blobs, room for machines of other pools.
public struct HostServices: Sendable {
    public let metrics: MetricsService
    public let health: HealthCheck
    public let consoles: ConsoleAccess
    public let blobs: BlobStore
    public let arrivals: Arrivals
    public let received: ReceivedDisks
    public let exports: DiskExports

    init(
        context: StorageContext, guests: GuestHost, lifecycle: MachineLifecycle, consoles: ConsoleAccess,
        stateDirectory: String, exports: DiskExports.Settings
    ) throws {
        let host = try context.row(context.host)[Host.uuid]
        metrics = try MetricsService(
            context: context, guests: guests, host: host, folder: stateDirectory + "/metrics")
        health = HealthCheck(database: context.database, metrics: metrics)
        self.consoles = consoles
        arrivals = Arrivals(context: context, guests: guests, lifecycle: lifecycle, metrics: metrics)
        received = ReceivedDisks(context: context)
        self.exports = DiskExports(context: context, settings: exports)
        blobs = try BlobStore(
            database: context.database, folder: stateDirectory + "/blobs", logger: context.logger)
    }

    func register(in table: inout MessageTable, _ context: StorageContext) {
        let database = context.database
        HostMessages(database: database, host: context.host).register(in: &table)
        NetworkMessages(
            database: database, host: context.host, scan: { InterfaceScan.read() },
            purposesChanged: { [exports] in await exports.refresh() }
        ).register(in: &table)
        ReceivedMachineMessages(database: database, host: context.host, received: received).register(in: &table)
        ExportMessages(context: context, exports: exports).register(in: &table)
        AlertMessages(database: database).register(in: &table)
        SecretMessages(database: database).register(in: &table)
        BlobMessages(database: database, store: blobs).register(in: &table)
        DataSourceMessages(database: database, metrics: metrics).register(in: &table)
    }

    /// Begins what goes on for ever.
    func start(_ context: StorageContext) -> [Task<Void, Never>] {
        blobs.removeUnfinished()
        let upkeep = HostUpkeep(context: context, metrics: metrics, blobs: blobs, scan: { InterfaceScan.read() })
        return [Task { await metrics.run() }, Task { await upkeep.run() }, Task { await exports.run() }]
    }
}
