import APITypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface

/// Snapshots and clones that are being made: noted before the first effect, and no longer from the transaction on that
/// inserts the row. When the toolstack dies between, the scan that finds the volume knows by its uuid what it is, and gives
/// it the row that it was to have.
struct VolumeDerivation: Codable, Sendable {
    static let kind = "derivation"

    var isSnapshot: Bool
    /// The reference of the new VDI, of the disk and of their SR.
    var ref: String
    var origin: String
    var repository: String
    /// VDI.snapshot_time, seconds of the epoch.
    var time: Int64

    func begin(_ uuid: String, in tx: Transaction) throws {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        tx.setPrivate(kind: Self.kind, key: uuid, value: text)
    }

    static func end(_ uuid: String, in tx: Transaction) { tx.setPrivate(kind: kind, key: uuid, value: nil) }

    /// By the new volumes' uuids.
    static func all(_ reader: any DatabaseReader) -> [String: VolumeDerivation] {
        reader.privateRecords(kind: kind).compactMapValues {
            try? JSONDecoder().decode(VolumeDerivation.self, from: Data($0.utf8))
        }
    }

    /// Whether a new VDI with the reference is still to come.
    static func isNoted(_ ref: String, _ reader: any DatabaseReader) -> Bool {
        all(reader).values.contains { $0.ref == ref }
    }

    /// The row of the new VDI: what the disk is called, and what makes it a snapshot or a clone.
    func fill(_ row: inout NewRow, _ volume: Volume, of origin: Row, sr: Ref<SR>) {
        VDIRow.fill(&row, movedFrom: origin, volume, sr: sr)
        row[VDI.sharable] = false
        row[VDI.isASnapshot] = isSnapshot
        row[VDI.readOnly] = isSnapshot
        row[VDI.snapshotOf] = isSnapshot ? origin.typedRef(VDI.self) : .null
        row[VDI.snapshotTime] = APIDate(seconds: isSnapshot ? time : 0)
        row[VDI.onBoot] = .persist
    }

    /// Inserts the row of a volume that a scan has found; false when it is none that was being made.
    static func adopt(_ volume: Volume, sr: Ref<SR>, in tx: Transaction) -> Bool {
        guard let note = all(tx)[volume.uuid], let origin = tx.row(Ref<VDI>(note.origin)),
            tx.row(Ref<VDI>(note.ref)) == nil
        else { return false }
        tx.insert(VDI.self, ref: Ref(note.ref)) { row in note.fill(&row, volume, of: origin, sr: sr) }
        end(volume.uuid, in: tx)
        return true
    }

    /// Forgets those of an SR that a scan has not found, but for what is being made just now.
    static func settle(_ sr: Ref<SR>, except made: Set<String>, in tx: Transaction) {
        for (uuid, note) in all(tx) where note.repository == sr.opaque && !made.contains(uuid) { end(uuid, in: tx) }
    }

    /// The SRs in which a killed toolstack was making something.
    static func repositories(_ reader: any DatabaseReader) -> Set<Ref<SR>> {
        Set(all(reader).values.map { Ref<SR>($0.repository) })
    }
}

extension StorageContext {
    /// Brings the rows of disks, and of the hidden volumes that they stand on, to what the driver says now: an operation may
    /// have given them other images. A failure is logged; a scan does the same.
    func refreshChains(of disks: [Ref<VDI>], in attached: AttachedRepository) async {
        if attached.manager.info.writesRows { return }
        for disk in disks {
            guard let row = database.read({ $0.row(disk) }) else { continue }
            do {
                let chain = try await attached.manager.chain(attached.repository, Self.volume(row))
                try await database.transaction { tx in
                    guard let now = tx.row(disk), let own = chain.first else { return }
                    try VDIRow.refresh(disk, own, in: tx)
                    for base in chain.dropFirst() {
                        if let known = tx.find(VDI.self, uuid: base.uuid) {
                            try VDIRow.refresh(known.typedRef(VDI.self), base, in: tx)
                        } else {
                            tx.insert(VDI.self, ref: Fresh.ref(VDI.self)) { row in
                                VDIRow.fill(&row, base, sr: attached.ref)
                                row[VDI.type] = now[VDI.type]
                            }
                        }
                    }
                }
            } catch {
                logger.warning(
                    "the rows of a disk are left to the next scan",
                    metadata: ["vdi": "\(row[VDI.uuid])", "error": "\(error)"])
            }
        }
    }
}
