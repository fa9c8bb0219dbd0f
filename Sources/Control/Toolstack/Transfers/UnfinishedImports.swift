import APITypes
import Logging
import PoolDatabase

/// Disks that were made for an import and whose content is not all there: private records (kind `import`, by the disk's
/// reference). The transaction that inserts the disk's row makes the record, and the end of the import takes it away. What is
/// left of a toolstack that ended meanwhile goes at the next start: half a disk looks like a whole one.
enum UnfinishedImports {
    static let kind = "import"

    static func note(_ vdi: Ref<VDI>, in tx: Transaction) { tx.setPrivate(kind: kind, key: vdi.opaque, value: "") }

    static func end(_ vdi: Ref<VDI>, in tx: Transaction) { tx.setPrivate(kind: kind, key: vdi.opaque, value: nil) }

    /// Destroys the disk that nobody else can have: the caller is admitted to overwriting it. Where that fails the disk and its
    /// record stay, for the next start.
    static func discard(_ vdi: Ref<VDI>, _ disks: DiskMessages) async {
        let context = disks.context
        do {
            await context.refreshSpace(try await disks.remove(vdi))
            try await context.database.persist { tx in end(vdi, in: tx) }
        } catch {
            context.logger.warning(
                "a disk whose import failed is left to the next start",
                metadata: ["vdi": "\(vdi.opaque)", "error": "\(error)"])
        }
    }

    /// Sweeps again while anything is left: the process of an import that was cut off ends by itself, and may take a moment.
    static func sweepUntilGone(_ context: StorageContext) async {
        var pause = Duration.seconds(1)
        while !Task.isCancelled, hasLeft(context) {
            try? await Task.sleep(for: pause)
            if !Task.isCancelled { await sweep(context) }
            pause = min(pause * 2, .seconds(600))
        }
    }

    private static func hasLeft(_ context: StorageContext) -> Bool {
        let active = context.disksBeingImported.all
        return context.database.read { reader in
            reader.privateRecords(kind: kind).keys.contains { key in
                guard !active.contains(key), let row = reader.row(Ref<VDI>(key)) else { return false }
                return !context.isForeign(row[VDI.sr])
            }
        }
    }

    /// Destroys what an earlier toolstack left, but for what somebody has attached. `foreign`: disks of third-party drivers,
    /// which can be asked only once the API is served.
    static func sweep(_ context: StorageContext, foreign: Bool = false) async {
        let disks = DiskMessages(
            context: context, admission: OperationAdmission(database: context.database, gate: context.reclaimGate))
        let active = context.disksBeingImported.all
        for key in context.database.privateRecords(kind: kind).keys.sorted() where !active.contains(key) {
            let vdi = Ref<VDI>(key)
            do {
                if let row = context.database.read({ $0.row(vdi) }) {
                    guard context.isForeign(row[VDI.sr]) == foreign else { continue }
                    try await disks.destroy(vdi, task: .null)
                }
                try await context.database.transaction { tx in end(vdi, in: tx) }
            } catch {
                context.logger.warning(
                    "a disk whose import was cut off is still there",
                    metadata: ["vdi": "\(key)", "error": "\(error)"])
            }
        }
    }
}
