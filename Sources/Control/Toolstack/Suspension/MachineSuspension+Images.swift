import APITypes
import Logging
import PoolDatabase

/// Suspend images that are no VM's memory any more: they go, now or later.
extension MachineSuspension {
    /// The memory of a suspended VM is given up: the VM is halted.
    func giveUp(_ vm: Ref<VM>) async throws {
        let (vdi, uuid) = try await context.database.transaction { tx in
            let row = try tx.require(vm)
            guard row[VM.powerState] == .suspended else {
                throw APIError("VM_BAD_POWER_STATE", vm.opaque, "suspended", row[VM.powerState].rawValue.lowercased())
            }
            let vdi = row[VM.suspendVDI]
            try tx.set(vm, power: .halted)
            try tx.set(vm, VM.suspendVDI, .null)
            // What is another VM's memory, or a disk in somebody's drive, is not destroyed.
            let goes = !vdi.isNull && !Self.isSomebodys(vdi, tx)
            if goes { try SuspensionNote(phase: .spent, vm: row[VM.uuid]).write(of: vdi, in: tx) }
            SuspendedGuest.remove(of: vm, in: tx)
            return (goes ? vdi : .null, row[VM.uuid])
        }
        if !vdi.isNull { await discard(vdi, of: uuid) }
    }

    /// Destroys an image that is no VM's memory, and then what is known of it. Where that fails, `sweepForEver` and the next start try
    /// again. What is a VM's memory after all, or a disk in somebody's drive, stays, and is like any other disk.
    func discard(_ vdi: Ref<VDI>, of uuid: String, isAgain: Bool = false) async {
        do {
            guard try await spend(vdi, uuid) else { return }
            if context.database.read({ $0.row(vdi) }) != nil {
                // Not beside a copy or a move of it. That of a move has another row afterwards, and this note goes with it.
                try await admission.run([.vdi(vdi, .destroy)], task: .null) { try await destroy(vdi) }
            }
            await forget(vdi)
        } catch {
            context.logger.log(
                level: isAgain ? .debug : .warning, "a suspend image is left for later",
                metadata: ["vm": "\(uuid)", "error": "\(error)"])
        }
    }

    private func destroy(_ vdi: Ref<VDI>) async throws {
        let row = try context.row(vdi)
        let attached = try context.attached(row[VDI.sr])
        await context.disks.ended(row[VDI.uuid])
        try await context.discard(StorageContext.volume(row), in: attached)
        FailurePoint.reached("suspend-image-destroyed")
        try await context.database.transaction { tx in tx.delete(vdi) }
        await context.refreshSpace(attached)
    }

    /// Notes that the image goes. False when it does not: somebody has it.
    private func spend(_ vdi: Ref<VDI>, _ uuid: String) async throws -> Bool {
        try await context.database.transaction { tx in
            if Self.isSomebodys(vdi, tx) {
                SuspensionNote.remove(of: vdi, in: tx)
                return false
            }
            try SuspensionNote(phase: .spent, vm: uuid).write(of: vdi, in: tx)
            return true
        }
    }

    private static func isSomebodys(_ vdi: Ref<VDI>, _ reader: any DatabaseReader) -> Bool {
        !reader.rows(VM.self, where: VM.suspendVDI, is: vdi).isEmpty
            || !reader.rows(VBD.self, where: VBD.vdi, is: vdi).isEmpty
    }

    /// Tries again, for as long as the toolstack runs, to destroy what could not be destroyed.
    func sweepForEver() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(15))
            if Task.isCancelled { return }
            for (vdi, note) in context.database.read(SuspensionNote.all) where note.phase == .spent {
                await discard(vdi, of: note.vm, isAgain: true)
            }
        }
    }
}
