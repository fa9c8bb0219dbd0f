import APITypes
import CoreTypes
import DatapathControl
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// VDI messages but the move itself.
struct DiskMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("VDI.create") { call, arguments in
            .ref(try await create(arguments.values[0], task: call.task).opaque)
        }
        table.on("VDI.destroy") { call, arguments in
            try await destroy(arguments.get(0), task: call.task)
            return .void
        }
        table.on("VDI.forget") { _, arguments in
            try await forget(arguments.get(0))
            return .void
        }
        table.on("VDI.update") { call, arguments in
            try await update(arguments.get(0), task: call.task)
            return .void
        }
        table.on("VDI.set_name_label") { _, arguments in
            try await name(arguments.get(0), VDI.nameLabel, arguments.get(1, as: String.self))
        }
        table.on("VDI.set_name_description") { _, arguments in
            try await name(arguments.get(0), VDI.nameDescription, arguments.get(1, as: String.self))
        }
    }

    /// Third-party drivers that keep names are told; the row counts, and a scan tells them again.
    private func name(_ vdi: Ref<VDI>, _ key: FieldKey<VDI, String>, _ value: String) async throws -> APIValue {
        let row = try await context.database.transaction { tx in
            try tx.set(vdi, key, value)
            return try tx.require(vdi)
        }
        guard context.isForeign(row[VDI.sr]), let attached = try? context.attached(row[VDI.sr]) else { return .void }
        do {
            try await attached.manager.renameVolume(
                attached.repository, StorageContext.volume(row), label: row[VDI.nameLabel],
                description: row[VDI.nameDescription])
        } catch {
            context.logger.warning(
                "a storage driver does not take a disk's name", metadata: ["vdi": "\(row.uuid)", "error": "\(error)"])
        }
        return .void
    }

    private func create(_ record: APIValue, task: Ref<XenTask>) async throws -> Ref<VDI> {
        guard let sr = record["SR"].flatMap({ Ref<SR>(api: $0) }) else {
            throw APIError.internalError("VDI.create needs the member SR")
        }
        let attached = try context.attached(sr)
        let size = record["virtual_size"].flatMap { Int64(api: $0) } ?? 0
        guard size >= 0 else { throw APIError("INVALID_VALUE", "virtual_size", String(size)) }
        let smConfig = record["sm_config"].flatMap { [String: String](api: $0) } ?? [:]
        let vdi = Fresh.ref(VDI.self)
        let outcome: FormatDecision.Outcome
        do {
            outcome = try FormatDecision.decide(
                choice: smConfig["image-format"] ?? smConfig["type"] ?? "", size: UInt64(size), source: nil,
                manager: attached.manager, configuration: attached.repository.deviceConfig,
                promised: context.promised(attached.manager).supportedImageFormats)
        } catch {
            throw refusal(error, vdi: vdi, attached: attached, size: size)
        }
        var wanted = NewVolume(
            uuid: Fresh.uuid(), size: outcome.size, format: outcome.format,
            nameLabel: record["name_label"].flatMap { String(api: $0) } ?? "",
            nameDescription: record["name_description"].flatMap { String(api: $0) } ?? "",
            type: record["type"].flatMap { String(api: $0) } ?? "user", smConfig: smConfig)
        wanted.isReadOnly = record["read_only"].flatMap { Bool(api: $0) } ?? false
        let pool = record["metadata_of_pool"].flatMap { Ref<Pool>(api: $0) } ?? .null
        if !pool.isNull { wanted.metadataOfPool = pool.opaque }
        return try await makeVolume(in: attached, wanted, task: task) { volume, tx in
            if attached.manager.info.writesRows {
                return try DriverRows.complete(volume, of: sr, from: record, in: tx)
            }
            tx.insert(VDI.self, ref: vdi) { row in
                for case .record(let members) in [record] {
                    for member in members where member.name != "SR" { row[field: member.name] = member.value }
                }
                VDIRow.fill(&row, volume, sr: sr)
                if let type = record["type"].flatMap({ VDIType(api: $0) }) { row[VDI.type] = type }
                var config = smConfig
                config["image-format"] = volume.format?.rawValue
                row[VDI.smConfig] = config
            }
            return vdi
        }
    }

    /// A new volume and the row that `insert` makes of it: both or none. While it runs the SR is in the operation
    /// `vdi_create`, and a scan does not take the volume for a foreign one.
    func makeVolume(
        in attached: AttachedRepository, _ wanted: NewVolume, task: Ref<XenTask>,
        insert: @escaping @Sendable (Volume, Transaction) throws -> Ref<VDI>
    ) async throws -> Ref<VDI> {
        let sr = attached.ref
        context.volumesBeingMade.insert(wanted.uuid)
        defer { context.volumesBeingMade.remove(wanted.uuid) }
        let vdi = try await admission.run([.sr(sr, .vdiCreate)], task: task) { tx in
            guard OperationFacts(tx).sr(try tx.require(sr)).isPlugged else {
                throw APIError("SR_NOT_ATTACHED", sr.opaque)
            }
        } _: {
            try await makeVolume(wanted, in: attached, insert: insert)
        }
        await context.refreshSpace(attached)
        return vdi
    }

    private func makeVolume(
        _ wanted: NewVolume, in attached: AttachedRepository,
        insert: @escaping @Sendable (Volume, Transaction) throws -> Ref<VDI>
    ) async throws -> Ref<VDI> {
        let sr = attached.ref
        do {
            let volume = try await attached.manager.createVolume(attached.repository, wanted)
            FailurePoint.reached("vdi-after-create")
            do {
                return try await context.database.transaction { tx in
                    _ = try tx.require(sr)
                    return try insert(volume, tx)
                }
            } catch {
                try? await attached.manager.destroyVolume(
                    attached.repository, VolumeID(location: volume.location, uuid: volume.uuid))
                throw error
            }
        } catch let error as StorageError {
            throw ErrorMapping.api(error, sr: sr)
        }
    }

    /// VDI.create reports a size beyond every allowed format as the driver would; the rest as the format errors.
    private func refusal(
        _ refusal: FormatDecision.Refusal, vdi: Ref<VDI>, attached: AttachedRepository, size: Int64
    ) -> APIError {
        if case .tooLarge(let limit) = refusal {
            return APIError(
                "SR_BACKEND_FAILURE_79", "",
                "VDI Invalid size [opterr=\(size) bytes are more than the \(limit) bytes that the chosen image format can have]",
                "")
        }
        return ErrorMapping.api(
            refusal, vdi: vdi, srUUID: attached.uuid,
            supported: context.promised(attached.manager).supportedImageFormats.map(\.rawValue))
    }

    func destroy(_ vdi: Ref<VDI>, task: Ref<XenTask>) async throws {
        let attached = try await admission.run([.vdi(vdi, .destroy)], task: task) { try await remove(vdi) }
        await context.refreshSpace(attached)
    }

    /// Destroys the volume, and then the row and what belongs to it. The caller has been admitted to something that keeps
    /// everybody else away.
    func remove(_ vdi: Ref<VDI>) async throws -> AttachedRepository {
        let row = try context.row(vdi)
        let attached = try context.attached(row[VDI.sr])
        await context.disks.ended(row[VDI.uuid])
        do {
            let volume = try await ChangeLogs(context: context).takeOut(row, in: attached)
            try await attached.manager.destroyVolume(attached.repository, volume)
        } catch let error as StorageError {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi, operation: "destroy")
        }
        FailurePoint.reached("vdi-after-destroy")
        try await context.database.transaction { tx in
            for vbd in tx.rows(VBD.self, where: { $0[VBD.vdi] == vdi }) {
                tx.delete(vbd.typedRef(VBD.self))
            }
            for snapshot in tx.rows(VDI.self, where: { $0[VDI.snapshotOf] == vdi }) {
                try tx.set(snapshot.typedRef(VDI.self), VDI.snapshotOf, .null)
            }
            tx.delete(vdi)
        }
        await context.forgetGoneNodes(attached)
        return attached
    }

    private func forget(_ vdi: Ref<VDI>) async throws {
        try await admission.change([.vdi(vdi, .forget)]) { tx in tx.delete(vdi) }
    }

    /// Reads the volume's sizes again.
    private func update(_ vdi: Ref<VDI>, task: Ref<XenTask>) async throws {
        try await admission.run([.vdi(vdi, .update)], task: task) {
            let row = try context.row(vdi)
            let attached = try context.attached(row[VDI.sr])
            do {
                let volume = try await attached.manager.stat(attached.repository, StorageContext.volume(row))
                // A driver that writes rows has done so.
                if attached.manager.info.writesRows { return }
                try await context.database.transaction { tx in try VDIRow.refresh(vdi, volume, in: tx) }
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi, operation: "update")
            }
        }
    }
}
