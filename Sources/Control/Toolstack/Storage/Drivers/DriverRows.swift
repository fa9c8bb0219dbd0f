import APITypes
import PoolDatabase
import StorageInterface

/// Rows that a third-party driver made itself, and what the toolstack knows beyond the driver. Whatever else a driver
/// writes into them (`sm_config`, `xenstore_data`, place and sizes) is its own and stays.
enum DriverRows {
    /// What the creator of a disk asked for; the driver was told of some of it only. Returns the driver's row.
    /// - Parameter record: the argument of VDI.create.
    static func complete(
        _ volume: Volume, of sr: Ref<SR>, from record: APIValue, in tx: Transaction
    ) throws -> Ref<VDI> {
        let vdi = try find(volume, of: sr, in: tx)
        let members = [
            "name_label", "name_description", "other_config", "xenstore_data", "tags", "sharable", "read_only",
            "metadata_of_pool",
        ]
        for name in members {
            guard let value = record[name] else { continue }
            try tx.update(className: VDI.className, ref: vdi.opaque, field: name, value)
        }
        return vdi
    }

    /// The row that the driver introduced in this SR.
    static func find(
        _ volume: Volume, of sr: Ref<SR>, in reader: any DatabaseReader
    ) throws(APIError) -> Ref<VDI> {
        guard let row = reader.find(VDI.self, uuid: volume.uuid), row[VDI.sr] == sr else {
            throw .internalError("the storage driver removed the row of the VDI \(volume.uuid) that it made")
        }
        return row.typedRef(VDI.self)
    }

    /// Outside a transaction.
    static func find(
        _ volume: Volume, of sr: Ref<SR>, in database: PoolDatabase
    ) throws(APIError) -> Ref<VDI> {
        let found = database.read { reader -> Result<Ref<VDI>, APIError> in
            do throws(APIError) {
                return .success(try find(volume, of: sr, in: reader))
            } catch {
                return .failure(error)
            }
        }
        return try found.get()
    }

    /// The volume is being filled and no disk yet: nobody is shown it as one.
    static func reserve(_ vdi: Ref<VDI>, label: String, in tx: Transaction) throws {
        try tx.set(vdi, VDI.managed, false)
        try tx.set(vdi, VDI.nameLabel, label)
    }

    /// The driver has made another row in this one's place: it is a disk like any other, which nobody has, for people to see to.
    /// - Parameter key: whose operation it was held by.
    static func release(_ vdi: Ref<VDI>, from key: String, in tx: Transaction) throws {
        guard let row = tx.row(vdi) else { return }
        var operations = row[VDI.currentOperations]
        operations[key] = nil
        try tx.set(vdi, VDI.currentOperations, operations)
        try tx.set(vdi, VDI.managed, true)
    }

    /// The disk is another one now; the driver is to delete this.
    static func retire(_ vdi: Ref<VDI>, in tx: Transaction) throws { try tx.set(vdi, VDI.managed, false) }

    /// The row becomes that of a disk like `origin`: who it is and what it was called.
    static func inherit(_ vdi: Ref<VDI>, from origin: Row, in tx: Transaction) throws {
        try tx.set(vdi, VDI.managed, true)
        try tx.set(vdi, VDI.missing, false)
        try tx.set(vdi, VDI.nameLabel, origin[VDI.nameLabel])
        try tx.set(vdi, VDI.nameDescription, origin[VDI.nameDescription])
        try tx.set(vdi, VDI.type, origin[VDI.type])
        try tx.set(vdi, VDI.sharable, origin[VDI.sharable])
        try tx.set(vdi, VDI.readOnly, origin[VDI.readOnly])
        try tx.set(vdi, VDI.otherConfig, origin[VDI.otherConfig])
        try tx.set(vdi, VDI.tags, origin[VDI.tags])
        try tx.set(vdi, VDI.onBoot, origin[VDI.onBoot])
        try tx.set(vdi, VDI.allowCaching, origin[VDI.allowCaching])
        try tx.set(vdi, VDI.isASnapshot, origin[VDI.isASnapshot])
        try tx.set(vdi, VDI.snapshotOf, origin[VDI.snapshotOf])
        try tx.set(vdi, VDI.snapshotTime, origin[VDI.snapshotTime])
    }
}
