import APITypes
import DatapathControl
import Guests
import PoolDatabase
import StorageInterface

/// VDI.resize: disks grow, also while guests use them where the storage manager can do that.
///
/// A disk in use grows in these steps: its data path is paused, with everything flushed and nothing open; the driver grows
/// the image, which has one size or the other after a crash and its content either way; the data path goes on with it; the
/// row follows; the guests' connections are made anew, by which QEMU learns the size, and the guests are told. Whoever dies
/// in between leaves a disk that is as large as somebody believes or larger: the same call again does the rest.
struct ResizeMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let guests: GuestHost

    func register(in table: inout MessageTable) {
        table.on("VDI.resize") { call, arguments in
            try await resize(arguments.get(0), to: arguments.get(1), task: call.task)
            return .void
        }
    }

    private func resize(_ vdi: Ref<VDI>, to size: Int64, task: Ref<XenTask>) async throws {
        let isOnline = try context.database.read { reader in
            var facts = OperationFacts(reader)
            let disk = facts.vdi(try reader.require(vdi))
            return !disk.users.isEmpty && disk.repository.features.contains("VDI_RESIZE_ONLINE")
        }
        let attached = try await admission.run([.vdi(vdi, isOnline ? .resizeOnline : .resize)], task: task) { tx in
            if isOnline { try Self.requireOneKindOfUser(vdi, tx) }
        } _: {
            let row = try context.row(vdi)
            let attached = try context.attached(row[VDI.sr])
            let format = context.format(of: row)
            guard size >= 0, format != nil || attached.manager.info.writesRows else {
                throw APIError("INVALID_VALUE", "size", String(size))
            }
            do {
                if !isOnline { await context.disks.ended(row[VDI.uuid]) }
                let configuration = attached.repository.deviceConfig
                let rounded =
                    try format.map { format throws(StorageError) in
                        try attached.manager.roundedSize(UInt64(size), format: format, configuration: configuration)
                    } ?? UInt64(size)
                let volume =
                    isOnline
                    ? try await PausedDisk(context: context).working(on: row) {
                        FailurePoint.reached("resize-paused")
                        return try await attached.manager.growAttachedVolume(
                            attached.repository, StorageContext.volume(row), size: rounded)
                    }
                    : try await attached.manager.resizeVolume(
                        attached.repository, StorageContext.volume(row), size: rounded)
                FailurePoint.reached("after-resize")
                try await context.database.transaction { tx in
                    try tx.set(vdi, VDI.virtualSize, Int64(clamping: volume.virtualSize))
                    try tx.set(vdi, VDI.physicalUtilisation, Int64(clamping: volume.physicalSize))
                }
                FailurePoint.reached("resize-noted")
                if isOnline { try await tellGuests(of: row, size: volume.virtualSize) }
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi, operation: "resize")
            }
            return attached
        }
        await context.refreshSpace(attached)
    }

    /// A program of this host that has a disk open is not cut off so that a guest learns something. VDI_IN_USE [vdi, …].
    private static func requireOneKindOfUser(_ vdi: Ref<VDI>, _ tx: Transaction) throws {
        let machines = tx.rows(VBD.self, where: VBD.vdi, is: vdi).filter(OperationFacts.isUsing)
            .compactMap { tx.row($0[VBD.vm]) }
        let here = machines.filter { $0[VM.isControlDomain] }
        if !here.isEmpty, here.count < machines.count { throw APIError("VDI_IN_USE", vdi.opaque, "resize_online") }
    }

    /// The guests that have the disk see its size. Those of this host's programs that are connected go on with the old one.
    private func tellGuests(of vdi: Row, size: UInt64) async throws {
        let users = context.database.read { reader in
            reader.rows(VBD.self, where: VBD.vdi, is: vdi.typedRef(VDI.self)).filter(OperationFacts.isUsing)
                .compactMap { vbd in reader.row(vbd[VBD.vm]).map { (vbd, $0) } }
                .filter { !$0.1[VM.isControlDomain] }
        }
        if users.isEmpty { return }
        if let handle = await context.disks.active(vdi[VDI.uuid]) {
            do {
                _ = try await handle.client.call(.disconnectClients)
            } catch let failure as DatapathClient.Failure {
                // One that was started again meanwhile has told whoever connected.
                if !failure.isUnreachable {
                    throw ErrorMapping.api(failure, sr: vdi[VDI.sr], vdi: vdi.typedRef(VDI.self))
                }
            }
        }
        for (vbd, vm) in users {
            do {
                try await guests.grow(diskID: vbd[VBD.uuid], of: vm[VM.uuid], to: size)
            } catch {
                // One that has ended sees the size at its next start.
                if error.code == .notRunning || error.code == .disconnected { continue }
                throw ErrorMapping.api(error, vm: vm.typedRef(VM.self))
            }
        }
    }
}
