import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import Synchronization

// PBD messages: SRs are attached to this host and detached.
extension RepositoryMessages {
    func createPBD(_ record: APIValue) async throws -> Ref<PBD> {
        let host = record["host"].flatMap { Ref<Host>(api: $0) } ?? .null
        let sr = record["SR"].flatMap { Ref<SR>(api: $0) } ?? .null
        let config = record["device_config"].flatMap { [String: String](api: $0) } ?? [:]
        let other = record["other_config"].flatMap { [String: String](api: $0) } ?? [:]
        _ = try context.row(host)
        _ = try context.row(sr)
        let pbd = Fresh.ref(PBD.self)
        try await admission.change([.sr(sr, .pbdCreate)]) { tx in
            if let existing = tx.rows(PBD.self, where: { $0[PBD.sr] == sr && $0[PBD.host] == host }).first {
                throw APIError("PBD_EXISTS", sr.opaque, host.opaque, existing.ref)
            }
            tx.insert(PBD.self, ref: pbd) { row in
                row[PBD.host] = host
                row[PBD.sr] = sr
                row[PBD.deviceConfig] = config
                row[PBD.otherConfig] = other
            }
        }
        return pbd
    }

    /// The PBD's own rules, after those of its SR.
    private static func check(_ pbd: Ref<PBD>, _ operation: PBDOperation, _ reader: any DatabaseReader) throws {
        let facts = OperationFacts(reader).pbd(try reader.require(pbd))
        if let refusal = PBDOperationRules.refusal(of: operation, facts) { throw refusal }
    }

    /// What an operation on the PBD claims; nothing where its SR is gone.
    private func claims(_ pbd: Row, _ operation: PBDOperation) -> [OperationClaim] {
        let sr = pbd[PBD.sr]
        return context.database.read { $0.row(sr) } == nil ? [] : [.sr(sr, operation.repositoryOperation)]
    }

    func destroyPBD(_ pbd: Ref<PBD>) async throws {
        let claims = claims(try context.row(pbd), .destroy)
        try await admission.change(claims) { tx in
            try Self.check(pbd, .destroy, tx)
            tx.delete(pbd)
        }
    }

    /// Calls that want the same take turns; the later find it plugged.
    func plug(_ pbd: Ref<PBD>, task: Ref<XenTask>) async throws {
        try await context.turns.run(pbd.opaque) {
            let row = try context.row(pbd)
            if row[PBD.currentlyAttached] { return }
            try await admission.run(claims(row, .plug), task: task) { tx in
                try Self.check(pbd, .plug, tx)
            } _: {
                try await attach(pbd)
            }
        }
    }

    /// The caller has the turn, and the operation is entered.
    func attach(_ pbd: Ref<PBD>) async throws {
        let row = try context.row(pbd)
        let sr = try context.row(row[PBD.sr])
        let manager = try context.manager(ofType: sr[SR.type])
        do {
            try await manager.attach(context.repositoryToAttach(sr, row))
        } catch {
            throw ErrorMapping.api(error, sr: row[PBD.sr])
        }
        FailurePoint.reached("pbd-after-attach")
        do {
            try await context.database.transaction { tx in
                // What is attached must be what the row says from now on; a driver may write the row itself.
                guard try tx.require(pbd)[PBD.deviceConfig] == row[PBD.deviceConfig] || manager.info.writesRows else {
                    throw APIError(
                        "OPERATION_NOT_ALLOWED",
                        "device_config was changed while the PBD was plugged; plug it again")
                }
                try tx.set(pbd, PBD.currentlyAttached, true)
                if !manager.info.writesRows { RepositoryPlaces.note(sr[SR.uuid], in: tx) }
            }
        } catch {
            try? await manager.detach(context.repository(sr, row))
            throw error
        }
        FailurePoint.reached("pbd-after-plug")
        await context.noteStatements(of: row[PBD.sr])
        await MotionDriver(context: context).destroyRemains(in: row[PBD.sr])
        do {
            try await scan(row[PBD.sr])
        } catch let error where manager.info.writesRows {
            // As XenAPI has it: the SR is attached, and somebody should look.
            try await context.database.transaction { tx in
                let kind = Alerts.Kind(name: "POST_ATTACH_SCAN_FAILED", priority: 2)
                Alerts.post(kind, about: .sr, uuid: sr[SR.uuid], body: "\(error)", in: tx)
            }
        }
    }

    func unplug(_ pbd: Ref<PBD>, task: Ref<XenTask>) async throws {
        try await context.turns.run(pbd.opaque) { try await detach(pbd, task: task) }
    }

    /// Returns when no data path has a disk of the SR, and its driver knows that nobody has one attached.
    private func endUses(of sr: Ref<SR>) async throws(APIError) {
        let disks = context.database.read { reader in
            reader.rows(VDI.self, where: VDI.sr, is: sr).map { $0[VDI.uuid] }
        }
        let noted = context.database.privateRecords(kind: StorageContext.attachedKind)
        for uuid in disks {
            if await context.disks.isInUse(uuid) { try await context.disks.requireInactive(uuid) }
            await context.disks.ended(uuid)
            if noted[uuid] != nil { await context.releaseUnused(uuid) }
        }
    }

    private func detach(_ pbd: Ref<PBD>, task: Ref<XenTask>) async throws {
        let row = try context.row(pbd)
        guard row[PBD.currentlyAttached] else { return }
        let sr = try context.row(row[PBD.sr])
        let srRef = row[PBD.sr]
        let manager = try context.manager(ofType: sr[SR.type])
        // The row first, with what speaks against it: nothing new begins on storage that is going.
        let admitted = try await beginUnplug(pbd, of: srRef, claims(row, .unplug), task: task)
        do {
            FailurePoint.reached("pbd-before-detach")
            do { try await endUses(of: srRef) } catch {
                await stayPlugged(pbd)
                throw error
            }
            do {
                try await manager.detach(context.repository(sr, row))
                FailurePoint.reached("pbd-after-detach")
            } catch {
                await stayPlugged(pbd)
                throw ErrorMapping.api(error, sr: srRef)
            }
            await admission.end(admitted)
        } catch {
            await admission.end(admitted)
            throw error
        }
    }

    /// Whoever waits is told why it was not unplugged, and the row follows, however the database's file fares.
    private func stayPlugged(_ pbd: Ref<PBD>) async {
        let database = context.database
        _ = try? await database.answering {
            try await database.persist { tx in try tx.set(pbd, PBD.currentlyAttached, true) }
        }
    }

    /// The PBD is unplugged, as its row says, or stays as it is.
    private func beginUnplug(
        _ pbd: Ref<PBD>, of sr: Ref<SR>, _ claims: [OperationClaim], task: Ref<XenTask>
    ) async throws -> OperationAdmission.Admitted {
        let isUnplugged = Mutex(false)
        do {
            return try await admission.begin(claims, task: task) { tx in
                try Self.requireUnmoved(sr, tx)
                try Self.check(pbd, .unplug, tx)
                try tx.set(pbd, PBD.currentlyAttached, false)
                isUnplugged.withLock { $0 = true }
            }
        } catch {
            // What is at work there does not end: the SR is as it was.
            if isUnplugged.withLock({ $0 }) {
                await stayPlugged(pbd)
            }
            throw error
        }
    }
}
