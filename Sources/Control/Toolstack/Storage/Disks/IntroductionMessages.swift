import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface

/// VDI.introduce: a row for a volume that is in the SR already.
struct IntroductionMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("VDI.introduce") { call, arguments in
            .ref(try await introduce(arguments, task: call.task).opaque)
        }
    }

    private func introduce(_ arguments: Arguments, task: Ref<XenTask>) async throws -> Ref<VDI> {
        let (uuid, sr, location): (String, Ref<SR>, String) = (
            try arguments.get(0), try arguments.get(3), try arguments.get(8)
        )
        let attached = try context.attached(sr)
        let vdi = Fresh.ref(VDI.self)
        let smConfig: [String: String] = try arguments.get(10)
        if attached.manager.info.writesRows {
            return try await introduce(by: attached, uuid, location, smConfig, arguments, task: task)
        }
        try await admission.run([.sr(sr, .vdiIntroduce)], task: task) {
            let volume: Volume
            do {
                volume = try await attached.manager.introduceVolume(
                    attached.repository, uuid: uuid, location: location, smConfig: smConfig)
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: sr)
            }
            guard volume.uuid.isEmpty || uuid.isEmpty || volume.uuid == uuid else {
                throw APIError("UUID_INVALID", "VDI", uuid)
            }
            let row = try Self.row(volume, uuid, sr, arguments)
            FailurePoint.reached("introduced")
            try await context.database.transaction { tx in
                _ = try tx.require(sr)
                if tx.rows(VDI.self, where: VDI.sr, is: sr).contains(where: { $0[VDI.location] == location }) {
                    throw APIError("LOCATION_NOT_UNIQUE", sr.opaque, location)
                }
                let wanted = uuid.isEmpty ? volume.uuid : uuid
                RestoredRecords.release(wanted, in: tx)
                // Volumes of moves, copies and creations get their rows from these.
                if RepositoryMessages.moving(tx).contains(wanted) || context.volumesBeingMade.all.contains(wanted) {
                    throw APIError("OTHER_OPERATION_IN_PROGRESS", SR.className, sr.opaque, "vdi_create", "")
                }
                if tx.find(VDI.self, uuid: wanted) != nil { throw APIError("UUID_INVALID", "VDI", wanted) }
                tx.insert(VDI.self, ref: vdi, row)
            }
        }
        await context.refreshSpace(attached)
        return vdi
    }

    /// The driver makes the row; what the caller says of the disk and the driver did not hear is added.
    private func introduce(
        by attached: AttachedRepository, _ uuid: String, _ location: String, _ smConfig: [String: String],
        _ arguments: Arguments, task: Ref<XenTask>
    ) async throws -> Ref<VDI> {
        let said: [(String, Int)] = [
            ("name_label", 1), ("name_description", 2), ("type", 4), ("sharable", 5), ("read_only", 6),
            ("other_config", 7), ("managed", 11), ("metadata_of_pool", 14), ("is_a_snapshot", 15),
            ("snapshot_time", 16), ("snapshot_of", 17),
        ]
        let values = arguments.values
        let vdi = try await admission.run([.sr(attached.ref, .vdiIntroduce)], task: task) {
            let volume: Volume
            do {
                volume = try await attached.manager.introduceVolume(
                    attached.repository, uuid: uuid.isEmpty ? Fresh.uuid() : uuid, location: location,
                    smConfig: smConfig)
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: attached.ref)
            }
            return try await context.database.transaction { tx in
                let vdi = try DriverRows.find(volume, of: attached.ref, in: tx)
                RestoredRecords.release(volume.uuid, in: tx)
                for (name, index) in said where index < values.count {
                    try tx.update(className: VDI.className, ref: vdi.opaque, field: name, values[index])
                }
                return vdi
            }
        }
        await context.refreshSpace(attached)
        return vdi
    }

    /// What the driver says of the volume, and what the caller says of the disk. Sizes are the driver's.
    private static func row(
        _ volume: Volume, _ uuid: String, _ sr: Ref<SR>, _ arguments: Arguments
    ) throws -> @Sendable (inout NewRow) -> Void {
        let (label, description): (String, String) = (try arguments.get(1), try arguments.get(2))
        let (type, sharable, readOnly): (VDIType, Bool, Bool) = (
            try arguments.get(4), try arguments.get(5), try arguments.get(6)
        )
        let (other, xenstore, smConfig): ([String: String], [String: String], [String: String]) = (
            try arguments.get(7), try arguments.get(9), try arguments.get(10)
        )
        let managed: Bool = try arguments.get(11)
        let (pool, isSnapshot, time, origin): (Ref<Pool>, Bool, APIDate, Ref<VDI>) = (
            try arguments.get(14), try arguments.get(15), try arguments.get(16), try arguments.get(17)
        )
        return { row in
            VDIRow.fill(&row, volume, sr: sr)
            if !uuid.isEmpty { row[VDI.uuid] = uuid }
            if !label.isEmpty { row[VDI.nameLabel] = label }
            row[VDI.nameDescription] = description
            row[VDI.type] = type
            row[VDI.sharable] = sharable
            row[VDI.readOnly] = readOnly || volume.isReadOnly
            row[VDI.otherConfig] = other
            row[VDI.xenstoreData] = xenstore
            var config = smConfig
            config["image-format"] = volume.format?.rawValue
            config["vhd-parent"] = volume.parentUUID
            row[VDI.smConfig] = config
            row[VDI.managed] = managed && !volume.isHidden
            row[VDI.metadataOfPool] = pool
            row[VDI.isASnapshot] = isSnapshot
            row[VDI.snapshotTime] = time
            row[VDI.snapshotOf] = origin
        }
    }
}
