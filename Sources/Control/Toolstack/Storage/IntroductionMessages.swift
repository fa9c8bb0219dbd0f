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
        try await admission.run([.sr(sr, .vdiIntroduce)], task: task) {
            let volume: Volume
            do {
                volume = try await attached.manager.stat(
                    attached.repository, VolumeID(location: location, uuid: uuid, ref: vdi.opaque))
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: sr)
            }
            guard volume.uuid.isEmpty || uuid.isEmpty || volume.uuid == uuid else {
                throw APIError("UUID_INVALID", "VDI", uuid)
            }
            let row = try Self.row(volume, uuid, sr, arguments)
            try await context.database.transaction { tx in
                _ = try tx.require(sr)
                if tx.rows(VDI.self, where: VDI.sr, is: sr).contains(where: { $0[VDI.location] == location }) {
                    throw APIError("LOCATION_NOT_UNIQUE", sr.opaque, location)
                }
                let wanted = uuid.isEmpty ? volume.uuid : uuid
                if tx.find(VDI.self, uuid: wanted) != nil { throw APIError("UUID_INVALID", "VDI", wanted) }
                tx.insert(VDI.self, ref: vdi, row)
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
            row[VDI.smConfig] = config
            row[VDI.managed] = managed
            row[VDI.metadataOfPool] = pool
            row[VDI.isASnapshot] = isSnapshot
            row[VDI.snapshotTime] = time
            row[VDI.snapshotOf] = origin
        }
    }
}
