import APITypes
import Guests
import PoolDatabase

/// What the rows say when a VM's memory leaves for its image, and comes back. The bytes are `MachineSuspension`'s.
extension MachineLifecycle {
    /// All of the guest is in the image, and QEMU holds it: from here on the image is the VM. Returns the VBDs that it had. Throws
    /// VM_HALTED [vm] when somebody has cut the VM off meanwhile: `cutOffs` is how often that had happened before.
    func suspended(_ vm: Ref<VM>, image: Ref<VDI>, cutOffs before: Int) async throws -> [Row] {
        guard cutOffCount(vm) == before else { throw APIError("VM_HALTED", vm.opaque) }
        return try await context.database.transaction { tx in
            let row = try tx.require(vm)
            guard row[VM.powerState] == .running else {
                throw APIError("VM_BAD_POWER_STATE", vm.opaque, "running", row[VM.powerState].rawValue.lowercased())
            }
            let vbds = tx.rows(VBD.self) { $0[VBD.vm] == vm && $0[VBD.currentlyAttached] }
            try Self.mark(vbds, reserved: false, attached: false, in: tx)
            try tx.set(vm, VM.powerState, .suspended)
            try tx.set(vm, VM.suspendVDI, image)
            try tx.set(vm, VM.residentOn, .null)
            try tx.set(vm, VM.domid, -1)
            try GuestRows.halted(vm, in: tx)
            try SuspensionNote(phase: .saved, vm: row[VM.uuid]).write(of: image, in: tx)
            Alerts.post(
                .suspended, about: .vm, uuid: row[VM.uuid], body: "VM '\(row[VM.nameLabel])' was suspended", in: tx)
            return vbds
        }
    }

    /// `load` gets the VM's disks, their data paths running, and returns when a QEMU has all of the guest. From the commit on the guest
    /// is the VM and the image of no use. On a failure before that everything is released again; a guest that was loaded is left
    /// to the caller.
    func resume(
        _ vm: Ref<VM>, image: Ref<VDI>, paused: Bool,
        _ load: @Sendable (_ disks: [GuestDisk], _ drives: [GuestDrive]) async throws -> Void
    ) async throws {
        let row = try context.row(vm)
        try requireBootFiles(of: row)
        let uuid = row[VM.uuid]
        let (vbds, loaded) = drives(of: vm)
        try await reserve(vbds, keepingReserved: false)
        do {
            var disks: [GuestDisk] = []
            for vbd in loaded { disks.append(try await activate(vbd)) }
            let drives = DriveContent.takeDrives(of: vbds, from: &disks)
            try await load(disks, drives)
            try await noteStart(of: vm, with: vbds, paused: paused) { tx in
                let row = try tx.require(vm)
                guard row[VM.suspendVDI] == image else {
                    throw APIError.internalError("the VM was changed while it was resumed")
                }
                try tx.set(vm, VM.suspendVDI, .null)
                try SuspensionNote(phase: .loaded, vm: uuid).write(of: image, in: tx)
                Alerts.post(.resumed, about: .vm, uuid: uuid, body: "VM '\(row[VM.nameLabel])' was resumed", in: tx)
            }
        } catch {
            try? await guests.dismiss(uuid)
            await letGo(of: vbds)
            throw error
        }
        FailurePoint.reached("resume-committed")
        do {
            try await guests.takeOver(uuid)
        } catch {
            // It has not run: the image is the VM again.
            if error.code == .refused { try await unresume(vm, uuid, image: image, vbds) }
            throw error
        }
        FailurePoint.reached("resume-running")
        // It may have ended before the rows said that it runs; its event found nothing to change then.
        if guests.state(uuid) == nil { await halted(uuid) }
    }

    private func unresume(_ vm: Ref<VM>, _ uuid: String, image: Ref<VDI>, _ vbds: [Row]) async throws {
        try await context.database.transaction { tx in
            try Self.mark(vbds, reserved: false, attached: false, in: tx)
            try tx.set(vm, VM.powerState, .suspended)
            try tx.set(vm, VM.suspendVDI, image)
            try tx.set(vm, VM.residentOn, .null)
            try tx.set(vm, VM.domid, -1)
            try GuestRows.halted(vm, in: tx)
            try SuspensionNote(phase: .loading, vm: uuid).write(of: image, in: tx)
        }
        try? await guests.dismiss(uuid)
        await release(vbds)
    }
}
