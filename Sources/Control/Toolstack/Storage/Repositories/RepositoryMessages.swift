import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// SR and PBD messages: introducing, forgetting, destroying and naming SRs. The longer ones are in the extensions.
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

    /// Throws OTHER_OPERATION_IN_PROGRESS while a move comes from or goes to the SR. One that has only left an image that
    /// could not be destroyed is in nobody's way: what is left goes when the SR is plugged again.
    static func requireUnmoved(_ sr: Ref<SR>, _ reader: any DatabaseReader) throws {
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
}
