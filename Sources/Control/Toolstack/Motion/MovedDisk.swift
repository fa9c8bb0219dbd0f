import APITypes
import PoolDatabase
import StorageInterface
import StorageMotion

/// What a move's commit does to the rows: the new disk and its snapshots take the places of the old ones. Prepared before
/// the transaction, with what the drivers say.
struct MovedDisk: Sendable {
    /// In phase `committed`, and its text.
    let motion: DiskMotion
    let text: String
    private let attached: AttachedRepository
    private let volume: Volume
    /// By their sources' uuids.
    private let snapshots: [String: Volume]
    private let sourceIsForeign: Bool

    init(_ motion: DiskMotion, _ context: StorageContext) async throws {
        attached = try context.attached(Ref(motion.destinationSR))
        var snapshots: [String: Volume] = [:]
        do {
            volume = try await attached.manager.stat(attached.repository, MotionDriver.destination(motion))
            for snapshot in motion.snapshots {
                snapshots[snapshot.sourceUUID] = try await attached.manager.stat(
                    attached.repository, MotionDriver.destination(snapshot))
            }
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        self.snapshots = snapshots
        var committed = motion
        // Recovery may find the pivot prepared before its phase was stored.
        if committed.phase == .mirroring { committed.advance(to: .pivoting) }
        committed.advance(to: .committed)
        self.motion = committed
        text = try MotionStore.text(committed)
        sourceIsForeign = context.isForeign(Ref(motion.sourceSR))
    }

    func replaceRows(in tx: Transaction) throws {
        let (old, new) = (Ref<VDI>(motion.sourceRef), Ref<VDI>(motion.destinationRef))
        try replace(old, by: new, volume, in: tx)
        for snapshot in motion.snapshots {
            // One that is gone from the database meanwhile, which its operation forbids, is not brought back. A scan shows what
            // was made of it: what nobody knows of is never destroyed for that.
            guard let volume = snapshots[snapshot.sourceUUID], tx.row(Ref<VDI>(snapshot.sourceRef)) != nil else {
                continue
            }
            try replace(Ref(snapshot.sourceRef), by: Ref(snapshot.destinationRef), volume, in: tx)
        }
        for snapshot in tx.rows(VDI.self, where: { $0[VDI.snapshotOf] == old }) {
            try tx.set(snapshot.typedRef(VDI.self), VDI.snapshotOf, new)
        }
    }

    private func replace(_ old: Ref<VDI>, by new: Ref<VDI>, _ volume: Volume, in tx: Transaction) throws {
        guard let source = tx.row(old) else { throw APIError.handleInvalid("VDI", old.opaque) }
        if attached.manager.info.writesRows {
            try DriverRows.inherit(new, from: source, in: tx)
        } else {
            tx.insert(VDI.self, ref: new) { row in VDIRow.fill(&row, movedFrom: source, volume, sr: attached.ref) }
        }
        try Self.repoint(from: old, to: new, in: tx)
        // A driver deletes what has a row, and takes the row away itself.
        if sourceIsForeign { try DriverRows.retire(old, in: tx) } else { tx.delete(old) }
    }

    /// Everything that names the old disk names the new one. What else belongs to a disk and is kept beside its row, such as
    /// a log of its changes, is to be handed over here, in the transaction of the commit.
    static func repoint(from old: Ref<VDI>, to new: Ref<VDI>, in tx: Transaction) throws {
        for vbd in tx.rows(VBD.self, where: { $0[VBD.vdi] == old }) {
            try tx.set(vbd.typedRef(VBD.self), VBD.vdi, new)
        }
        for vm in tx.rows(VM.self, where: { $0[VM.suspendVDI] == old }) {
            try tx.set(vm.typedRef(VM.self), VM.suspendVDI, new)
        }
        if let note = SuspensionNote.all(tx)[old] {
            try note.write(of: new, in: tx)
            SuspensionNote.remove(of: old, in: tx)
        }
        try MachineDisks.repoint(from: old, to: new, in: tx)
    }
}
