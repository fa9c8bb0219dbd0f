import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageInterface

/// The disks that are being made of a machine's: `makeVolumes`, then `commit`, once each; `discard` after a failure of either. They
/// are on a record of `MachineDisks` meanwhile.
final class DerivedDisks {
    private let context: StorageContext
    private var plans: [DiskDerivation]
    private let key: String
    private let progress: any TaskProgress
    private var made: [(plan: DiskDerivation, volume: DerivedVolume)] = []
    private var begun = 0

    init(context: StorageContext, plans: [DiskDerivation], key: String, progress: any TaskProgress) {
        self.context = context
        self.plans = plans
        self.key = key
        self.progress = progress
    }

    /// Makes one volume of each disk: while the first is made none of a running guest's requests is answered on any of them, and so
    /// until the last is. What the guest had seen answered is in all of them, and nothing that it did upon an answer which it
    /// never saw is in any. The caller has been admitted to all of them: of what they were planned others may have made snapshots since.
    func makeVolumes() async throws {
        plans = try plans.map { try $0.lookedAtAgain(in: context) }
        // Always in the same order: whoever holds one of two waits for no other.
        try await held(plans.map(\.origin).sorted { $0[VDI.uuid] < $1[VDI.uuid] }[...]) {
            for plan in plans {
                if progress.cancellation.isCancelled { throw CancellationError() }
                begun += 1
                do {
                    made.append((plan, try await plan.volume()))
                } catch {
                    throw await plan.failed(error, in: context)
                }
                FailurePoint.reached("machine-volume-\(made.count)")
                progress.report(0.95 * Double(made.count) / Double(plans.count))
            }
        }
        FailurePoint.reached("machine-volumes")
    }

    /// Runs `body` while nobody has the images of the disks open, and requests for them wait.
    private func held(_ disks: ArraySlice<Row>, _ body: () async throws -> Void) async throws {
        guard let disk = disks.first else { return try await body() }
        try await PausedDisk(context: context).working(on: disk) { try await held(disks.dropFirst(), body) }
    }

    /// The volumes become disks: `body` gets their references, by those of the disks that they are made of.
    func commit<Made: Sendable>(
        _ body: @escaping @Sendable (Transaction, [Ref<VDI>: Ref<VDI>]) throws -> Made
    ) async throws -> Made {
        try await context.database.transaction { [made, key] tx in
            var disks: [Ref<VDI>: Ref<VDI>] = [:]
            for (plan, volume) in made { disks[plan.vdi] = try plan.record(volume, in: tx) }
            tx.setPrivate(kind: MachineDisks.kind, key: key, value: nil)
            return try body(tx, disks)
        }
    }

    /// Takes the volumes away that have no rows yet. What cannot be taken away is left to the record, as is one whose driver
    /// failed: it may be there all the same.
    func discard() async {
        var gone = Array(plans.dropFirst(begun))
        for (plan, volume) in made {
            do {
                try await plan.discard(volume, in: context)
                gone.append(plan)
            } catch {
                context.logger.warning(
                    "a disk of a machine that was not made is left to the next start",
                    metadata: ["vdi": "\(volume.volume.uuid)", "error": "\(error)"])
            }
            await context.refreshChains(of: [plan.vdi], in: plan.attached)
        }
        do {
            try await context.database.transaction { [gone, key] tx in
                for plan in gone where !plan.writesRows { VolumeDerivation.end(plan.uuid, in: tx) }
                try MachineDisks.strike(Set(gone.compactMap(\.planned?.opaque)), from: key, in: tx)
            }
        } catch {
            context.logger.warning("a record of a machine stays", metadata: ["error": "\(error)"])
        }
    }
}
