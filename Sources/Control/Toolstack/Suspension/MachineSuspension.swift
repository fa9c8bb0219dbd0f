import APITypes
import CoreTypes
import DatapathControl
import Foundation
import Guests
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// VMs whose memory goes into a VDI, and comes back from there.
///
/// Bytes go from QEMU through here into a gantry-datapath of their own, which writes the image, and back the same way. What a crash
/// leaves is decided by `SuspensionNote`: the VM runs, or it is suspended with a whole image, and no VDI is left over.
struct MachineSuspension: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let guests: GuestHost
    let lifecycle: MachineLifecycle
    /// Path of gantry-datapath.
    let program: String
    /// A folder for the processes' error reports.
    let folder: String
    /// How long a call, or the start of the toolstack, waits for a QEMU that does not let its guest go on.
    var patience = Duration.seconds(60)
    /// How long the image's writer has to say why it failed.
    private static let imagePatience = Duration.seconds(10)

    // MARK: Suspend

    func suspend(_ vm: Ref<VM>, _ call: CallContext) async throws {
        let (row, attached) = try await survey(vm, call)
        let uuid = row[VM.uuid]
        let before = await lifecycle.cutOffCount(vm)
        let size = SuspendImage.size(memory: guests.specification(uuid)?.memoryBytes ?? 0)
        let vdi = try await makeImage(of: row, size: size, in: attached, call)
        FailurePoint.reached("suspend-made")
        let vbds: [Row]
        do {
            let guest = try await save(uuid, in: vdi, attached.ref, call.progress)
            await FailurePoint.wait("suspend-held")
            vbds = try await lifecycle.suspended(vm, image: vdi, guest: guest, cutOffs: before)
        } catch {
            await goOn(uuid, after: error)
            await takeBack(vdi, of: uuid)
            throw call.progress.cancellation.isCancelled ? CancellationError() : mapped(error, vm)
        }
        FailurePoint.reached("suspend-committed")
        // The image is the VM: QEMU goes, whatever it says. Should it not, the next to resume the VM, or the next start, sees to it.
        do throws(GuestError) {
            try await guests.endAbandoned(uuid)
        } catch {
            context.logger.error("the QEMU of a suspended VM stays", metadata: ["vm": "\(uuid)", "error": "\(error)"])
        }
        FailurePoint.reached("suspend-ended")
        await lifecycle.release(vbds)
        await refresh(vdi, in: attached)
        await forget(vdi)
    }

    /// What the VM's guest is saved from, and where to. VM_NO_SUSPEND_SR [vm], SR_NOT_ATTACHED [sr].
    func survey(_ vm: Ref<VM>, _ call: CallContext) async throws -> (row: Row, attached: AttachedRepository) {
        let (row, sr) = try context.database.read { reader in
            (try reader.require(vm), try SuspendRepository.choose(for: vm, on: context.host, reader))
        }
        // None is saved that cannot be resumed.
        try await lifecycle.requireBootFiles(of: row)
        // It is not known yet whether it runs: the image that it comes out of may still be the VM.
        if guests.passage(of: row[VM.uuid]) != nil {
            throw APIError("OTHER_OPERATION_IN_PROGRESS", VM.className, vm.opaque, "resume", call.task.opaque)
        }
        return (row, try context.attached(sr))
    }

    /// The VDI, of `size` bytes at least, and its note, both or none.
    func makeImage(
        of vm: Row, size bytes: UInt64, in attached: AttachedRepository, _ call: CallContext
    ) async throws -> Ref<VDI> {
        let (uuid, label) = (vm[VM.uuid], vm[VM.nameLabel])
        let promised = context.promised(attached.manager).supportedImageFormats
        let size: FormatDecision.Outcome
        do {
            size = try FormatDecision.decide(
                choice: "", size: bytes, source: nil, manager: attached.manager,
                configuration: attached.repository.deviceConfig, promised: promised)
        } catch {
            throw ErrorMapping.api(
                error, vdi: .null, srUUID: attached.uuid, supported: promised.map(\.rawValue))
        }
        let wanted = NewVolume(
            uuid: Fresh.uuid(), size: size.size, format: size.format, nameLabel: "Suspend image",
            nameDescription: "Memory of the VM \(label)", type: VDIType.suspend.rawValue)
        let fresh = Fresh.ref(VDI.self)
        let isForeign = attached.manager.info.writesRows
        // Until it has its note it is a copy that a crash has cut off.
        if let format = size.format, !isForeign {
            try await DiskCopy(context: context).note(
                wanted.uuid, attached, location: "\(wanted.uuid).\(format.rawValue)")
        }
        do {
            return try await makeImage(wanted, fresh, of: uuid, in: attached, call)
        } catch {
            if !isForeign { try? await DiskCopy.takeAway(wanted.uuid, context) }
            throw error
        }
    }

    private func makeImage(
        _ wanted: NewVolume, _ fresh: Ref<VDI>, of uuid: String, in attached: AttachedRepository, _ call: CallContext
    ) async throws -> Ref<VDI> {
        try await DiskMessages(context: context, admission: admission).makeVolume(
            in: attached, wanted, task: call.task
        ) { volume, tx in
            let vdi: Ref<VDI>
            if attached.manager.info.writesRows {
                vdi = try DriverRows.find(volume, of: attached.ref, in: tx)
            } else {
                vdi = fresh
                tx.insert(VDI.self, ref: vdi) { row in VDIRow.fill(&row, volume, sr: attached.ref) }
            }
            tx.setPrivate(kind: DiskCopy.kind, key: wanted.uuid, value: nil)
            try tx.set(vdi, VDI.type, .suspend)
            try tx.set(vdi, VDI.nameLabel, wanted.nameLabel)
            try tx.set(vdi, VDI.nameDescription, wanted.nameDescription)
            try SuspensionNote.spendOlder(of: uuid, in: tx)
            try SuspensionNote(phase: .saving, vm: uuid).write(of: vdi, in: tx)
            return vdi
        }
    }

    /// Returns when QEMU has sent all of the guest, which is held unless `steps` lets it go on, and all of it is durable in the image.
    func save(
        _ uuid: String, in vdi: Ref<VDI>, _ sr: Ref<SR>, _ progress: any TaskProgress, _ steps: SavingSteps = .init()
    ) async throws -> SuspendedGuest {
        let guest: SuspendedGuest
        let row = try context.row(vdi)
        let admitted = try await admission.begin([.vdi(vdi, .update)], task: .null)
        do {
            let image = try await context.beginUse(of: row, readOnly: false)
            do {
                let process = try TransferProcess.start(
                    [program, "import"] + image.arguments + ["--as", "raw"], as: context.disks.host.users.lend(),
                    folder: folder, writesInput: true)
                do {
                    guest = try await send(uuid, through: process, progress, steps)
                } catch {
                    await process.abort()
                    throw error
                }
            } catch let failure as DatapathClient.Failure {
                await context.endUse(of: row, readOnly: false)
                throw ErrorMapping.api(failure, sr: sr, vdi: vdi)
            } catch {
                await context.endUse(of: row, readOnly: false)
                throw error
            }
            await context.endUse(of: row, readOnly: false)
        } catch {
            await admission.end(admitted)
            throw error
        }
        await admission.end(admitted)
        return guest
    }

    private func send(
        _ uuid: String, through process: TransferProcess, _ progress: any TaskProgress, _ steps: SavingSteps
    ) async throws -> SuspendedGuest {
        let pair = try SocketPair()
        let memory = guests.specification(uuid)?.memoryBytes ?? 0
        try await guests.send(uuid, into: pair.near, isAnswered: false, limits: steps.limits(memory: memory))
        FailurePoint.reached("suspend-sending")
        pair.closeNear()
        // From here on nothing is plugged or unplugged: these are the devices of which the state is sent.
        let passport = try await guests.passport(of: uuid)
        let devices = passport.specification.disks.map(\.id) + (passport.specification.drives ?? []).map(\.id)
        var writer = SuspendImageWriter()
        try await process.write(try writer.head(passport))
        let pump = Task { [writer] in try await Self.pump(from: pair, into: process, writer) }
        let watch = Task { [isLive = steps.isLive] in
            var isLive = isLive
            while !Task.isCancelled {
                progress.report(0.95 * min(1, Double(process.moved) / Double(max(memory, 1))))
                if progress.cancellation.isCancelled {
                    try? await guests.cancelSending(uuid)
                    // Storage that does not answer is not waited for.
                    process.interrupt()
                }
                if isLive, let now = try? await guests.transfer(of: uuid), SavingSteps.mustStand(now, memory: memory) {
                    isLive = (try? await guests.limit(uuid, to: SavingSteps.now)) == nil
                }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        defer { watch.cancel() }
        do {
            try await guests.switchover(of: uuid)
            await FailurePoint.wait("suspend-standing")
            try await steps.standing()
            try await handOver(uuid)
            try await steps.taken()
        } catch {
            pair.cut()
            let end = Task { _ = await pump.result }
            guard await BoundedWait.wait(for: end, atMost: Self.imagePatience) else {
                // It stands in a write to storage that does not answer.
                process.interrupt()
                await end.value
                throw error
            }
            // Why the image could not be written is the reason, where there is one.
            _ = try await pump.value
            throw error
        }
        writer = try await pump.value
        try await process.write(writer.end())
        try await process.finish()
        return SuspendedGuest(
            vbds: Set(devices), head: SuspendedGuest.hex(writer.headSum), sum: SuspendedGuest.hex(writer.wholeSum))
    }

    private func handOver(_ uuid: String) async throws {
        do throws(GuestError) {
            try await guests.handOver(uuid)
        } catch {
            // No event tells of the end of a guest that may have been handed over.
            let isLost = error.code == .disconnected || error.code == .notRunning
            throw isLost ? LostGuest(cause: error) as any Error : error
        }
    }

    /// QEMU has ended while it held a guest that stood.
    struct LostGuest: Error {
        let cause: GuestError
    }

    /// Moves the guest's memory into the image until QEMU closes its end; cuts the connection when the image takes no more.
    private static func pump(
        from pair: SocketPair, into process: TransferProcess, _ writer: SuspendImageWriter
    ) async throws -> SuspendImageWriter {
        var writer = writer
        while true {
            let piece = await pair.read(limit: SuspendImage.longestPiece)
            if piece.isEmpty { return writer }
            await FailurePoint.wait("suspend-piece")
            do {
                try await process.write(writer.piece(piece))
            } catch {
                pair.cut()
                throw error
            }
        }
    }

    func refresh(_ vdi: Ref<VDI>, in attached: AttachedRepository) async {
        if let row = context.database.read({ $0.row(vdi) }),
            let volume = try? await attached.manager.stat(attached.repository, StorageContext.volume(row)),
            !attached.manager.info.writesRows
        {
            try? await context.database.transaction { tx in try VDIRow.refresh(vdi, volume, in: tx) }
        }
        await context.refreshSpace(attached)
    }

    func note(_ phase: SuspensionNote.Phase, _ vdi: Ref<VDI>, _ vm: String) async throws {
        try await context.database.transaction { tx in try SuspensionNote(phase: phase, vm: vm).write(of: vdi, in: tx) }
    }

    func forget(_ vdi: Ref<VDI>) async {
        try? await context.database.transaction { tx in SuspensionNote.remove(of: vdi, in: tx) }
    }

    func mapped(_ error: any Error, _ vm: Ref<VM>) -> any Error {
        switch error {
        case is LostGuest: APIError("VM_HALTED", vm.opaque)
        case let error as GuestError where error.code == .incompatible:
            APIError("VM_INCOMPATIBLE_WITH_THIS_HOST", vm.opaque, context.host.opaque, error.message)
        case let error as GuestError where [.notRunning, .disconnected].contains(error.code):
            // It has ended meanwhile.
            APIError("VM_HALTED", vm.opaque)
        case let error as GuestError: ErrorMapping.api(error, vm: vm)
        case let error as SuspendImage.Damage:
            APIError("OPERATION_NOT_ALLOWED", "the VM cannot be resumed: \(error)")
        case let error as StorageError: ErrorMapping.api(error, sr: .null)
        default: error
        }
    }
}
