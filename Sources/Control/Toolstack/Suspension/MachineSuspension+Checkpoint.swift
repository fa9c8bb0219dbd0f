import APITypes
import CoreTypes
import Guests
import Logging
import PoolDatabase

/// Checkpoints of VMs that run (ADR 16).
extension MachineSuspension {
    /// A snapshot of the machine with its memory, in a VDI of its own. The disks' snapshots are made while the guest stands for the rest
    /// of its memory, so that both are of that moment. It goes on when QEMU has sent that, however all this ends.
    ///
    /// One transaction makes the snapshot. Before it the image has a note as that of a VM that is being suspended, and the new disks
    /// are on a record of `MachineDisks`: what is left of either goes.
    func checkpoint(
        _ machine: MachineCopy, name: String, with disks: MachineDisks, _ call: CallContext
    ) async throws -> Ref<VM> {
        let vm = machine.machine.typedRef(VM.self)
        let (row, attached) = try await survey(vm, call)
        let uuid = row[VM.uuid]
        let size = SavingSteps.size(memory: guests.specification(uuid)?.memoryBytes ?? 0)
        let vdi = try await makeImage(of: row, size: size, in: attached, call)
        FailurePoint.reached("suspend-made")
        let standing = Standing()
        do {
            let memory = PartialProgress(whole: call.progress, start: 0, share: 0.9)
            let snapshots = PartialProgress(whole: call.progress, start: 0.9, share: 0.1)
            let made = try await disks.deriving(.snapshot, machine.disks(), progress: snapshots) { made in
                let guest: SuspendedGuest
                do {
                    guest = try await save(
                        uuid, in: vdi, attached.ref, memory, steps(uuid, machine.disks(), made, standing, call))
                } catch let error as StandsStill {
                    // It was told to go on, and is told again.
                    throw error
                } catch {
                    // First of all: to take away what was made may take long.
                    await goOn(uuid, after: error)
                    throw error
                }
                await FailurePoint.wait("suspend-held")
                if call.progress.cancellation.isCancelled { throw CancellationError() }
                let new = Fresh.ref(VM.self)
                return try await made.commit { tx, disks in
                    try machine.insert(
                        .snapshot, as: new, name: name, disks: disks, memory: MachineMemory(image: vdi, guest: guest),
                        in: tx)
                    SuspensionNote.remove(of: vdi, in: tx)
                    Alerts.post(checkpoint: name, of: machine.machine, in: tx)
                    return new
                }
            }
            await end(standing)
            await refresh(vdi, in: attached)
            return made
        } catch {
            await end(standing)
            await takeBack(vdi, of: uuid)
            throw call.progress.cancellation.isCancelled ? CancellationError() : failure(error, vm)
        }
    }

    /// The disks are claimed when the guest stands, until the checkpoint is made or is not.
    private func steps(
        _ uuid: String, _ disks: [Ref<VDI>], _ made: DerivedDisks, _ standing: Standing, _ call: CallContext
    ) -> SavingSteps {
        SavingSteps(isLive: true) {
            standing.since = .now
            standing.admitted = try await admission.beginInTurn(
                disks.map { .vdi($0, .snapshot) }, task: call.task, cancellation: call.progress.cancellation,
                atMost: Self.longestTurn)
            try await made.makeVolumes()
            await FailurePoint.wait("checkpoint-disks")
        } taken: {
            await FailurePoint.wait("checkpoint-taken")
            let end = GuestError(.disconnected, "QEMU ended when the guest was to go on", guest: uuid)
            let lost = LostGuest(cause: end)
            await goOn(uuid, after: lost)
            if guests.state(uuid) == nil { throw lost }
            if isHeld(uuid) { throw StandsStill() }
            let stall = standing.seconds
            call.progress.annotate([Self.stallKey: stall])
            context.logger.info("a guest stood for a checkpoint", metadata: ["vm": "\(uuid)", "seconds": "\(stall)"])
        }
    }

    /// How long a guest stands for a snapshot of one of its disks that somebody else makes just then.
    private static let longestTurn = Duration.seconds(10)

    /// The entry of a task's `other_config` that says how long the guest stood, seconds.
    static let stallKey = "guest_stall"

    /// QEMU does not let the guest go on, or does not say so.
    private struct StandsStill: Error {}

    /// What there is of a guest that stands, or has stood.
    private final class Standing {
        var since = ContinuousClock.now
        /// To its disks.
        var admitted: OperationAdmission.Admitted?
        /// Since it stands, with milliseconds.
        var seconds: String {
            let milliseconds = (ContinuousClock.now - since) / .milliseconds(1)
            return String(milliseconds.rounded() / 1000)
        }
    }

    private func end(_ standing: Standing) async {
        if let admitted = standing.admitted { await admission.end(admitted) }
    }

    /// VM_CHECKPOINT_RESUME_FAILED [vm], VM_CHECKPOINT_SUSPEND_FAILED [vm] where nothing more precise is known.
    private func failure(_ error: any Error, _ vm: Ref<VM>) -> any Error {
        if error is StandsStill { return APIError("VM_CHECKPOINT_RESUME_FAILED", vm.opaque) }
        let known = mapped(error, vm)
        guard error is GuestError, (known as? APIError)?.code == "INTERNAL_ERROR" else { return known }
        context.logger.error("a guest could not be saved", metadata: ["vm": "\(vm.opaque)", "error": "\(error)"])
        return APIError("VM_CHECKPOINT_SUSPEND_FAILED", vm.opaque)
    }
}
