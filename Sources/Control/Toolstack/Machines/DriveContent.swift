import APITypes
import Guests
import PoolDatabase

/// What is in the drives of a VM, as rows and guests tell it.
enum DriveContent {
    /// There is a disk behind the VBD. A drive whose disc's VDI is gone is as good as empty; a disk that is gone is missed.
    static func isLoaded(_ vbd: Row, _ reader: any DatabaseReader) -> Bool {
        if vbd[VBD.empty] || vbd[VBD.vdi].isNull { return false }
        return vbd[VBD.type] != .cd || reader.row(vbd[VBD.vdi]) != nil
    }

    /// The CD drives among `vbds`, with those of `disks` in them that are theirs; these are taken out of `disks`.
    static func takeDrives(of vbds: [Row], from disks: inout [GuestDisk]) -> [GuestDrive] {
        vbds.filter { $0[VBD.type] == .cd }.map { row in
            let index = disks.firstIndex { $0.id == row[VBD.uuid] }
            let disc = index.map { disks.remove(at: $0) }.map { GuestDisc($0) }
            return GuestDrive(
                id: row[VBD.uuid], position: Int(row[VBD.userdevice]) ?? 0, bootable: row[VBD.bootable], disc: disc)
        }
    }

    /// The drive is empty: so is its row, and the disc's data path ends unless another drive has the disc.
    /// Throws `StoreError` when that cannot be written; it is done as soon as it can.
    static func clear(_ vbd: Ref<VBD>, _ context: StorageContext) async throws {
        let found = context.database.read { reader in
            reader.row(vbd).map { row in
                (
                    vdi: row[VBD.vdi], disc: reader.row(row[VBD.vdi])?[VDI.uuid], vm: row[VBD.vm],
                    domain: reader.row(row[VBD.vm])?[VM.domid]
                )
            }
        }
        guard let found else { return }
        try await context.database.answering {
            try await context.database.persist { tx in
                // Another guest may have got the disc by now.
                guard let now = tx.row(vbd), now[VBD.vdi] == found.vdi, tx.row(found.vm)?[VM.domid] == found.domain
                else {
                    return
                }
                try tx.set(vbd, VBD.empty, true)
                try tx.set(vbd, VBD.vdi, .null)
                try tx.set(vbd, VBD.reserved, false)
            }
            guard let disc = found.disc else { return }
            await context.disks.deactivateIfUnused(disc)
            // Its other users are held to their own limits only.
            await context.holdToLimits(disc)
        }
    }

    /// After a restart the drive decides whether there is a disc in it. Its VDI was written down before it got the disc.
    static func settle(_ vbd: Ref<VBD>, hasDisc: Bool, in tx: Transaction) throws {
        guard let row = tx.row(vbd) else { return }
        let isEmpty = !hasDisc || tx.row(row[VBD.vdi]) == nil
        if row[VBD.empty] != isEmpty { try tx.set(vbd, VBD.empty, isEmpty) }
        if isEmpty, !row[VBD.vdi].isNull { try tx.set(vbd, VBD.vdi, .null) }
    }
}

extension GuestDisc {
    init(_ disk: GuestDisk) { self.init(nbdSocket: disk.nbdSocket, exportName: disk.exportName) }
}
