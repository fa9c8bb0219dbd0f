import APITypes
import Guests
import PoolDatabase

/// What the rows say when a VM's memory leaves for its image, and comes back. The bytes are `MachineSuspension`'s.
extension MachineLifecycle {
    /// All of the guest is in the image, and QEMU holds it: from here on the image is the VM. Returns the VBDs that it had. Throws
    /// VM_HALTED [vm] when somebody has cut the VM off meanwhile: `cutOffs` is how often that had happened before.
    func suspended(
        _ vm: Ref<VM>, image: Ref<VDI>, guest: SuspendedGuest, cutOffs before: Int
    ) async throws -> [Row] {
        guard cutOffCount(vm) == before else { throw APIError("VM_HALTED", vm.opaque) }
        return try await context.database.transaction { tx in
            let row = try tx.require(vm)
            guard row[VM.powerState] == .running else {
                throw APIError("VM_BAD_POWER_STATE", vm.opaque, "running", row[VM.powerState].rawValue.lowercased())
            }
            let vbds = tx.rows(VBD.self) { $0[VBD.vm] == vm && $0[VBD.currentlyAttached] }
            try Self.mark(vbds, reserved: false, attached: false, in: tx)
            try tx.set(vm, power: .suspended)
            try tx.set(vm, VM.suspendVDI, image)
            try tx.set(vm, VM.residentOn, .null)
            try tx.set(vm, VM.domid, -1)
            try GuestRows.halted(vm, in: tx)
            try SuspensionNote(phase: .saved, vm: row[VM.uuid]).write(of: image, in: tx)
            try guest.write(of: vm, in: tx)
            Alerts.post(
                .suspended, about: .vm, uuid: row[VM.uuid], body: "VM '\(row[VM.nameLabel])' was suspended", in: tx)
            return vbds
        }
    }

    /// `load` gets the VM's disks, their data paths running, and returns when a QEMU has all of the guest. From the commit on the guest
    /// is the VM and the image of no use. On a failure before that everything is released again; a guest that was loaded is left
    /// to the caller. On one after it the VM is Suspended again where QEMU has refused to let the guest run. It is not where
    /// nobody knows: the order stands, and `MachineSuspension.finishRun` sees to it.
    func resume(
        _ vm: Ref<VM>, image: Ref<VDI>, paused: Bool,
        _ load: @Sendable (_ disks: [GuestDisk], _ drives: [GuestDrive]) async throws -> Void
    ) async throws {
        let row = try context.row(vm)
        try requireBootFiles(of: row)
        let uuid = row[VM.uuid]
        let (vbds, loaded) = drives(ofSuspended: vm)
        let before = cutOffCount(vm)
        let domain: Int64
        try await reserve(vbds, keepingReserved: false)
        do {
            var disks: [GuestDisk] = []
            for vbd in loaded { disks.append(try await activate(vbd)) }
            let drives = DriveContent.takeDrives(of: vbds, from: &disks)
            try await load(disks, drives)
            domain = try await noteStart(of: vm, with: vbds, paused: paused) { tx in
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
        await FailurePoint.wait("resume-committed")
        do {
            try await guests.takeOver(uuid)
        } catch {
            if error.code == .refused { _ = try await unresume(vm, image: image, domain: domain, cutOffs: before) }
            throw error
        }
        FailurePoint.reached("resume-running")
        // It may have ended before the rows said that it runs; its event found nothing to change then.
        if guests.state(uuid) == nil { await halted(uuid) }
    }

    /// The VBDs that the guest of a suspended VM has, and those of them that have a disk.
    private func drives(ofSuspended vm: Ref<VM>) -> (all: [Row], loaded: [Row]) {
        let (all, loaded) = drives(of: vm)
        guard let guest = context.database.read({ SuspendedGuest.of(vm, $0) }) else { return (all, loaded) }
        let isIts = { @Sendable (vbd: Row) in guest.vbds.contains(vbd[VBD.uuid]) }
        return (all.filter(isIts), loaded.filter(isIts))
    }

    /// The guest that was loaded as `domain` has not run and does not: the image is the VM again. False, and nothing happens, when the
    /// VM has got another guest since, or none.
    func unresume(_ vm: Ref<VM>, image: Ref<VDI>, domain: Int64, cutOffs before: Int) async throws -> Bool {
        guard cutOffCount(vm) == before else { return false }
        let uuid = try context.row(vm)[VM.uuid]
        let detached = try await context.database.transaction { tx -> [Row]? in
            guard let row = tx.row(vm), row[VM.domid] == domain, [.running, .paused].contains(row[VM.powerState]),
                tx.row(image) != nil
            else { return nil }
            let vbds = tx.rows(VBD.self) { $0[VBD.vm] == vm && ($0[VBD.currentlyAttached] || $0[VBD.reserved]) }
            try Self.mark(vbds, reserved: false, attached: false, in: tx)
            try tx.set(vm, power: .suspended)
            try tx.set(vm, VM.suspendVDI, image)
            try tx.set(vm, VM.residentOn, .null)
            try tx.set(vm, VM.domid, -1)
            try GuestRows.halted(vm, in: tx)
            try SuspensionNote(phase: .loading, vm: uuid).write(of: image, in: tx)
            return vbds
        }
        guard let detached else { return false }
        try? await guests.endAbandoned(uuid)
        await release(detached)
        return true
    }
}
