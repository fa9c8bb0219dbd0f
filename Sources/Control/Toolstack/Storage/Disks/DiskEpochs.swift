import APITypes
import Logging
import PoolDatabase
import StorageInterface

/// Disks whose `on_boot` is `reset`: while a guest has one, what it writes goes elsewhere, and goes with the guest.
///
/// A private record (kind `epoch`, by the VDI's uuid) says that the disk is in use so. It is written when the place for what
/// is written is ready, and goes before that place does: a record without a place is never believed to be the disk, and a
/// place without a record is used by nobody. The disk's own image is authoritative at every moment.
///
/// A third-party driver may hand out such a place without being told which it is to be. There a record says from before the
/// place is there until after it is gone that it has to be ended before anybody else gets the disk: what is written to the
/// disk itself must not end up in it.
extension StorageContext {
    static let epochKind = "epoch"
    /// Of a record: a guest has the place, or may get it.
    private static let inForce = "1"
    /// A third-party driver may have a place that nobody is to get.
    private static let toBeEnded = "0"

    /// The VDI as its driver is told of it, in its epoch if it is in one.
    func presentVolume(_ vdi: Row) -> VolumeID {
        var volume = Self.volume(vdi)
        // A disk that is no longer reset may have left one, which is nobody's.
        volume.isInEpoch =
            vdi[VDI.onBoot] == .reset && database.privateRecords(kind: Self.epochKind)[vdi[VDI.uuid]] == Self.inForce
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
            if attached.manager.info.writesRows {
                try await database.transaction { tx in
                    tx.setPrivate(kind: Self.epochKind, key: uuid, value: Self.toBeEnded)
                }
            }
            do throws(StorageError) {
                try await attached.manager.beginEpoch(attached.repository, Self.volume(vdi))
            } catch {
                throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi.typedRef(VDI.self))
            }
            try await database.transaction { tx in
                tx.setPrivate(kind: Self.epochKind, key: uuid, value: Self.inForce)
            }
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
            Task { await endEpochInTurn(uuid) }
        } else {
            await endEpochInTurn(uuid)
        }
    }

    /// While the end cannot be recorded nobody's turn is held up by it, and the caller waits for some seconds only.
    private func endEpochInTurn(_ uuid: String) async {
        _ = try? await database.answering { [self] in
            try await database.retrying { try await self.uses.inTurn(uuid) { try await self.endEpoch(uuid) } }
        }
    }

    /// In turn. Throws when the end cannot be recorded: nothing is done then.
    private func endEpoch(_ uuid: String) async throws {
        let sr = database.read { $0.find(VDI.self, uuid: uuid)?[VDI.sr] }
        let isForeign = sr.map(self.isForeign) ?? false
        let ended = try await database.transaction { tx -> Row? in
            guard tx.privateRecords(kind: Self.epochKind)[uuid] != nil else { return nil }
            let vdi = tx.find(VDI.self, uuid: uuid)
            if let vdi, OperationFacts(tx).vbds(of: vdi).contains(where: OperationFacts.isUsing) { return nil }
            tx.setPrivate(kind: Self.epochKind, key: uuid, value: isForeign && vdi != nil ? Self.toBeEnded : nil)
            return vdi
        }
        guard let vdi = ended else { return }
        do {
            let attached = try attached(vdi[VDI.sr], evenUnplugged: true)
            try await attached.manager.endEpoch(attached.repository, Self.volume(vdi))
            if isForeign { try await forgetEpoch(uuid) }
            await refreshSpace(attached)
        } catch {
            // It takes space, and no more: the next boot replaces it, and a third-party driver is asked again before
            // anybody else gets the disk.
            logger.warning(
                "what a guest wrote to a disk that is reset is left behind",
                metadata: ["vdi": "\(uuid)", "error": "\(error)"])
        }
    }

    private func forgetEpoch(_ uuid: String) async throws {
        try await database.transaction { tx in tx.setPrivate(kind: Self.epochKind, key: uuid, value: nil) }
    }

    /// In turn, before a third-party driver attaches the disk. Its failure is the caller's: the disk's own content cannot be
    /// told from what a guest wrote.
    func endLeftOverEpoch(_ vdi: Row) async throws {
        let uuid = vdi[VDI.uuid]
        guard database.privateRecords(kind: Self.epochKind)[uuid] == Self.toBeEnded else { return }
        let attached = try attached(vdi[VDI.sr])
        do throws(StorageError) {
            try await attached.manager.endEpoch(attached.repository, Self.volume(vdi))
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi.typedRef(VDI.self))
        }
        try await forgetEpoch(uuid)
    }

    /// Ends what a toolstack that was killed left.
    func endUnusedEpochs() async {
        for uuid in database.privateRecords(kind: Self.epochKind).keys.sorted() { await endEpochIfUnused(uuid) }
    }
}
