import APITypes
import Guests
import Logging
import MetricArchives
import PoolDatabase

/// What is looked after once a minute: the rows that tell how the machine is, and what belongs to nobody any more.
struct HostUpkeep: Sendable {
    let context: StorageContext
    let metrics: MetricsService
    let blobs: BlobStore
    let scan: @Sendable () -> InterfaceScan

    private static let interval = Duration.seconds(60)

    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            if Task.isCancelled { return }
            await refresh()
            await blobs.sweep()
        }
    }

    func refresh() async {
        let (total, available) = HostMemory.read()
        let usage = await metrics.processorUsage
        let (host, found) = (context.host, scan())
        do {
            try await context.database.transaction { tx in
                let row = try tx.require(host)
                let metrics = row[Host.metrics]
                try tx.set(metrics, HostMetrics.memoryTotal, total)
                try tx.set(metrics, HostMetrics.memoryFree, available)
                try tx.set(metrics, HostMetrics.live, true)
                try tx.set(metrics, HostMetrics.lastUpdated, APIDate(seconds: WallClock.seconds))
                for ref in row[Host.hostCPUs] {
                    guard let cpu = tx.row(ref), let share = usage[cpu[HostCPU.number]] else { continue }
                    try tx.set(ref, HostCPU.utilisation, share)
                }
                try NetworkRows.refresh(host, in: tx, found)
            }
        } catch {
            context.logger.warning("the host's rows cannot be brought up to date", metadata: ["error": "\(error)"])
        }
    }
}
