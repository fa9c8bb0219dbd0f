import APITypes
import CoreTypes
import DatapathControl
import Guests
import PoolDatabase

/// VMs whose memory comes back from its image.
extension MachineSuspension {
    func resume(_ vm: Ref<VM>, paused: Bool, _ call: CallContext) async throws {
        let row = try context.row(vm)
        let (uuid, vdi) = (row[VM.uuid], row[VM.suspendVDI])
        guard let image = context.database.read({ $0.row(vdi) }), (try? context.attached(image[VDI.sr])) != nil else {
            throw APIError("SUSPEND_IMAGE_NOT_ACCESSIBLE", vdi.opaque)
        }
        try await learnGuest(of: row, from: image, call.progress)
        // One that did not end when the VM was suspended, and holds nothing that the image does not have.
        do throws(GuestError) { try await guests.endAbandoned(uuid) } catch { throw mapped(error, vm) }
        try await note(.loading, vdi, uuid)
        do {
            try await lifecycle.resume(vm, image: vdi, paused: paused) { disks, drives in
                try await load(image, as: row, paused: paused, disks: disks, drives: drives, call.progress)
                FailurePoint.reached("resume-loaded")
            }
        } catch {
            let now = context.database.read { $0.row(vm) }
            if let now, now[VM.powerState] != .suspended {
                // The guest was told to run, and whether it does is not known yet.
                let domain = now[VM.domid]
                let work = Task { await finishRun(vm, uuid, image: vdi, domain: domain) }
                let isKnown = await BoundedWait.wait(for: work, atMost: .seconds(10))
                // Told again, it runs.
                if isKnown, guests.state(uuid) != nil, context.database.read({ $0.row(vm)?[VM.domid] }) == domain {
                    return
                }
                // It has ended, whatever was said of the order to run.
                if isKnown, context.database.read({ $0.row(vm)?[VM.powerState] }) == .halted {
                    throw APIError("VM_HALTED", vm.opaque)
                }
            } else {
                // Nothing has run that the image does not have.
                try? await guests.dismiss(uuid)
                await forget(vdi)
            }
            throw call.progress.cancellation.isCancelled ? CancellationError() : mapped(error, vm)
        }
        await discard(vdi, of: uuid)
        _ = try? await context.database.transaction { tx in
            if tx.row(vm)?[VM.powerState] != .suspended { SuspendedGuest.remove(of: vm, in: tx) }
        }
    }

    /// Of a VM that came suspended from elsewhere nothing may be known but its image: that says where its guest's drives are, and those
    /// VBDs are the guest's from now on.
    private func learnGuest(of vm: Row, from image: Row, _ progress: any TaskProgress) async throws {
        let ref = vm.typedRef(VM.self)
        if context.database.read({ SuspendedGuest.of(ref, $0) }) != nil { return }
        let passport: GuestPassport
        do {
            passport = try await self.passport(in: image, progress)
        } catch {
            throw progress.cancellation.isCancelled ? CancellationError() : mapped(error, ref)
        }
        let specification = passport.specification
        try await context.database.transaction { tx in
            let drives = tx.rows(VBD.self, where: VBD.vm, is: ref)
            try SuspendedGuest(of: specification, among: drives).write(of: ref, in: tx)
        }
    }

    /// What an image says of its guest, without the rest of it.
    private func passport(in image: Row, _ progress: any TaskProgress) async throws -> GuestPassport {
        struct Found: Error { let passport: GuestPassport }
        do {
            _ = try await read(image, progress) { part, _ in
                if case .passport(let passport, _) = part { throw Found(passport: passport) }
            }
        } catch let found as Found {
            return found.passport
        }
        throw SuspendImage.Damage(description: "the suspend image describes no guest")
    }

    /// The sum of an image, which has to be whole.
    func sum(of vdi: Ref<VDI>) async throws -> [UInt8] {
        try await read(try context.row(vdi), UnwatchedProgress()) { _, _ in }
    }

    /// Returns when a QEMU of this host has all of the guest, and the image was whole.
    private func load(
        _ image: Row, as vm: Row, paused: Bool, disks: [GuestDisk], drives: [GuestDrive], _ progress: any TaskProgress
    ) async throws {
        let uuid = vm[VM.uuid]
        let known = context.database.read { SuspendedGuest.of(vm.typedRef(VM.self), $0) }
        let pair = try SocketPair()
        let expected = Double(max(1, image[VDI.physicalUtilisation]))
        _ = try await read(image, progress) { part, moved in
            if progress.cancellation.isCancelled { throw CancellationError() }
            switch part {
            case .passport(var passport, let sum):
                try known?.check(head: sum)
                try Self.settle(&passport, vm, disks: disks, drives: drives)
                passport.isPaused = paused
                try await guests.startReceiving(passport)
                FailurePoint.reached("resume-waiting")
                try await guests.receive(uuid, from: pair.near)
                pair.closeNear()
            case .memory(let memory):
                // Why QEMU does not take it is the reason.
                if await !pair.write(memory) { try await guests.received(uuid) }
                progress.report(0.95 * min(1, Double(moved) / expected))
            case .end(let sum): try known?.check(sum: sum)
            }
        }
        try await guests.received(uuid)
    }

