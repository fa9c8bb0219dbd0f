import APITypes
import Logging
import PoolDatabase
import StorageInterface

/// Disks whose `on_boot` is `reset`: while a guest has one, what it writes goes elsewhere, and goes with the guest.
///
/// A private record (kind `epoch`, by the VDI's uuid) says that the disk is in use so. It is written when the place for what
/// is written is ready, and goes before that place does: a record without a place is never believed to be the disk, and a
/// place without a record is used by nobody. The disk's own image is authoritative at every moment.
extension StorageContext {
    static let epochKind = "epoch"

    /// The VDI as its driver is told of it, in its epoch if it is in one.
    func presentVolume(_ vdi: Row) -> VolumeID {
        var volume = Self.volume(vdi)
        // A disk that is no longer reset may have left one, which is nobody's.
        volume.isInEpoch =
            vdi[VDI.onBoot] == .reset && database.privateRecords(kind: Self.epochKind)[vdi[VDI.uuid]] != nil
        return volume
    }

    /// Before a guest gets the disk to write it. VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION for a disk that others may
    /// share: nobody could say when it boots.
    func beginEpoch(_ vdi: Row) async throws {
        if vdi[VDI.sharable] { throw APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION") }
        let uuid = vdi[VDI.uuid]
        await disks.ended(uuid)
        // Whoever it serves, it does not serve what is about to begin.
        if await disks.active(uuid) != nil { throw APIError("VDI_IN_USE", vdi.ref, "attach") }
        let attached = try attached(vdi[VDI.sr])
        // In turn with the end of the one before.
        try await uses.inTurn(uuid) {
            do throws(StorageError) {
                try await attached.manager.beginEpoch(attached.repository, Self.volume(vdi))
            } catch {
                throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi.typedRef(VDI.self))
            }
            try await database.transaction { tx in tx.setPrivate(kind: Self.epochKind, key: uuid, value: "1") }
        }
    }

    /// One of the VBDs' disks is reset when its guest boots.
    func hasDiskToReset(_ vbds: [Row]) -> Bool {
        database.read { reader in
            vbds.contains { $0[VBD.mode] == .rw && reader.row($0[VBD.vdi])?[VDI.onBoot] == .reset }
        }
    }

    /// After a disk's release: nothing happens while somebody has it, or outside of an epoch.
    func endEpochIfUnused(_ uuid: String) async {
        if database.privateRecords(kind: Self.epochKind)[uuid] == nil { return }
        let sr = database.read { $0.find(VDI.self, uuid: uuid)?[VDI.sr] }
        if let sr, isForeign(sr), home?.isOpen == false {
            // While the toolstack starts, no third-party driver can be asked, and nobody is to wait until it can.
            Task { await uses.inTurn(uuid) { await endEpoch(uuid) } }
        } else {
            await uses.inTurn(uuid) { await endEpoch(uuid) }
        }
    }

    private func endEpoch(_ uuid: String) async {
        let ended = try? await database.transaction { tx -> Row? in
            guard tx.privateRecords(kind: Self.epochKind)[uuid] != nil else { return nil }
            let vdi = tx.find(VDI.self, uuid: uuid)
            if let vdi, OperationFacts(tx).vbds(of: vdi).contains(where: OperationFacts.isUsing) { return nil }
            tx.setPrivate(kind: Self.epochKind, key: uuid, value: nil)
            return vdi
        }
        guard let vdi = ended ?? nil else { return }
        do {
            let attached = try attached(vdi[VDI.sr], evenUnplugged: true)
            try await attached.manager.endEpoch(attached.repository, Self.volume(vdi))
            await refreshSpace(attached)
        } catch {
            // It takes space, and no more: the next boot replaces it.
            logger.warning(
                "what a guest wrote to a disk that is reset is left behind",
                metadata: ["vdi": "\(uuid)", "error": "\(error)"])
        }
    }

    /// Ends what a toolstack that was killed left.
    func endUnusedEpochs() async {
        for uuid in database.privateRecords(kind: Self.epochKind).keys.sorted() { await endEpochIfUnused(uuid) }
    }
}
