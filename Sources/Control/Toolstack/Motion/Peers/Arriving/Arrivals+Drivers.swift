import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import StorageMotion

/// Disks that come from other pools into SRs of third-party drivers, which choose uuid and location and make the rows themselves.
///
/// The driver is told the disk's mark for a label. The transaction that makes its row notes it in the move's record
/// (`DriverCallbacks.claim`), so that whoever dies then, the record leads to the volume. The row is no disk of the pool, and
/// unmanaged, until the machine is whole.
extension Arrivals {
    /// `record`: as it is noted when this returns or throws.
    func makeForeign(
        _ disk: ArrivingMachine.Disk, _ record: inout ArrivingMachine, in attached: AttachedRepository
    ) async throws {
        let (id, label) = (record.id, disk.mark ?? "")
        do {
            let volume = try await attached.manager.createVolume(
                attached.repository,
                NewVolume(
                    uuid: disk.uuid, size: disk.size, format: ImageFormat(parsing: disk.format), nameLabel: label))
            record = try await context.database.transaction { tx in
                guard var noted = tx.arrivals().first(where: { $0.id == id }) else {
                    throw APIError.uuidInvalid("move", id)
                }
                let row = try DriverRows.find(volume, of: attached.ref, in: tx)
                let former = noted.place(
                    disk.origin, uuid: volume.uuid, ref: row.opaque, location: volume.location)
                try tx.store(noted)
                try former.map { try DriverRows.release($0, from: noted.hold().key, in: tx) }
                try DriverRows.reserve(row, label: label, in: tx)
                try OperationAdmission.enter(noted.hold(), in: tx)
                return noted
            }
            guard volume.virtualSize >= disk.size else {
                throw APIError(
                    "SR_BACKEND_FAILURE_46", "",
                    "the storage driver has made a disk of \(volume.virtualSize) bytes instead of \(disk.size)", "")
            }
        } catch {
            // The driver may have made a row before it failed.
            record = context.database.arrivals().first { $0.id == id } ?? record
            if let error = error as? StorageError { throw ErrorMapping.api(error, sr: attached.ref) }
            throw error
        }
    }
}

extension ArrivingMachine {
    struct Claim: Hashable {
        /// The row that the driver had made for the same disk before, and that is no part of the machine any more.
        var former: Ref<VDI>?
    }

    /// Whether a row that a driver has just made is one of this machine's disks, which is noted then. Nil: it is not.
    mutating func claim(label: String, sr: String, uuid: String, ref: String, location: String) -> Claim? {
        guard state.phase == .receiving, let disk = disks.first(where: { $0.mark == label && $0.sr == sr }) else {
            return nil
        }
        return Claim(former: place(disk.origin, uuid: uuid, ref: ref, location: location))
    }

    /// A driver has made the disk, as this. Returns the row as which it had made it before.
    mutating func place(_ origin: String, uuid: String, ref: String, location: String) -> Ref<VDI>? {
        guard let index = disks.firstIndex(where: { $0.origin == origin }) else { return nil }
        let before = disks[index]
        (disks[index].uuid, disks[index].ref, disks[index].location) = (uuid, ref, location)
        return before.location.isEmpty || before.ref == ref ? nil : Ref(before.ref)
    }
}
