import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion
import Synchronization

/// SR and PBD messages.
struct RepositoryMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("SR.create") { call, arguments in
            .ref(
                try await create(
                    host: arguments.get(0), deviceConfig: arguments.get(1), size: arguments.get(2),
                    nameLabel: arguments.get(3),
                    nameDescription: arguments.get(4), type: arguments.get(5), contentType: arguments.get(6),
                    shared: arguments.get(7), smConfig: arguments.get(8), task: call.task
                ).opaque)
        }
        table.on("SR.introduce") { call, arguments in
            .ref(
                try await introduce(
                    uuid: arguments.get(0), nameLabel: arguments.get(1), nameDescription: arguments.get(2),
                    type: arguments.get(3), contentType: arguments.get(4), shared: arguments.get(5),
                    smConfig: arguments.get(6)
                ).opaque)
        }
        table.on("SR.scan") { call, arguments in
            try await scan(arguments.get(0), task: call.task)
            return .void
        }
        table.on("SR.forget") { call, arguments in
            try await forget(arguments.get(0), task: call.task)
            return .void
        }
        table.on("SR.destroy") { call, arguments in
            try await destroy(arguments.get(0), task: call.task)
            return .void
        }
        table.on("SR.set_name_label") { _, arguments in
            try await name(arguments.get(0), SR.nameLabel, arguments.get(1, as: String.self))
        }
        table.on("SR.set_name_description") { _, arguments in
            try await name(arguments.get(0), SR.nameDescription, arguments.get(1, as: String.self))
        }
        table.on("PBD.create") { _, arguments in .ref(try await createPBD(arguments.values[0]).opaque) }
        table.on("PBD.destroy") { call, arguments in
            try await destroyPBD(arguments.get(0))
            return .void
        }
        table.on("PBD.plug") { call, arguments in
            try await plug(arguments.get(0), task: call.task)
            return .void
        }
        table.on("PBD.unplug") { call, arguments in
            try await unplug(arguments.get(0), task: call.task)
            return .void
        }
        table.on("PBD.set_device_config") { call, arguments in
            try await setDeviceConfig(arguments.get(0), arguments.get(1), call)
            return .void
        }
    }

    /// Third-party drivers that keep the name are told, when what is under way in the SR is over; nobody waits for that. The row
    /// counts, and a scan tells them again.
    private func name(_ sr: Ref<SR>, _ key: FieldKey<SR, String>, _ value: String) async throws -> APIValue {
        let row = try await context.database.transaction { tx in
            try tx.set(sr, key, value)
            return try tx.require(sr)
        }
        guard context.isForeign(sr), let attached = try? context.attached(sr) else { return .void }
        let uuid = row.uuid
        Task { [context] in
            do {
                try await attached.manager.renameRepository(attached.repository) {
                    (try? context.row(sr)).map { ($0[SR.nameLabel], $0[SR.nameDescription]) }
                }
            } catch {
                context.logger.warning(
                    "a storage driver does not take an SR's name", metadata: ["sr": "\(uuid)", "error": "\(error)"])
            }
        }
        return .void
    }

    // MARK: SR

    private func create(
        host: Ref<Host>, deviceConfig: [String: String], size: Int64, nameLabel: String, nameDescription: String,
        type: String, contentType: String, shared: Bool, smConfig: [String: String], task: Ref<XenTask>
    ) async throws -> Ref<SR> {
        _ = try context.row(host)
        let manager = try context.manager(ofType: type)
        let sr = Fresh.ref(SR.self)
        let repository = StorageRepository(
            uuid: Fresh.uuid(), deviceConfig: deviceConfig, ref: sr.opaque, smConfig: smConfig,
            physicalSize: UInt64(clamping: size))
        let pbd = Fresh.ref(PBD.self)
        let insertRows: @Sendable (Transaction) -> Void = { tx in
            tx.insert(SR.self, ref: sr) { row in
                row[SR.uuid] = repository.uuid
                row[SR.nameLabel] = nameLabel
                row[SR.nameDescription] = nameDescription
                row[SR.type] = type.lowercased()
                // Whoever makes a library of discs need not say that there are discs in it.
                row[SR.contentType] = contentType.isEmpty && type.lowercased() == "iso" ? "iso" : contentType
                row[SR.shared] = shared
                row[SR.smConfig] = smConfig
            }
            tx.insert(PBD.self, ref: pbd) { row in
                row[PBD.host] = host
                row[PBD.sr] = sr
                row[PBD.deviceConfig] = deviceConfig
            }
        }
        if manager.info.writesRows {
            try await createByDriver(repository, manager, pbd: pbd, task: task, insertRows: insertRows)
            return sr
        }
        context.repositoriesBeingMade.insert(repository.uuid)
        defer { context.repositoriesBeingMade.remove(repository.uuid) }
        await RepositoryCreations.clear(for: repository, type: type, context)
        try await context.database.transaction { tx in RepositoryCreations.begin(repository, type: type, in: tx) }
        FailurePoint.reached("sr-before-create")
        do {
            try await manager.createRepository(repository)
        } catch {
            if error.leavesSomething {
                await takeBack(repository, manager)
            } else {
                try? await context.database.transaction { tx in RepositoryCreations.end(repository.uuid, in: tx) }
            }
            throw ErrorMapping.api(error, sr: sr)
        }
        FailurePoint.reached("sr-after-create")
        // Others see the SR from the transaction on that inserts it; it is being plugged by then, and nothing that does not
        // go together with that begins.
        try await context.turns.run(pbd.opaque) {
            let admitted: OperationAdmission.Admitted
            do {
                admitted = try await insert(sr, pbd)
            } catch {
                await takeBack(repository, manager)
                throw error
            }
            FailurePoint.reached("sr-after-rows")
            do {
                try await attach(pbd)
            } catch {
                await abandon(sr, pbd, repository, type, manager)
                await admission.end(admitted)
                throw error
            }
            await admission.end(admitted)
        }
        return sr

        func insert(_ sr: Ref<SR>, _ pbd: Ref<PBD>) async throws -> OperationAdmission.Admitted {
            try await context.database.transaction { tx in
                insertRows(tx)
                RepositoryCreations.end(repository.uuid, in: tx)
                RepositoryPlaces.note(repository.uuid, in: tx)
                let admitted = OperationAdmission.Admitted(
                    entries: OperationClaim.sr(sr, .plug).entries(tx),
                    key: task.isNull ? Fresh.ref(XenTask.self).opaque : task.opaque)
                try OperationAdmission.enter(admitted, in: tx)
                return admitted
            }
        }
    }

    /// Takes back an SR whose first plugging failed. It is noted as not made again, so that this too survives a kill.
    private func abandon(
        _ sr: Ref<SR>, _ pbd: Ref<PBD>, _ repository: StorageRepository, _ type: String, _ manager: any StorageManager
    ) async {
        do {
            try await context.database.transaction { tx in
                RepositoryCreations.begin(repository, type: type, in: tx)
                RepositoryPlaces.forget(repository.uuid, in: tx)
                tx.delete(pbd)
                tx.delete(sr)
            }
        } catch {
            // It is still an SR, and stays one.
            context.logger.error(
                "an SR that could not be plugged cannot be taken back",
                metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
            return
        }
        do {
            try await manager.detach(repository)
        } catch {
            context.logger.warning(
                "an SR that could not be made cannot be detached",
                metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
        }
        await takeBack(repository, manager)
    }

    /// Undoes what is noted as not made. The note stays when that fails.
    private func takeBack(_ repository: StorageRepository, _ manager: any StorageManager) async {
        do {
            try await manager.undoCreation(repository)
            try await context.database.transaction { tx in RepositoryCreations.end(repository.uuid, in: tx) }
        } catch {
            context.logger.warning(
                "an SR that could not be made cannot be taken away; the next start, or the next that is made there, tries again",
                metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
        }
    }

    private func introduce(
        uuid: String, nameLabel: String, nameDescription: String, type: String, contentType: String, shared: Bool,
        smConfig: [String: String]
    ) async throws -> Ref<SR> {
        _ = try context.manager(ofType: type)
        let sr = Fresh.ref(SR.self)
        let uuid = uuid.isEmpty ? Fresh.uuid() : uuid
        // It becomes the name of files and folders.
        guard Fresh.isUUID(uuid) else { throw APIError("UUID_INVALID", SR.className, uuid) }
        try await context.database.transaction { tx in
            if tx.find(SR.self, uuid: uuid) != nil { throw APIError("SR_UUID_EXISTS", uuid) }
            tx.insert(SR.self, ref: sr) { row in
                row[SR.uuid] = uuid
                row[SR.nameLabel] = nameLabel
                row[SR.nameDescription] = nameDescription
                row[SR.type] = type.lowercased()
                row[SR.contentType] = contentType
                row[SR.shared] = shared
                row[SR.smConfig] = smConfig
            }
        }
        return sr
    }

    /// Introduces the volumes that are there, updates the known ones, drops the rows of those that are gone. Destinations
    /// of running moves are the moves' own.
    private func scan(_ sr: Ref<SR>, task: Ref<XenTask>) async throws {
        try await admission.run([.sr(sr, .scan)], task: task) { try await scan(sr) }
    }

    /// Those SRs are scanned in which a killed toolstack was making a snapshot or clone.
    func adoptDerivations() async {
        for sr in context.database.read({ VolumeDerivation.repositories($0) }) {
            do {
                try await scan(sr)
            } catch {
                context.logger.warning(
                    "a snapshot that was not finished waits for a scan",
                    metadata: ["sr": "\(sr.opaque)", "error": "\(error)"])
            }
        }
    }

    private func scan(_ sr: Ref<SR>) async throws {
        let attached = try context.attached(sr)
        if attached.manager.info.writesRows {
            do {
                _ = try await attached.manager.scan(attached.repository)
            } catch {
                throw ErrorMapping.api(error, sr: sr)
            }
            return await context.refreshSpace(attached)
        }
        // The listing tells about this moment and later; rows that come after it are not for it to judge.
        let before = context.database.read { reader in
            ScanStart(
                generation: reader.generation,
                locations: Dictionary(
                    reader.rows(VDI.self, where: VDI.sr, is: sr).map { ($0[VDI.uuid], $0[VDI.location]) }
                ) { first, _ in first },
                moving: Self.moving(reader), creating: context.volumesBeingMade.all)
        }
        let found: RepositoryScan
        do {
            found = try await attached.manager.scan(attached.repository)
        } catch {
            throw ErrorMapping.api(error, sr: sr)
        }
        for (name, problem) in found.problems {
            context.logger.warning(
                "not a disk image", metadata: ["sr": "\(attached.uuid)", "file": "\(name)", "problem": "\(problem)"])
        }
        // What seems new must still be there: it may have been the volume of a VDI that is gone by now.
        let fresh = found.volumes.filter { before.locations[$0.uuid] == nil }
        let present: Set<String>
        do {
            present = try await attached.manager.present(attached.repository, locations: fresh.map(\.location))
        } catch {
            throw ErrorMapping.api(error, sr: sr)
        }
        FailurePoint.reached("scanned")
        let insertable = present.intersection(fresh.map(\.location))
        try await context.database.transaction { tx in
            let reserved = before.moving.union(Self.moving(tx))
            let skipped = before.creating.union(context.volumesBeingMade.all)
            var known: [String: Row] = [:]
            var places: [String: String] = [:]
            // What a snapshot has put elsewhere since the listing is not for it to judge either.
            for row in tx.rows(VDI.self, where: VDI.sr, is: sr)
            where before.locations[row[VDI.uuid]] == row[VDI.location] {
                known[row[VDI.location]] = row
                places[row[VDI.uuid]] = row[VDI.location]
            }
            for volume in found.volumes where !reserved.contains(volume.uuid) {
                // A disk whose snapshot was cut off may have its image under another name.
                let place = known[volume.location] == nil ? places[volume.uuid] ?? volume.location : volume.location
                if let row = known.removeValue(forKey: place) {
                    let ref = row.typedRef(VDI.self)
                    try VDIRow.refresh(ref, volume, in: tx)
                    try VDIRow.show(ref, volume, in: tx)
                    try tx.set(ref, VDI.missing, false)
                } else if insertable.contains(volume.location), !skipped.contains(volume.uuid),
                    tx.find(VDI.self, uuid: volume.uuid) == nil
                {
                    if VolumeDerivation.adopt(volume, sr: sr, in: tx) { continue }
                    tx.insert(VDI.self, ref: Fresh.ref(VDI.self)) { row in VDIRow.fill(&row, volume, sr: sr) }
                }
            }
            // An image that cannot be read now may be one that was being made.
            let unread = found.problems.keys.map { String($0.prefix(36)) }
            VolumeDerivation.settle(sr, except: skipped.union(unread), in: tx)
            // A damaged image is there, and its VDI with it.
            for name in found.problems.keys { known[name] = nil }
            for (_, row) in known where !reserved.contains(row[VDI.uuid]) && row.created <= before.generation {
                let ref = row.typedRef(VDI.self)
                if tx.rows(VBD.self, where: VBD.vdi, is: ref).isEmpty {
                    tx.delete(ref)
                } else {
                    try tx.set(ref, VDI.missing, true)
                }
            }
        }
        await context.refreshSpace(attached)
    }

    /// What the database said before a listing of the SR.
    private struct ScanStart: Sendable {
        let generation: Int64
        /// VDI uuid → location.
        let locations: [String: String]
        let moving: Set<String>
        let creating: Set<String>
    }

    private static func motions(_ reader: any DatabaseReader) -> [DiskMotion] {
        reader.privateRecords(kind: MotionStore.kind).values.compactMap(MotionStore.read)
    }

    /// The volumes that moves and copies look after, or did when a dump was made that was brought back since.
    static func moving(_ reader: any DatabaseReader) -> Set<String> {
        Set(motions(reader).flatMap(\.volumes))
            .union(reader.privateRecords(kind: DiskCopy.kind).keys)
            .union(RestoredRecords.held(reader))
    }

    /// Throws OTHER_OPERATION_IN_PROGRESS while a move comes from or goes to the SR. One that has only left an image that
    /// could not be destroyed is in nobody's way: what is left goes when the SR is plugged again.
    private static func requireUnmoved(_ sr: Ref<SR>, _ reader: any DatabaseReader) throws {
        let moving = motions(reader).filter { !$0.isReleased }
        if let motion = moving.first(where: { $0.sourceSR == sr.opaque || $0.destinationSR == sr.opaque }) {
            throw APIError("OTHER_OPERATION_IN_PROGRESS", SR.className, sr.opaque, "vdi_mirror", motion.id)
        }
    }

    private func forget(_ sr: Ref<SR>, task: Ref<XenTask>) async throws {
        try await admission.run([.sr(sr, .forget)], task: task) { tx in
            try Self.requireUnmoved(sr, tx)
            if let used = OperationFacts(tx).usedDisk(of: sr) { throw APIError("VDI_IN_USE", used, "forget") }
        } _: {
            try await forgetRows(sr)
        }
    }

    private func forgetRows(_ sr: Ref<SR>) async throws {
        FailurePoint.reached("sr-before-forget")
        try await context.database.transaction { tx in
            for pbd in tx.rows(PBD.self, where: { $0[PBD.sr] == sr }) { tx.delete(pbd.typedRef(PBD.self)) }
            for vdi in tx.rows(VDI.self, where: { $0[VDI.sr] == sr }) { tx.delete(vdi.typedRef(VDI.self)) }
            if let uuid = tx.row(sr)?[SR.uuid] { RepositoryPlaces.forget(uuid, in: tx) }
            tx.delete(sr)
            RestoredRecords.forget(sr, in: tx)
        }
    }

    private func destroy(_ sr: Ref<SR>, task: Ref<XenTask>) async throws {
        try await admission.run([.sr(sr, .destroy)], task: task) { tx in
            try Self.requireUnmoved(sr, tx)
        } _: {
            try await destroy(sr)
        }
    }

    private func destroy(_ sr: Ref<SR>) async throws {
        let row = try context.row(sr)
        guard let pbd = context.pbd(of: sr) else { throw APIError("SR_HAS_NO_PBDS", sr.opaque) }
        let manager = try context.manager(ofType: row[SR.type])
        do {
            try await manager.destroyRepository(context.repository(row, pbd))
        } catch {
            throw ErrorMapping.api(error, sr: sr)
        }
        FailurePoint.reached("sr-after-destroy")
        try await forgetRows(sr)
    }

    // MARK: PBD

    private func createPBD(_ record: APIValue) async throws -> Ref<PBD> {
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

    private func destroyPBD(_ pbd: Ref<PBD>) async throws {
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

    private func unplug(_ pbd: Ref<PBD>, task: Ref<XenTask>) async throws {
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
