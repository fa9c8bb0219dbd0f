import APITypes
import PoolDatabase
import StorageInterface

/// Rows that a third-party driver made itself, and what the toolstack knows beyond the driver.
enum DriverRows {
    /// What the creator of a disk asked for; the driver was told of some of it only. Returns the driver's row.
    /// - Parameter record: the argument of VDI.create.
    static func complete(_ volume: Volume, from record: APIValue, in tx: Transaction) throws -> Ref<VDI> {
        let vdi = try find(volume, in: tx)
        let members = [
            "name_label", "name_description", "other_config", "xenstore_data", "tags", "sharable", "read_only",
        ]
        for name in members {
            guard let value = record[name] else { continue }
            try tx.update(className: VDI.className, ref: vdi.opaque, field: name, value)
        }
        return vdi
    }

    /// The row that the driver introduced.
    static func find(_ volume: Volume, in reader: any DatabaseReader) throws(APIError) -> Ref<VDI> {
        guard let row = reader.find(VDI.self, uuid: volume.uuid) else {
            throw .internalError("the storage driver removed the row of the VDI \(volume.uuid) that it made")
        }
        return row.typedRef(VDI.self)
    }
}
