import APITypes
import CoreTypes
import DatapathControl
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// How a disk becomes one of the pool's, or nothing.
extension ReceivedDisks {
    /// VDI.other_config of a disk that a VM here has although nobody knows that all of it came: why.
    static let doubtKey = "arrived-incomplete"

    /// By the uuids of snapshots that came by these calls: whose content they have, as it was said.
    static let contentKind = "received-content"

    /// It is one of the pool's disks from now on. Throws when what was written may not all be there.
    func finish(_ record: inout ReceivedDisk) async throws {
        let attached = try context.attached(Ref(record.sr), evenUnplugged: true)
        if !record.isDurable {
            try await makeDurable(record)
            try await change(&record) { $0.isDurable = true }
            FailurePoint.reached("received-durable")
        }
        try await context.disks.requireInactive(record.id)
        let volume: Volume
        do {
            volume = try await attached.manager.stat(
                attached.repository, VolumeID(location: record.location, uuid: record.id, ref: record.ref))
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        let done = record
        try await context.database.transaction { tx in
            let vdi = Ref<VDI>(done.ref)
            if let row = tx.row(vdi) {
                try VDIRow.refresh(vdi, volume, in: tx)
                var config = try tx.require(vdi)[VDI.smConfig]
                config["base_mirror"] = nil
                try tx.set(vdi, VDI.smConfig, config)
                if let doubt = done.doubt {
                    var other = row[VDI.otherConfig]
                    other[Self.doubtKey] = doubt
                    try tx.set(vdi, VDI.otherConfig, other)
                }
                if done.isKept {
                    try tx.set(vdi, VDI.isASnapshot, true)
                    try tx.set(vdi, VDI.readOnly, true)
                    try tx.set(vdi, VDI.snapshotTime, APIDate(seconds: WallClock.seconds))
                }
            }
            // Whose content it has is asked for once more, when snapshots are told what they are of.
            tx.setPrivate(kind: Self.contentKind, key: done.id, value: done.isKept ? done.contentID : nil)
            tx.forget(done)
        }
        await leave(done, attached)
        context.logger.notice("a disk of another maker's toolstack is here", metadata: ["vdi": "\(done.id)"])
    }

    /// All that has come until now is durable. The other side looks at the answers of calls about its copy, and not at what is
    /// answered when it gives up its own disk.
    func requireFlushed(_ record: ReceivedDisk) async throws {
        guard record.process != nil else { return }
        let handle = try await process(of: record)
        do {
            try await ExportHandshake.flush(handle.nbdSocket)
        } catch let refused as ExportHandshake.FlushRefused {
            throw StorageLayerError.internalError(
                "what has come for the disk \(record.id) cannot be made durable (error \(refused.error)): see that its SR answers and "
                    + "has room, and begin again")
        } catch {
            throw Self.lost(record)
        }
        // Not that of another one.
        _ = try await process(of: record)
    }

    /// All that came is flushed, and nothing comes any more until its data path ends. What came before its present process has no
    /// order any more among what was written by the one way and the other.
    func makeDurable(_ record: ReceivedDisk) async throws {
        guard record.process != nil else { return }
        let handle = try await process(of: record)
        do {
            _ = try await handle.client.call(.disconnectClients)
            _ = try await handle.client.call(.pause)
        } catch let failure as DatapathClient.Failure {
            if failure.isUnreachable { throw Self.lost(record) }
            throw ErrorMapping.api(failure, sr: Ref(record.sr), vdi: Ref(record.ref))
        }
    }

    /// The data path that the first of the other side was connected with.
    private func process(of record: ReceivedDisk) async throws -> DatapathHandle {
        guard let handle = await context.disks.active(record.id) else { throw Self.lost(record) }
        do {
            guard try await handle.client.status().pid == record.process else { throw Self.lost(record) }
        } catch let failure as DatapathClient.Failure {
            if failure.isUnreachable { throw Self.lost(record) }
            throw ErrorMapping.api(failure, sr: Ref(record.sr), vdi: Ref(record.ref))
        }
        return handle
    }

    static func lost(_ record: ReceivedDisk) -> StorageLayerError {
        .internalError(
            "the data path of the disk \(record.id) has ended since it began to be filled, or does not answer: what it holds "
                + "is not certain; cancel the mirror and begin again")
    }

    /// Removes what was made; what cannot be removed now is tried again.
    func giveUp(_ record: inout ReceivedDisk) async {
        do {
            if !record.isCancelled { try await change(&record) { $0.isCancelled = true } }
            FailurePoint.reached("received-cancelled")
            try await clean(record)
        } catch {
            complain(record.id, "a disk of another maker's toolstack cannot be removed yet; it is tried again", error)
        }
    }

    /// Once for each reason: it is tried again every few seconds.
    func complain(_ id: String, _ text: String, _ error: any Error) {
        let reason = "\(text) \(error)"
        if complaints.updateValue(reason, forKey: id) == reason { return }
        context.logger.error("\(text)", metadata: ["vdi": "\(id)", "error": "\(error)"])
    }

    private func clean(_ record: ReceivedDisk) async throws {
        try await context.disks.requireInactive(record.id)
        let attached = try? context.attached(Ref(record.sr), evenUnplugged: true)
        // An SR that was forgotten takes what is in it with it.
        if context.database.read({ $0.row(Ref<SR>(record.sr)) }) != nil {
            try await context.discard(
                VolumeID(location: record.location, uuid: record.id, ref: record.ref),
                in: try context.attached(Ref(record.sr)))
        }
        try await context.database.transaction { tx in
            // A scan may have found it before its row was made.
            for vdi in [tx.row(Ref<VDI>(record.ref)), tx.find(VDI.self, uuid: record.id)].compactMap({ $0 }) {
                let ref = vdi.typedRef(VDI.self)
                for drive in tx.rows(VBD.self, where: VBD.vdi, is: ref) { tx.delete(drive.typedRef(VBD.self)) }
                tx.delete(ref)
            }
            tx.forget(record)
        }
        await leave(record, attached)
        context.logger.notice("a disk of another maker's toolstack is removed", metadata: ["vdi": "\(record.id)"])
    }

    /// `attached`: nil where its SR is not there any more.
    private func leave(_ record: ReceivedDisk, _ attached: AttachedRepository?) async {
        await admission.end(record.hold)
        forget(record.id)
        if let attached { await context.refreshSpace(attached) }
    }
}
