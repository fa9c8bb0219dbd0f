import APITypes
import DatapathControl
import PoolDatabase
import StorageInterface

/// VDI.enable_cbt, disable_cbt, data_destroy and list_changed_blocks.
///
/// Whether a disk is tracked is what its log's file says; the row follows. A guest's data path is paused while the log comes
/// or goes, so that it covers exactly what is written after it has come; whoever dies meanwhile leaves a disk that is the same
/// and tracked or not, as the next start of its data path, or the next scan, finds.
struct ChangeTrackingMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    /// For how long VDI.data_destroy waits for the VBDs of a snapshot that is being backed up to go. Source: XenAPI.
    var patience: Duration = .seconds(4)

    func register(in table: inout MessageTable) {
        table.on("VDI.enable_cbt") { call, arguments in
            try await set(arguments.get(0), true, task: call.task)
            return .void
        }
        table.on("VDI.disable_cbt") { call, arguments in
            try await set(arguments.get(0), false, task: call.task)
            return .void
        }
        table.on("VDI.data_destroy") { call, arguments in
            try await destroyData(arguments.get(0), task: call.task)
            return .void
        }
        table.on("VDI.list_changed_blocks") { call, arguments in
            let (from, to): (Ref<VDI>, Ref<VDI>) = (try arguments.get(0), try arguments.get(1))
            return .string(
                try await admission.run(
                    [.vdi(from, .listChangedBlocks), .vdi(to, .listChangedBlocks)], task: call.task
                ) { try await ChangeLogs(context: context).list(from: from, to: to) })
        }
    }

    private func set(_ vdi: Ref<VDI>, _ isTracked: Bool, task: Ref<XenTask>) async throws {
        try await admission.run([.vdi(vdi, isTracked ? .enableCBT : .disableCBT)], task: task) {
            let row = try context.row(vdi)
            let attached = try context.attached(row[VDI.sr])
            if row[VDI.cbtEnabled] == isTracked { return }
            // Said before it is done: a log that goes because somebody wants it to is none that was lost.
            if !isTracked { try await note(vdi, false) }
            do {
                if attached.manager.info.writesRows {
                    try await change(row, attached, isTracked)
                } else {
                    try await PausedDisk(context: context).working(on: row) {
                        try await change(row, attached, isTracked)
                    }
                    if isTracked { try await requireMarks(row, attached) }
                }
            } catch {
                try? await note(vdi, !isTracked)
                guard let error = error as? StorageError else { throw error }
                throw ErrorMapping.api(
                    error, sr: attached.ref, vdi: vdi, operation: isTracked ? "enable_cbt" : "disable_cbt")
            }
            if isTracked { try await note(vdi, true) }
        }
    }

    private func note(_ vdi: Ref<VDI>, _ isTracked: Bool) async throws {
        try await context.database.transaction { tx in try tx.set(vdi, VDI.cbtEnabled, isTracked) }
    }

    private func change(_ row: Row, _ attached: AttachedRepository, _ isTracked: Bool) async throws(StorageError) {
        let volume = StorageContext.volume(row)
        if isTracked {
            try await attached.manager.enableChangeTracking(attached.repository, volume)
        } else {
            try await attached.manager.disableChangeTracking(attached.repository, volume)
        }
    }

    /// A data path that was started by an earlier version does not mark what it writes.
    private func requireMarks(_ row: Row, _ attached: AttachedRepository) async throws {
        guard let handle = await context.disks.active(row[VDI.uuid]), let status = try? await handle.client.status(),
            !status.image.readOnly, status.tracksChanges != true
        else { return }
        try await attached.manager.disableChangeTracking(attached.repository, StorageContext.volume(row))
        throw APIError(
            "SR_BACKEND_FAILURE_457", "",
            "Failed to activate changed block tracking [opterr=the disk's data path cannot; unplug the disk and plug it again]",
            "")
    }

    /// The snapshot's data go, its log stays, and the VDI is of type cbt_metadata. VDI_IN_USE [vdi, data_destroy] while it has
    /// VBDs.
    private func destroyData(_ vdi: Ref<VDI>, task: Ref<XenTask>) async throws {
        let attached = try await admission.run([.vdi(vdi, .dataDestroy)], task: task) { () -> AttachedRepository? in
            if try context.row(vdi)[VDI.type] == .cbtMetadata { return nil }
            try await awaitRelease(of: vdi)
            let row = try context.row(vdi)
            let attached = try context.attached(row[VDI.sr])
            await context.disks.ended(row[VDI.uuid])
            let left: Volume
            do throws(StorageError) {
                left = try await attached.manager.destroyVolumeData(attached.repository, StorageContext.volume(row))
            } catch {
                throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi, operation: "data_destroy")
            }
            try await context.database.transaction { tx in
                if !attached.manager.info.writesRows { try VDIRow.refresh(vdi, left, in: tx) }
                try tx.set(vdi, VDI.type, .cbtMetadata)
            }
            await context.forgetGoneNodes(attached)
            return attached
        }
        if let attached { await context.refreshSpace(attached) }
    }

    private func awaitRelease(of vdi: Ref<VDI>) async throws {
        let end = ContinuousClock.now + patience
        while !context.database.read({ $0.rows(VBD.self, where: VBD.vdi, is: vdi).isEmpty }) {
            if ContinuousClock.now >= end { throw APIError("VDI_IN_USE", vdi.opaque, "data_destroy") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
