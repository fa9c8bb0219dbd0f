import APITypes
import Guests
import PoolDatabase

/// VM.snapshot, checkpoint, clone, copy and revert.
struct MachineTreeMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let lifecycle: MachineLifecycle
    let suspension: MachineSuspension

    private var disks: MachineDisks { MachineDisks(context: context, admission: admission) }

    func register(in table: inout MessageTable) {
        table.on("VM.snapshot", cancellable: true) { call, arguments in
            let ignored: [Ref<VDI>] = arguments.values.count > 2 ? try arguments.get(2) : []
            return .ref(
                try await snapshot(arguments.get(0), name: arguments.get(1), except: Set(ignored), call).opaque)
        }
        table.on("VM.checkpoint", cancellable: true) { call, arguments in
            .ref(try await checkpoint(arguments.get(0), name: arguments.get(1), call).opaque)
        }
        table.on("VM.clone", cancellable: true) { call, arguments in
            .ref(try await clone(arguments.get(0), name: arguments.get(1), call).opaque)
        }
        table.on("VM.copy", cancellable: true) { call, arguments in
            .ref(try await copy(arguments.get(0), name: arguments.get(1), to: arguments.get(2), call).opaque)
        }
        table.on("VM.revert") { call, arguments in
            try await revert(to: arguments.get(0), call)
            return .void
        }
    }

    /// Runs `body` with the machine's rows, admitted to the operation on it and on its disks.
    private func working<Made: Sendable>(
        on vm: Ref<VM>, _ operation: VMOperations, _ call: CallContext,
        disks claims: @escaping @Sendable (MachineCopy) throws -> [OperationClaim],
        alongside: @escaping @Sendable (Transaction) throws -> Void = { _ in },
        _ body: (MachineCopy) async throws -> Made
    ) async throws -> Made {
        await MachineDisks.sweep(context)
        while true {
            let machine = try context.database.read { try MachineCopy(vm, $0) }
            // What speaks against it is said before what speaks against the disks.
            do {
                try context.database.read { try OperationClaim.vm(vm, operation).check($0) }
            } catch let error as APIError where OperationTurns.isWorthWaiting(error) {
                // It is waited for below.
            }
            do {
                return try await admission.runInTurn(
                    [.vm(vm, operation)] + claims(machine), task: call.task, cancellation: call.progress.cancellation
                ) { tx in
                    guard try MachineCopy(vm, tx).isLike(machine) else { throw DrivesChanged() }
                    try alongside(tx)
                } _: {
                    try await body(machine)
                }
            } catch is DrivesChanged {
                // Somebody has changed its drives meanwhile.
                continue
            }
        }
    }

    private struct DrivesChanged: Error {}

    private func snapshot(
        _ vm: Ref<VM>, name: String, except ignored: Set<Ref<VDI>>, _ call: CallContext
    ) async throws -> Ref<VM> {
        try await working(on: vm, .snapshot, call) { machine in
            machine.disks(except: ignored).map { .vdi($0, .snapshot) }
        } _: { machine in
            let new = Fresh.ref(VM.self)
            return try await disks.derive(
                .snapshot, machine.disks(except: ignored), progress: call.progress
            ) { tx, made in
                try machine.insert(.snapshot, as: new, name: name, disks: made, in: tx)
                Alerts.post(
                    .snapshotted, about: .vm, uuid: machine.machine.uuid,
                    body: "A snapshot of VM '\(machine.machine.nameLabel)' was made: '\(name)'", in: tx)
                return new
            }
        }
    }

    /// A machine that is paused is kept without its memory, as by XenAPI. Of one that runs the disks are not claimed before its guest
    /// stands: until then others may make snapshots of them.
    private func checkpoint(_ vm: Ref<VM>, name: String, _ call: CallContext) async throws -> Ref<VM> {
        try await working(on: vm, .checkpoint, call) { machine in
            if machine.machine[VM.powerState] == .running { return [] }
            return try machine.disks().map { .vdi($0, .snapshot) } + memory(of: machine, .clone)
        } alongside: { tx in
            for disk in try MachineCopy(vm, tx).disks() { try OperationClaim.vdi(disk, .snapshot).check(tx) }
            try SuspensionMessages.requireSteadyDevices(of: vm, tx)
        } _: { machine in
            if machine.machine[VM.powerState] == .running {
                return try await suspension.checkpoint(machine, name: name, with: disks, call)
            }
            let new = Fresh.ref(VM.self)
            return try await disks.derive(
                .snapshot, machine.disks(), memory: machine.memory?.image, progress: call.progress
            ) { tx, made in
                try machine.insert(
                    .snapshot, as: new, name: name, disks: made, memory: machine.memory?.moved(made), in: tx)
                Alerts.post(checkpoint: name, of: machine.machine, in: tx)
                return new
            }
        }
    }

    /// The claim to the image of a suspended machine's memory. SUSPEND_IMAGE_NOT_ACCESSIBLE [vdi].
    private func memory(of machine: MachineCopy, _ operation: VDIOperations) throws(APIError) -> [OperationClaim] {
        guard let image = machine.memory?.image else { return [] }
        if context.database.read({ $0.row(image) }) == nil {
            throw APIError("SUSPEND_IMAGE_NOT_ACCESSIBLE", image.opaque)
        }
        return [.vdi(image, operation)]
    }

    private func clone(_ vm: Ref<VM>, name: String, _ call: CallContext) async throws -> Ref<VM> {
        try await working(on: vm, .clone, call) { machine in
            try machine.disks().map { .vdi($0, .clone) } + memory(of: machine, .clone)
        } _: { machine in
            let new = Fresh.ref(VM.self)
            return try await disks.derive(
                .clone, machine.disks(), memory: machine.memory?.image, progress: call.progress
            ) { tx, made in
                try finish(machine, as: new, name: name, made, in: tx)
            }
        }
    }

    private func copy(
        _ vm: Ref<VM>, name: String, to sr: Ref<SR>, _ call: CallContext
    ) async throws -> Ref<VM> {
        _ = try context.row(vm)
        if !sr.isNull { _ = try context.row(sr) }
        return try await working(on: vm, .copy, call) { machine in
            let disks = machine.disks() + (machine.memory.map { [$0.image] } ?? [])
            _ = try memory(of: machine, .copy)
            let places = sr.isNull ? Set(try disks.map { try context.row($0)[VDI.sr] }) : [sr]
            return disks.map { .vdi($0, .copy) } + (disks.isEmpty ? [] : places.map { .sr($0, .vdiCreate) })
        } _: { machine in
            let new = Fresh.ref(VM.self)
            let all = machine.disks() + (machine.memory.map { [$0.image] } ?? [])
            return try await disks.copy(all, to: sr, progress: call.progress) { tx, made in
                try finish(machine, as: new, name: name, made, in: tx)
            }
        }
    }

    private func finish(
        _ machine: MachineCopy, as new: Ref<VM>, name: String, _ disks: [Ref<VDI>: Ref<VDI>], in tx: Transaction
    ) throws -> Ref<VM> {
        try machine.insert(
            .clone, as: new, name: name, disks: disks, memory: machine.memory?.moved(disks), in: tx)
        Alerts.post(
            .cloned, about: .vm, uuid: machine.machine.uuid,
            body: "VM '\(machine.machine.nameLabel)' was cloned as '\(name)'", in: tx)
        return new
    }

    // MARK: - Revert

    /// The machine that the snapshot is of becomes what it was, with clones of the snapshot's disks. Its guest is ended.
    ///
    /// One transaction exchanges the disks. Before it the machine has its own, and the clones are on the record of
    /// `MachineDisks`; after it the machine has the clones, and its own former disks, of which the snapshot has an earlier
    /// state, are on the record. Whoever is on the record goes: now, or after a crash at the next start.
    private func revert(to snapshot: Ref<VM>, _ call: CallContext) async throws {
        let retired = Fresh.uuid()
        context.machinesBeingMade.insert(retired)
        defer { context.machinesBeingMade.remove(retired) }
        try await working(on: snapshot, .revert, call) { copy in
            let vm = copy.machine[VM.snapshotOf]
            let own: [OperationClaim] = context.database.read { $0.row(vm) } == nil ? [] : [.vm(vm, .reverting)]
            return try own + copy.disks().map { .vdi($0, .clone) } + memory(of: copy, .clone)
        } _: { copy in
            let vm = copy.machine[VM.snapshotOf]
            let revert = MachineRevert(snapshot: copy, retired: retired)
            try await disks.derive(
                .clone, copy.disks(), memory: copy.memory?.image, progress: call.progress
            ) { tx, clones in
                try revert.commit(clones, in: tx)
            } settle: {
                try await end(vm)
            }
            FailurePoint.reached("revert-committed")
        }
        await disks.destroy(retired)
    }

    /// The machine's guest ends, whatever it does.
    private func end(_ vm: Ref<VM>) async throws {
        guard let row = context.database.read({ $0.row(vm) }), [.running, .paused].contains(row[VM.powerState]) else {
            return
        }
        do {
            try await lifecycle.cutOff(vm)
        } catch let error as GuestError {
            // It ended by itself.
            if error.code != .notRunning { throw ErrorMapping.api(error, vm: vm) }
            await lifecycle.halted(row[VM.uuid])
        }
        FailurePoint.reached("revert-cut-off")
    }
}

extension Alerts {
    static func post(checkpoint name: String, of machine: Row, in tx: Transaction) {
        post(
            Kind(name: "VM_CHECKPOINTED", priority: 5), about: .vm, uuid: machine.uuid,
            body: "A checkpoint of VM '\(machine.nameLabel)' was made: '\(name)'", in: tx)
    }
}

extension Alerts.Kind {
    static let snapshotted = Alerts.Kind(name: "VM_SNAPSHOTTED", priority: 5)
    static let cloned = Alerts.Kind(name: "VM_CLONED", priority: 5)
    static let reverted = Alerts.Kind(name: "VM_SNAPSHOT_REVERTED", priority: 5)
}
