import APITypes
import PoolDatabase
import StorageInterface

/// A snapshot or a clone of a disk that is being made: noted, then its volume, then its row. Whoever makes it has been
/// admitted to do so, and holds the disk's data path while `volume` works.
struct DiskDerivation: Sendable {
    enum Kind: Sendable {
        case snapshot, clone
    }

    let kind: Kind
    /// The disk, as it was when it was last looked at.
    let vdi: Ref<VDI>
    private(set) var origin: Row
    let attached: AttachedRepository
    /// The uuid that the new volume is to have; a driver that makes rows chooses itself.
    let uuid: String
    private let wanted: NewVolume
    private var note: VolumeDerivation

    var writesRows: Bool { attached.manager.info.writesRows }
    /// The reference that the new disk will have; of one whose driver makes its row nothing is known before.
    var planned: Ref<VDI>? { writesRows ? nil : Ref(note.ref) }

    init(_ kind: Kind, of vdi: Ref<VDI>, parameters: [String: String], in context: StorageContext) throws {
        self.kind = kind
        self.vdi = vdi
        let origin = try context.row(vdi)
        self.origin = origin
        attached = try context.attached(origin[VDI.sr])
        uuid = Fresh.uuid()
        wanted = NewVolume(
            uuid: uuid, format: context.format(of: origin), nameLabel: origin[VDI.nameLabel],
            nameDescription: origin[VDI.nameDescription], type: origin[VDI.type].rawValue, smConfig: parameters)
        note = VolumeDerivation(
            isSnapshot: kind == .snapshot, ref: Fresh.ref(VDI.self).opaque, origin: vdi.opaque,
            repository: attached.ref.opaque, time: WallClock.seconds)
    }

    /// The same of the disk as it is now, and of now.
    func lookedAtAgain(in context: StorageContext) throws -> DiskDerivation {
        var again = self
        again.origin = try context.row(vdi)
        again.note.time = WallClock.seconds
        return again
    }

    /// To be durable before the first effect.
    func begin(in tx: Transaction) throws {
        if !writesRows { try note.begin(uuid, in: tx) }
    }

    func volume() async throws(StorageError) -> DerivedVolume {
        let volume = StorageContext.volume(origin)
        return switch kind {
        case .snapshot: try await attached.manager.snapshotVolume(attached.repository, volume, as: wanted)
        case .clone: try await attached.manager.cloneVolume(attached.repository, volume, as: wanted)
        }
    }

    /// What is said of a volume that could not be made. The disk may stand on a new base all the same. The note stays: should
    /// the new volume be there, too, a scan knows it, and forgets the note otherwise.
    func failed(_ error: any Error, in context: StorageContext) async -> any Error {
        await context.refreshChains(of: [vdi], in: attached)
        guard let error = error as? StorageError else { return error }
        return SnapshotMessages.mapped(error, attached, vdi, kind == .snapshot ? "snapshot" : "clone")
    }

    /// The new row, the hidden volume's, and what became of the disk's own image.
    func record(_ derived: DerivedVolume, in tx: Transaction) throws -> Ref<VDI> {
        let origin = try tx.require(vdi)
        if writesRows {
            // The driver has made the row, and said in both what it knows.
            let made = try DriverRows.find(derived.volume, of: attached.ref, in: tx)
            try DriverRows.inherit(made, from: origin, in: tx)
            try tx.set(made, VDI.sharable, false)
            try tx.set(made, VDI.isASnapshot, kind == .snapshot)
            try tx.set(made, VDI.readOnly, kind == .snapshot)
            try tx.set(made, VDI.snapshotOf, kind == .snapshot ? vdi : .null)
            try tx.set(made, VDI.snapshotTime, APIDate(seconds: kind == .snapshot ? note.time : 0))
            try tx.set(made, VDI.onBoot, .persist)
            return made
        }
        try VDIRow.refresh(vdi, derived.origin, in: tx)
        if let base = derived.base, tx.find(VDI.self, uuid: base.uuid) == nil {
            tx.insert(VDI.self, ref: Fresh.ref(VDI.self)) { row in
                VDIRow.fill(&row, base, sr: attached.ref)
                row[VDI.type] = origin[VDI.type]
            }
        }
        let new = Ref<VDI>(note.ref)
        tx.insert(VDI.self, ref: new) { row in note.fill(&row, derived.volume, of: origin, sr: attached.ref) }
        VolumeDerivation.end(uuid, in: tx)
        return new
    }

    /// Takes the volume away again that has no row. The disk itself is whole, whatever its row says of its place: the driver
    /// finds it.
    func discard(_ derived: DerivedVolume, in context: StorageContext) async throws {
        try await context.discard(
            VolumeID(location: derived.volume.location, uuid: derived.volume.uuid), in: attached)
    }
}
