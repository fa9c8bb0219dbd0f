import APITypes
import PoolDatabase

/// What another toolstack says of a machine is looked at before anything is made.
extension ArrivalRows {
    /// Drives that no machine can have: INVALID_DEVICE [userdevice], DEVICE_ALREADY_EXISTS [userdevice], VBD_NOT_REMOVABLE_MEDIA [uuid]
    /// for a disk that is none.
    static func check(_ drives: [OfferedDrive], schema: DatabaseSchema) throws(APIError) {
        var taken: Set<String> = []
        for drive in drives {
            let members = try RowDocument.decode(drive.row, VBD.className, schema: schema)
            let place = members.first { $0.name == VBD.userdevice.name }.flatMap { String(api: $0.value) } ?? ""
            guard let number = Int(place), (0..<256).contains(number), String(number) == place else {
                throw APIError("INVALID_DEVICE", String(place.prefix(64)))
            }
            if !taken.insert(place).inserted { throw APIError("DEVICE_ALREADY_EXISTS", place) }
            let type = members.first { $0.name == VBD.type.name }.flatMap { VBDType(api: $0.value) }
            if drive.disk == nil, type != .cd {
                throw APIError("VBD_NOT_REMOVABLE_MEDIA", String(drive.uuid.prefix(64)))
            }
        }
    }

    /// The disk's own word, whatever the drive that it is in may do with it.
    static func isReadOnly(_ disk: OfferedDisk, schema: DatabaseSchema) throws(APIError) -> Bool {
        if disk.isSnapshot { return true }
        let members = try RowDocument.decode(disk.row, VDI.className, schema: schema)
        return members.first { $0.name == VDI.readOnly.name }.flatMap { Bool(api: $0.value) } ?? false
    }
}
