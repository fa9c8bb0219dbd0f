import APITypes
import PoolDatabase
import StorageMotion

/// What must be nobody else's while a machine goes to another pool.
extension Departures {
    /// What is claimed of the disks that leave.
    static func claims(_ surveyed: SurveyedDeparture) -> [OperationClaim] {
        surveyed.disks.map { .vdi(Ref($0.vdi), .mirror) }
    }

    /// Throws what would keep the machine from leaving now: operations on what goes, and others that use it. A departure claims the
    /// same, in the same order, when it begins.
    static func requireFree(_ surveyed: SurveyedDeparture, vm: Ref<VM>, _ reader: any DatabaseReader) throws {
        for claim in claims(surveyed) { try claim.check(reader) }
        try requireUnshared(surveyed.disks, of: vm.opaque, snapshots: surveyed.snapshots, reader)
    }

    /// A disk that others write while it is handed over would be two disks.
    static func requireUnshared(
        _ disks: [DepartingMachine.Disk], of vm: String, snapshots: [String], _ reader: any DatabaseReader
    ) throws {
        for disk in disks {
            let users = reader.rows(VBD.self) {
                $0[VBD.vdi].opaque == disk.vdi && $0[VBD.vm].opaque != vm
                    && ($0[VBD.currentlyAttached] || $0[VBD.reserved])
            }
            if !users.isEmpty { throw APIError("VDI_IN_USE", disk.vdi, VDIOperations.mirror.rawValue) }
        }
        // Its snapshots are nobody else's from here on, either.
        for snapshot in snapshots {
            let row = try reader.require(Ref<VM>(snapshot))
            if let other = CurrentOperation<VMOperations>.read(row[VM.currentOperations]).first {
                throw other.inTheWay(of: VM.className, snapshot)
            }
        }
    }
}
