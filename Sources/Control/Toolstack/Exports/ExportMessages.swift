import APITypes
import PoolDatabase

/// VDI.get_nbd_info.
struct ExportMessages: Sendable {
    let context: StorageContext
    let exports: DiskExports

    func register(in table: inout MessageTable) {
        table.on("VDI.get_nbd_info") { call, arguments in
            let vdi: Ref<VDI> = try arguments.get(0)
            let row = try context.row(vdi)
            if row[VDI.type] == .cbtMetadata {
                throw APIError("VDI_INCOMPATIBLE_TYPE", vdi.opaque, "CBT metadata")
            }
            // Where the SR is not plugged nobody can read the disk.
            let isHere = context.database.read { reader in
                reader.rows(PBD.self, where: PBD.sr, is: row[VDI.sr]).contains {
                    $0[PBD.host] == context.host && $0[PBD.currentlyAttached]
                }
            }
            guard isHere else { return .set([]) }
            return .set(
                try await exports.information(ExportName(vdi: row[VDI.uuid], session: call.session)))
        }
    }
}
