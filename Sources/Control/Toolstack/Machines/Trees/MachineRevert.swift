import APITypes
import PoolDatabase

/// What a machine's rows become when it is reverted to a snapshot.
struct MachineRevert: Sendable {
    let snapshot: MachineCopy
    /// The record under which the disks go that the machine had.
    let retired: String

    /// What a machine keeps: who it is, how it goes with it, and what its owner says of it wherever it is in its history.
    private static let kept: Set<String> = [
        "uuid", "suspend_VDI", "power_state", "parent", "current_operations", "allowed_operations", "guest_metrics",
        "metrics", "resident_on", "domid", "domarch", "protection_policy", "snapshot_schedule",
        "scheduled_to_be_resident_on", "tags", "affinity", "appliance", "suspend_SR", "blobs", "is_control_domain",
        "generation_id", "groups", "version", "ha_always_run", "is_default_template", "requires_reboot",
        "blocked_operations", "is_a_snapshot", "snapshot_of", "snapshot_time", "transportable_snapshot_id",
        "snapshot_info", "snapshot_metadata", "last_booted_record", "is_snapshot_from_vmpp", "is_vmss_snapshot",
    ]
    /// What the snapshot's own row cannot tell of the machine.
    private static let keptWithoutMetadata: Set<String> = ["name_label", "is_a_template"]

    /// VM_REVERT_FAILED [vm, snapshot] when the machine runs after all. That of a checkpoint becomes Suspended, with the clone of
    /// the checkpoint's image.
    func commit(_ made: [Ref<VDI>: Ref<VDI>], in tx: Transaction) throws {
        let source = snapshot.machine
        let memory = snapshot.memory?.moved(made)
        var clones = made
        if let image = snapshot.memory?.image { clones[image] = nil }
        let own = source.typedRef(VM.self)
        let machine = try target(in: tx)
        let row = try tx.require(machine)
        guard [.halted, .suspended].contains(row[VM.powerState]) else {
            throw APIError("VM_REVERT_FAILED", machine.opaque, own.opaque)
        }
        try restore(machine, in: tx)
        try exchangeDisks(of: row, clones, in: tx)
        for drive in tx.rows(VBD.self, where: VBD.vm, is: machine) { tx.delete(drive.typedRef(VBD.self)) }
        for interface in tx.rows(VIF.self, where: VIF.vm, is: machine) { tx.delete(interface.typedRef(VIF.self)) }
        let drives = snapshot.insertDevices(of: machine, .snapshot, disks: clones, in: tx)
        SuspendedGuest.remove(of: machine, in: tx)
        try memory?.give(to: machine, drives: drives, in: tx)
        try tx.set(machine, VM.parent, own)
        Alerts.post(
            .reverted, about: .vm, uuid: row.uuid,
            body: "VM '\(row.nameLabel)' is again what it was at the snapshot '\(source.nameLabel)'", in: tx)
    }

    /// The machine that the snapshot is of. One that is gone comes back, with its uuid, and its snapshots are its own again.
    private func target(in tx: Transaction) throws -> Ref<VM> {
        let vm = snapshot.machine[VM.snapshotOf]
        if tx.row(vm) != nil { return vm }
        let new = Fresh.ref(VM.self)
        let before = SnapshotMetadata.values(snapshot.machine[VM.snapshotMetadata])?.uuid ?? ""
        let isFree = Fresh.isUUID(before) && tx.find(VM.self, uuid: before) == nil
        try MachineCopy(bare: snapshot).insert(
            .clone, as: new, uuid: isFree ? before : Fresh.uuid(), name: snapshot.machine.nameLabel, disks: [:], in: tx)
        try tx.set(new, VM.isATemplate, false)
        let others = vm.isNull ? [snapshot.machine] : tx.rows(VM.self, where: VM.snapshotOf, is: vm)
        for other in others { try tx.set(other.typedRef(VM.self), VM.snapshotOf, new) }
        return new
    }

    private func restore(_ machine: Ref<VM>, in tx: Transaction) throws {
        let source = snapshot.machine
        var fields: [(name: String, value: APIValue)]
        var kept = Self.kept
        if let metadata = SnapshotMetadata.values(source[VM.snapshotMetadata]) {
            fields = metadata.fields
        } else {
            fields = source.schema.fields.filter(\.isPublic).map { (name: $0.name, value: source[field: $0.name]) }
            kept.formUnion(Self.keptWithoutMetadata)
        }
        fields.removeAll { kept.contains($0.name) || source.schema.field($0.name)?.source != nil }
        for (name, value) in fields {
            try tx.update(className: VM.className, ref: machine.opaque, field: name, value)
        }
        try tx.set(machine, VM.haAlwaysRun, false)
        let generation = try tx.require(machine)[VM.generationID]
        try tx.set(machine, VM.generationID, MachineRows.freshGeneration(after: generation))
    }

    /// The machine's disks of which the snapshot has an earlier state are to go, unless others have them, too; all their
    /// snapshots are the clones' from now on. Its other disks stay, in no drive.
    private func exchangeDisks(of machine: Row, _ clones: [Ref<VDI>: Ref<VDI>], in tx: Transaction) throws {
        let vm = machine.typedRef(VM.self)
        var going: Set<Ref<VDI>> = []
        for (disk, clone) in clones.sorted(by: { $0.key.opaque < $1.key.opaque }) {
            guard let origin = tx.row(disk)?[VDI.snapshotOf] else { continue }
            if origin.isNull {
                try tx.set(disk, VDI.snapshotOf, clone)
                continue
            }
            for sibling in tx.rows(VDI.self, where: VDI.snapshotOf, is: origin) {
                try tx.set(sibling.typedRef(VDI.self), VDI.snapshotOf, clone)
            }
            let drives = tx.rows(VBD.self, where: VBD.vdi, is: origin)
            if tx.row(origin) != nil, !drives.isEmpty, drives.allSatisfy({ $0[VBD.vm] == vm }) { going.insert(origin) }
        }
        let suspended = machine[VM.suspendVDI]
        if tx.row(suspended) != nil { going.insert(suspended) }
        try tx.set(vm, VM.suspendVDI, .null)
        try tx.set(vm, VM.powerState, .halted)
        try MachineDisks.retire(going.sorted { $0.opaque < $1.opaque }, retired, in: tx)
    }
}
