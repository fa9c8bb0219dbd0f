import APITypes
import PoolDatabase

/// What the rows of a machine and of what goes with it say once its disks are complete, which may be hours after it was offered.
/// By the names that the offer has for them.
struct LateRows: Codable, Hashable, Sendable {
    var machine: String
    /// By uuid.
    var drives: [String: String]
    /// By uuid.
    var interfaces: [String: String]
    /// By reference.
    var disks: [String: String]
    /// By reference.
    var snapshots: [String: String]

    /// In the transaction after which nothing is to change. VM_MIGRATE_FAILED [vm, `hosts`, reason] when the machine has got
    /// other devices since it was offered: what does not go would go with it, or go without it.
    static func read(
        _ offer: MoveOffer, of vm: String, between hosts: (here: String, there: String), _ reader: any DatabaseReader
    ) throws -> LateRows {
        func changed(_ what: String) -> APIError {
            let reason = "the VM's \(what) are others than when the move began"
            return APIError("VM_MIGRATE_FAILED", vm, hosts.here, hosts.there, reason)
        }
        func named(_ rows: [Row], _ name: (Row) -> String) -> [String: String] {
            Dictionary(rows.map { (name($0), RowDocument.encode($0)) }) { first, _ in first }
        }
        let own = Ref<VM>(vm)
        let drives = reader.rows(VBD.self) { $0[VBD.vm] == own }
        let interfaces = reader.rows(VIF.self) { $0[VIF.vm] == own }
        guard Set(drives.map { $0[VBD.uuid] }) == Set(offer.drives.map(\.uuid)) else { throw changed("VBDs") }
        guard Set(interfaces.map { $0[VIF.uuid] }) == Set(offer.interfaces.map(\.uuid)) else { throw changed("VIFs") }
        for drive in offer.drives {
            guard let disk = drive.disk else { continue }
            guard drives.contains(where: { $0[VBD.uuid] == drive.uuid && $0[VBD.vdi].opaque == disk }) else {
                throw changed("disks")
            }
        }
        return LateRows(
            machine: RowDocument.encode(try reader.require(own)), drives: named(drives) { $0[VBD.uuid] },
            interfaces: named(interfaces) { $0[VIF.uuid] },
            disks: named(try offer.disks.map { try reader.require(Ref<VDI>($0.vdi)) }) { $0.ref },
            snapshots: named(try (offer.snapshots ?? []).map { try reader.require(Ref<VM>($0.reference)) }) { $0.ref })
    }

    /// OPERATION_NOT_ALLOWED [text] when they are not those of the offer.
    func put(into offer: MoveOffer) throws(APIError) -> MoveOffer {
        var offer = offer
        func row(_ rows: [String: String], _ name: String) throws(APIError) -> String {
            guard let row = rows[name] else {
                throw APIError("OPERATION_NOT_ALLOWED", "what the machine has become lacks what was offered")
            }
            return row
        }
        offer.machine = machine
        for index in offer.drives.indices { offer.drives[index].row = try row(drives, offer.drives[index].uuid) }
        for index in offer.interfaces.indices {
            offer.interfaces[index].row = try row(interfaces, offer.interfaces[index].uuid)
        }
        for index in offer.disks.indices { offer.disks[index].row = try row(disks, offer.disks[index].vdi) }
        var late = offer.snapshots ?? []
        for index in late.indices { late[index].row = try row(snapshots, late[index].reference) }
        if offer.snapshots != nil { offer.snapshots = late }
        return offer
    }
}

/// What `prepare` says. Nil, as earlier versions have it: all is as it was offered.
struct CompletedMachine: Codable, Hashable, Sendable {
    var rows: LateRows?
}