    /// Reads an image to its end, part by part, and returns its sum. Throws where it is damaged, and soon after `progress` is cancelled,
    /// also while its storage does not answer. `take` gets the bytes read so far, too.
    private func read(
        _ image: Row, _ progress: any TaskProgress,
        _ take: (SuspendImageReader.Part, _ moved: Int64) async throws -> Void
    ) async throws -> [UInt8] {
        let vdi = image.typedRef(VDI.self)
        let admitted = try await admission.begin([.vdi(vdi, .copy)], task: .null)
        do {
            let specification = try await context.beginUse(of: image, readOnly: true)
            do {
                let process = try TransferProcess.start(
                    [program, "export"] + specification.arguments + ["--as", "raw"],
                    as: context.disks.host.users.lend(), folder: folder, writesInput: false)
                let watch = Task {
                    while !progress.cancellation.isCancelled { try await Task.sleep(for: .milliseconds(100)) }
                    process.interrupt()
                }
                defer { watch.cancel() }
                let sum: [UInt8]
                do {
                    sum = try await Self.read(process, take)
                    // What is left of the disk is of no meaning.
                    await process.abort()
                } catch {
                    await process.abort()
                    throw error
                }
                await context.endUse(of: image, readOnly: true)
                await admission.end(admitted)
                return sum
            } catch {
                await context.endUse(of: image, readOnly: true)
                throw error
            }
        } catch {
            await admission.end(admitted)
            if let failure = error as? DatapathClient.Failure {
                throw ErrorMapping.api(failure, sr: image[VDI.sr], vdi: vdi)
            }
            throw error
        }
    }

    private static func read(
        _ process: TransferProcess, _ take: (SuspendImageReader.Part, _ moved: Int64) async throws -> Void
    ) async throws -> [UInt8] {
        var reader = SuspendImageReader()
        while true {
            let bytes = await process.read(limit: SuspendImage.longestPiece)
            if bytes.isEmpty {
                try await process.finish()
                throw SuspendImage.Damage(description: "the suspend image ends before the guest does")
            }
            for part in try reader.feed(bytes) {
                try await take(part, process.moved)
                if case .end(let sum) = part { return sum }
            }
        }
    }

    /// The guest as it was saved, with the VM's disks as they are served now. They sit where they sat: a VM with other disks than it
    /// was suspended with is not the one in the image.
    private static func settle(
        _ passport: inout GuestPassport, _ vm: Row, disks: [GuestDisk], drives: [GuestDrive]
    ) throws {
        let saved = passport.specification
        // Of an image that came from elsewhere nothing else says what its guest may take of this host.
        guard saved.memoryBytes <= UInt64(max(MachineLifecycle.memory(vm), 0)),
            saved.vcpus <= max(vm[VM.vcpusMax], vm[VM.vcpusAtStartup], 1)
        else {
            throw APIError(
                "OPERATION_NOT_ALLOWED",
                "the suspended guest has \(saved.memoryBytes) bytes of memory and \(saved.vcpus) processors, which is more than "
                    + "the VM may have: raise its limits")
        }
        let now = Dictionary(disks.map { ($0.position, $0) }) { first, _ in first }
        guard saved.disks.count == disks.count, (saved.drives ?? []).count == drives.count else {
            throw APIError("OPERATION_NOT_ALLOWED", "the VM has other disks than when it was suspended")
        }
        for disk in saved.disks {
            guard let new = now[disk.position], new.readOnly == disk.readOnly else {
                throw APIError(
                    "OPERATION_NOT_ALLOWED", "the VM has no such disk \(disk.position) as when it was suspended")
            }
            try passport.replace(disk: disk.id, with: new.id, socket: new.nbdSocket, exportName: new.exportName)
        }
        for drive in saved.drives ?? [] {
            guard let new = drives.first(where: { $0.position == drive.position }) else {
                throw APIError("OPERATION_NOT_ALLOWED", "the VM has no CD drive \(drive.position) any more")
            }
            try passport.replace(drive: drive.id, with: new.id, disc: new.disc)
        }
        // The image may be anybody's disk: what files of this host a kernel is read from is for the VM to say.
        passport.rename(uuid: vm[VM.uuid], name: vm[VM.nameLabel], boot: MachineLifecycle.boot(vm))
    }
}
