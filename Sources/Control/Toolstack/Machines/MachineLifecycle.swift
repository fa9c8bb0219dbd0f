import APITypes
import CoreTypes
import DatapathControl
import Guests
import Logging
import PoolDatabase
import StorageMotion

/// What happens around a guest's life: its disks are activated before it runs and released after it ended, and the rows
/// say so.
actor MachineLifecycle {
    let context: StorageContext
    let guests: GuestHost
    let consoles: ConsoleAccess
    private var nextDomain: Int64 = 1
    /// How often somebody has ended a guest the hard way, by VM.
    private var cutOffs: [Ref<VM>: Int] = [:]
    /// The VMs that are to start again at once, with the number of those who restart them: a hard reboot may begin beside
    /// a clean one.
    private var restarts: [Ref<VM>: Int] = [:]
    /// Ends of guests whose disks are being released: whoever else hears of one waits for it. False: what must be recorded of it
    /// cannot be written for the time being.
    private var settling: [Ref<VM>: Task<Bool, Never>] = [:]

    init(context: StorageContext, guests: GuestHost, consoles: ConsoleAccess) {
        self.context = context
        self.guests = guests
        self.consoles = consoles
    }

    /// Boots a halted VM, or makes it ready to when it starts `paused`. On failure everything is released again.
    func start(_ vm: Ref<VM>, paused: Bool = false) async throws {
        let row = try context.row(vm)
        try requireHere(vm)
        try requireBootFiles(of: row)
        let (vbds, loaded) = drives(of: vm)
        // Reserved: a move that ends now leaves the data paths to us, and nobody destroys or resizes the disks.
        try await reserve(vbds, keepingReserved: restarts[vm] != nil)
        do {
            var disks: [GuestDisk] = []
            for vbd in loaded { disks.append(try await activate(vbd)) }
            let drives = DriveContent.takeDrives(of: vbds, from: &disks)
            try await guests.start(
                GuestSpecification(
                    uuid: row[VM.uuid], name: row[VM.nameLabel], memoryBytes: UInt64(Self.memory(row)),
                    vcpus: Int(max(1, row[VM.vcpusAtStartup])), boot: Self.boot(row), disks: disks,
                    firmwareTexts: row[VM.biosStrings].filter { FirmwareText.isValid($0.key, $0.value) },
                    drives: drives.isEmpty ? nil : drives,
                    endsOnReboot: context.hasDiskToReset(loaded) ? true : nil),
                paused: paused)
        } catch {
            // A guest that runs already, whatever the rows say, keeps its disks.
            if (error as? GuestError)?.code != .exists { await letGo(of: vbds) }
            if let error = error as? GuestError { throw ErrorMapping.api(error, vm: vm) }
            throw error
        }
        let host = context.host
        do {
            try await noteStart(of: vm, with: vbds) { tx in
                let name = tx.row(host)?[Host.nameLabel] ?? ""
                Alerts.post(
                    .started, about: .vm, uuid: row[VM.uuid],
                    body: "VM '\(row[VM.nameLabel])' started on host: \(name)", in: tx)
            }
        } catch {
            // No guest runs that the rows do not know of.
            try? await guests.hardShutdown(row[VM.uuid])
            await letGo(of: vbds)
            throw error
        }
        // It may have ended before the rows said that it runs; its event found nothing to change then.
        if guests.state(row[VM.uuid]) == nil { await halted(row[VM.uuid]) }
    }

    /// The VBDs that a guest of the VM gets, empty drives too, and those of them that have a disk.
    func drives(of vm: Ref<VM>) -> (all: [Row], loaded: [Row]) {
        context.database.read { reader in
            let all = reader.rows(VBD.self) { $0[VBD.vm] == vm && $0[VBD.type] != .floppy }
            let loaded = all.filter { DriveContent.isLoaded($0, reader) }
            return (all.filter { $0[VBD.type] == .cd } + loaded.filter { $0[VBD.type] == .disk }, loaded)
        }
    }

    /// Bytes of memory that a guest of the VM gets.
    static func memory(_ vm: Row) -> Int64 { max(vm[VM.memoryStaticMax], vm[VM.memoryDynamicMax], 128 << 20) }

    /// INVALID_VALUE [kernel or ramdisk, file, reason] for what no guest may boot from. Source: xapi.
    func requireBootFiles(of vm: Row) throws(APIError) {
        do throws(BootFiles.Refusal) {
            _ = try guests.bootFiles.resolved(Self.boot(vm))
        } catch {
            throw APIError("INVALID_VALUE", error.parameter, error.file, error.reason)
        }
    }

    /// Tells of the VMs that run, or are suspended, and may not start again as they are, as after an upgrade.
    func warnOfBootFiles() {
        let states: [VMPowerState] = [.running, .paused, .suspended]
        let rows = context.database.read { $0.rows(VM.self) { states.contains($0[VM.powerState]) } }
        for row in rows {
            do throws(APIError) { try requireBootFiles(of: row) } catch {
                context.logger.warning(
                    "a VM will not start, reboot or resume: it boots from a file that it may not, or that is not there",
                    metadata: ["vm": "\(row[VM.uuid])", "error": "\(error)"])
            }
        }
    }

    /// What the VM boots from.
    static func boot(_ vm: Row) -> GuestSpecification.Boot {
        boot(kernel: vm[VM.pvKernel], initrd: vm[VM.pvRamdisk], arguments: vm[VM.pvArgs])
    }

    static func boot(kernel: String, initrd: String, arguments: String) -> GuestSpecification.Boot {
        if kernel.isEmpty { return .disk }
        return .kernel(kernel: kernel, initrd: initrd.isEmpty ? nil : initrd, arguments: arguments)
    }

    /// The rows say that the VM's guest is there, and what `also` says in the same transaction. Returns the guest's `domid`.
    @discardableResult
    func noteStart(
        of vm: Ref<VM>, with vbds: [Row], paused: Bool? = nil, also: @escaping @Sendable (Transaction) throws -> Void
    ) async throws -> Int64 {
        let uuid = try context.row(vm)[VM.uuid]
        let domain = nextDomain
        nextDomain += 1
        let host = context.host
        let (hasScreen, base) = (guests.screenPath(uuid) != nil, consoles.base)
        try await context.database.transaction { [guests] tx in
            try Self.mark(vbds, reserved: false, attached: true, in: tx)
            let isPaused = paused ?? guests.isPaused(uuid)
            try Self.setRunning(vm, domain: domain, host: host, isPaused: isPaused, in: tx)
            try GuestRows.started(vm, since: WallClock.seconds, hasScreen: hasScreen, consoleBase: base, in: tx)
            try also(tx)
        }
        return domain
    }

    /// Ends a guest, whatever it does. One that has ended already is fine: the rows follow.
    func cutOff(_ vm: Ref<VM>) async throws {
        let uuid = try context.row(vm)[VM.uuid]
        try requireHere(vm)
        cutOffs[vm, default: 0] += 1
        do throws(GuestError) {
            try await guests.hardShutdown(uuid)
        } catch {
            // Of one that is gone nobody has told us, or is about to.
            if error.code != .notRunning { throw error }
        }
        guard await halted(uuid) else {
            throw APIError.internalError(
                "the VM's guest has ended, which cannot be written to the database; it is as soon as there is room")
        }
        // What was ended may have been what its move had left of it here.
        try requireHere(vm)
    }

    /// OTHER_OPERATION_IN_PROGRESS [VM, ref, …] for a machine that belongs to another pool already, and may run there.
    private func requireHere(_ vm: Ref<VM>) throws(APIError) {
        let gone = context.database.departures().first { $0.vm == vm.opaque && !$0.isCopy && !$0.state.isHere }
        if let gone { throw gone.inTheWay }
    }

    /// Ends a VM's guest with `end` and boots it anew, as another guest. Its disks stay reserved in between, and their data
    /// paths go on: nobody else takes, changes or destroys them.
    func restart(_ vm: Ref<VM>, _ end: @Sendable () async throws -> Void) async throws {
        // No guest is ended that does not start again.
        try requireBootFiles(of: try context.row(vm))
        restarts[vm, default: 0] += 1
        do {
            try await end()
            try await start(vm)
        } catch {
            await endRestart(vm)
            throw error
        }
        await endRestart(vm)
    }

    /// What was kept and is not attached again is free, once nobody restarts the VM any more.
    private func endRestart(_ vm: Ref<VM>) async {
        let others = (restarts[vm] ?? 1) - 1
        restarts[vm] = others > 0 ? others : nil
        guard others <= 0 else { return }
        await answering { lifecycle in
            let left = try await lifecycle.context.database.retrying { try await lifecycle.dropKept(vm) }
            await lifecycle.release(left)
        }
    }

    /// Nothing, when somebody restarts the VM by now.
    private func dropKept(_ vm: Ref<VM>) async throws -> [Row] {
        if restarts[vm] != nil { return [] }
        return try await context.database.transaction { tx in
            let left = tx.rows(VBD.self) { $0[VBD.vm] == vm && Self.isKept($0) }
            try Self.mark(left, reserved: false, attached: false, in: tx)
            return left
        }
    }

    /// What the caller of a message waits for some seconds only, when the database cannot be written: then it goes on without him.
    private func answering(_ work: @escaping @Sendable (MachineLifecycle) async throws -> Void) async {
        do {
            try await context.database.answering { try await work(self) }
        } catch {
            context.logger.warning("what a VM had is released later", metadata: ["error": "\(error)"])
        }
    }

    /// Reserved by nobody who is at work on it.
    private static func isKept(_ vbd: Row) -> Bool {
        vbd[VBD.reserved] && !vbd[VBD.currentlyAttached] && vbd[VBD.currentOperations].isEmpty
    }

    /// Holds a guest's processors.
    func pause(_ vm: Ref<VM>) async throws {
        let uuid = try context.row(vm)[VM.uuid]
        do { try await guests.pause(uuid) } catch { throw ErrorMapping.api(error, vm: vm) }
        try await notePause(uuid)
    }

    /// Lets them go on.
    func unpause(_ vm: Ref<VM>) async throws {
        let uuid = try context.row(vm)[VM.uuid]
        do { try await guests.unpause(uuid) } catch { throw ErrorMapping.api(error, vm: vm) }
        try await notePause(uuid)
    }

    /// The row of a guest that runs says whether its processors are held, whoever did that.
    private func notePause(_ uuid: String) async throws {
        try await context.database.transaction { [guests] tx in
            guard let row = tx.find(VM.self, uuid: uuid), [.running, .paused].contains(row[VM.powerState]),
                guests.state(uuid) != nil
            else { return }
            try tx.set(row.typedRef(VM.self), VM.powerState, guests.isPaused(uuid) ? .paused : .running)
        }
    }

    /// Tells apart a guest that has ended by itself from one that was cut off meanwhile.
    func cutOffCount(_ vm: Ref<VM>) -> Int { cutOffs[vm] ?? 0 }

    /// Makes the rows of a VM that no guest of this host belongs to those of a halted one. OPERATION_NOT_ALLOWED [text]
    /// while its guest is there.
    func reset(_ vm: Ref<VM>) async throws {
        let uuid = try context.row(vm)[VM.uuid]
        if guests.state(uuid) != nil {
            throw APIError("OPERATION_NOT_ALLOWED", "the VM's guest runs on this host: shut it down")
        }
        await halted(uuid)
        guard try context.row(vm)[VM.powerState] == .halted else {
            throw APIError.internalError("the rows of the VM could not be changed")
        }
    }

    /// The VM is gone for good.
    func forget(_ vm: Ref<VM>) { cutOffs[vm] = nil }

    /// Reserves the VBDs, all or none: their disks must be idle but for moves and copies, and not somebody else's. Of a VM
    /// that restarts some are reserved already.
    func reserve(_ vbds: [Row], keepingReserved isRestart: Bool) async throws {
        try await context.database.transaction { tx in
            for vbd in vbds {
                let row = try tx.require(vbd.typedRef(VBD.self))
                if row[VBD.type] != .cd { _ = try tx.require(row[VBD.vdi]) }
                if isRestart, Self.isKept(row) { continue }
                try OperationClaim.vbd(row.typedRef(VBD.self), .attach).check(tx)
            }
            try Self.mark(vbds, reserved: true, attached: false, in: tx)
        }
    }

    /// The VBD's disk as the guest gets it, its data path running. The VDI is read again: a move may have replaced it.
    func activate(_ vbd: Row) async throws -> GuestDisk {
        // A move may replace the VDI between our looking and its data path's start; it takes moments.
        for attempt in 1... {
            let row = try context.row(vbd.typedRef(VBD.self))
            let vdi = try context.row(row[VBD.vdi])
            // What is done to its image meanwhile is waited for.
            try await context.reclaimGate.clear(for: vdi.typedRef(VDI.self))
            if row[VBD.mode] == .rw, vdi[VDI.readOnly] { throw APIError("VDI_READONLY", vdi.ref) }
            // The control domain is who changes what guests find.
            if row[VBD.mode] == .rw, vdi[VDI.onBoot] == .reset, try !context.row(row[VBD.vm])[VM.isControlDomain] {
                try await context.beginEpoch(vdi)
            }
            do {
                let handle = try await context.disks.activate(vdi[VDI.uuid]) { [context] in
                    try await context.image(of: vdi, readOnly: vdi[VDI.readOnly])
                }
                // It may be another user's data path.
                if row[VBD.qosAlgorithmType] == ThrottleParameters.algorithm {
                    await context.holdToLimits(vdi[VDI.uuid])
                }
                return GuestDisk(
                    id: row[VBD.uuid], nbdSocket: handle.nbdSocket, exportName: DatapathExport.disk,
                    readOnly: row[VBD.mode] == .ro, position: Int(row[VBD.userdevice]) ?? 0,
                    bootable: row[VBD.bootable])
            } catch let failure as DatapathClient.Failure {
                guard failure.code == "busy", attempt < 50 else {
                    throw ErrorMapping.api(failure, sr: vdi[VDI.sr], vdi: vdi.typedRef(VDI.self))
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        preconditionFailure("the loop ends by returning or throwing")
    }

    /// What was reserved for a guest that does not run, or does not get it, is free again, however the database's file fares.
    func letGo(of vbds: [Row]) async {
        await answering { lifecycle in
            try await lifecycle.context.database.persist { tx in
                let reserved = vbds.compactMap { tx.row($0.typedRef(VBD.self)) }
                    .filter { $0[VBD.reserved] && !$0[VBD.currentlyAttached] }
                try Self.mark(reserved, reserved: false, attached: false, in: tx)
            }
            await lifecycle.release(vbds)
        }
    }

    /// The guest has the disk of a VBD that was reserved for it; the row says so. When the guest is gone by then the VBD is free: whoever
    /// heard of its end has left it to the caller, who is at it.
    func took(_ vbd: Row, of vm: Row) async throws {
        try await change(vbd, of: vm, attached: true) { $0[VBD.reserved] }
    }

    /// The guest has the disk no more, and it is released.
    func gaveBack(_ vbd: Row, of vm: Row) async throws {
        try await change(vbd, of: vm, attached: false) { $0[VBD.currentlyAttached] }
    }

    private func change(
        _ vbd: Row, of vm: Row, attached: Bool, while holds: @escaping @Sendable (Row) -> Bool
    ) async throws {
        let (machine, domain) = (vm.typedRef(VM.self), vm[VM.domid])
        try await context.database.answering { [self] in
            let isHeld = try await context.database.persist { tx -> Bool in
                guard let now = tx.row(vbd.typedRef(VBD.self)), holds(now) else { return true }
                let isThere = tx.row(machine)?[VM.domid] == domain
                if !isThere, !attached { return false }
                try Self.mark([now], reserved: false, attached: attached && isThere, in: tx)
                return attached && isThere
            }
            if !attached || !isHeld { await release([vbd]) }
        }
    }

    static func mark(_ vbds: [Row], reserved: Bool, attached: Bool, in tx: Transaction) throws {
        for vbd in vbds {
            let ref = vbd.typedRef(VBD.self)
            guard let row = tx.row(ref) else { continue }
            try tx.set(ref, VBD.reserved, reserved)
            try tx.set(ref, VBD.currentlyAttached, attached)
            let letters = Array("abcdefghijklmnopqrstuvwxyz")
            let position = Int(row[VBD.userdevice]) ?? 0
            try tx.set(
                ref, VBD.device, letters.indices.contains(position) ? "xvd\(letters[position])" : "xvd\(position)")
        }
    }

    private static func setRunning(
        _ vm: Ref<VM>, domain: Int64, host: Ref<Host>, isPaused: Bool, in tx: Transaction
    ) throws {
        try tx.set(vm, power: isPaused ? .paused : .running)
        try tx.set(vm, VM.residentOn, host)
        try tx.set(vm, VM.domid, domain)
    }

    /// Ends the data paths of the VBDs' disks that nobody uses any more; a disk that is being moved keeps its own.
    func release(_ vbds: [Row]) async {
        for vbd in vbds {
            let uuid = context.database.read { reader in
                reader.row(vbd.typedRef(VBD.self)).flatMap { reader.row($0[VBD.vdi]) }?[VDI.uuid]
            }
            guard let uuid else { continue }
            await context.disks.deactivateIfUnused(uuid)
            await context.endEpochIfUnused(uuid)
            // Other users of the disk are held to their own limits only.
            if vbd[VBD.qosAlgorithmType] == ThrottleParameters.algorithm { await context.holdToLimits(uuid) }
        }
    }

    /// The guest `uuid` has ended: its disks are released, the rows follow. Idempotent, and nothing happens when the VM
    /// has been started again since: the news may be old. When this returns, all of that is done, whoever did it; false: the
    /// database cannot be written, and it is done as soon as that can be.
    @discardableResult
    func halted(_ uuid: String, reason: GuestStopReason? = nil) async -> Bool {
        guard let vm = context.database.read({ $0.find(VM.self, uuid: uuid) })?.typedRef(VM.self) else { return true }
        while let other = settling[vm] {
            if await !other.value { return false }
        }
        let task = Task {
            do {
                try await context.database.answering { [self] in
                    await settle(uuid, reason)
                    await endSettling(vm)
                }
                return true
            } catch {
                return false
            }
        }
        settling[vm] = task
        return await task.value
    }

    private func endSettling(_ vm: Ref<VM>) { settling[vm] = nil }

    private func settle(_ uuid: String, _ reason: GuestStopReason?) async {
        guard let row = context.database.read({ $0.find(VM.self, uuid: uuid) }), guests.state(uuid) == nil else {
            return
        }
        let vm = row.typedRef(VM.self)
        let domain = row[VM.domid]
        let comesBack = restarts[vm] != nil
        // The guest has ended, whether that can be written now or not.
        let detached = try? await context.database.persist { tx -> [Row] in
            // All that are suspended have the same number: the memory of one is in its image.
            guard let now = tx.row(vm), now[VM.domid] == domain, now[VM.powerState] != .suspended else { return [] }
            // One that it got, or was to get, without the row saying so goes with it.
            let vbds = tx.rows(VBD.self) {
                $0[VBD.vm] == vm && ($0[VBD.currentlyAttached] || domain > 0 && Self.isKept($0))
            }
            // A disk that begins anew with each start is let go of for that.
            let kept = vbds.filter { comesBack && tx.row($0[VBD.vdi])?[VDI.onBoot] == .persist }
            try Self.mark(vbds, reserved: false, attached: false, in: tx)
            for vbd in kept { try tx.set(vbd.typedRef(VBD.self), VBD.reserved, true) }
            return vbds
        }
        guard let detached else { return }
        await release(detached)
        _ = try? await context.database.persist { tx in
            guard let now = tx.row(vm), now[VM.domid] == domain, now[VM.powerState] != .suspended else { return }
            try tx.set(vm, power: .halted)
            try tx.set(vm, VM.residentOn, .null)
            try tx.set(vm, VM.domid, -1)
            try GuestRows.halted(vm, in: tx)
            // The end may be heard of twice.
            if now[VM.powerState] != .halted { Self.report(reason, of: now, in: tx) }
        }
    }

    /// Leaves a message about a guest's end.
    private static func report(_ reason: GuestStopReason?, of vm: Row, in tx: Transaction) {
        let name = vm[VM.nameLabel]
        switch reason {
        case .crashed?, .guestPanic?:
            Alerts.post(
                .crashed, about: .vm, uuid: vm[VM.uuid],
                body: "VM '\(name)' crashed: \(reason.map(String.init(describing:)) ?? "")", in: tx)
        case .guestReboot?:
            Alerts.post(.rebooted, about: .vm, uuid: vm[VM.uuid], body: "VM '\(name)' rebooted", in: tx)
        case .guestShutdown?, .hostRequest?, nil:
            Alerts.post(.shutDown, about: .vm, uuid: vm[VM.uuid], body: "VM '\(name)' shut down", in: tx)
        }
    }

    /// A guest has ended by itself, or was ended. One whose disks are reset when it boots may have ended so that it boots:
    /// unless somebody else has it in hand.
    private func ended(_ uuid: String, _ reason: GuestStopReason) async {
        let vm = context.database.read { $0.find(VM.self, uuid: uuid) }?.typedRef(VM.self)
        let before = vm.flatMap { cutOffs[$0] }
        guard await halted(uuid, reason: reason) else { return }
        guard reason == .guestReboot, let vm, cutOffs[vm] == before, restarts[vm] == nil else { return }
        await bootAgain(uuid)
    }

    /// A guest whose disks are reset when it boots has ended so that it boots: with the checks of any start, and seen as one,
    /// in nobody's way. As with a reboot a disabled host goes on with the VMs that it has.
    private func bootAgain(_ uuid: String) async {
        guard let vm = context.database.read({ $0.find(VM.self, uuid: uuid) })?.typedRef(VM.self) else { return }
        do {
            let admission = OperationAdmission(database: context.database, gate: context.reclaimGate)
            let claims: [OperationClaim] = [.bootAgain(vm), .restart(context.host)]
            let admitted = try await admission.begin(claims, task: .null) { tx in
                try MachineValidity.check(try tx.require(vm))
            }
            do {
                try await start(vm)
            } catch {
                await admission.end(admitted)
                throw error
            }
            await admission.end(admitted)
        } catch {
            context.logger.error(
                "a guest that rebooted does not start again", metadata: ["vm": "\(uuid)", "error": "\(error)"])
            // It is halted now, which nobody asked for.
            try? await context.database.transaction { tx in
                guard let row = tx.row(vm) else { return }
                let kind = Alerts.Kind(name: "VM_REBOOT_FAILED", priority: 3)
                Alerts.post(
                    kind, about: .vm, uuid: uuid,
                    body: "VM '\(row[VM.nameLabel])' rebooted and does not start again: \(error)", in: tx)
            }
        }
    }

    private func rebooted(_ uuid: String) async {
        try? await context.database.transaction { tx in
            guard let row = tx.find(VM.self, uuid: uuid) else { return }
            let metrics = row[VM.metrics]
            if tx.row(metrics) != nil {
                try tx.set(metrics, VMMetrics.startTime, APIDate(seconds: WallClock.seconds))
            }
            Alerts.post(.rebooted, about: .vm, uuid: uuid, body: "VM '\(row[VM.nameLabel])' rebooted", in: tx)
        }
    }

    /// Follows the guests' ends for ever.
    nonisolated func follow(_ events: AsyncStream<GuestEvent>) async {
        for await event in events {
            if case .stopped(let uuid, let reason) = event {
                context.logger.info("a guest has ended", metadata: ["vm": "\(uuid)", "reason": "\(reason)"])
                // By itself: a storage driver that does not answer is no reason to hear of no other guest.
                Task { await ended(uuid, reason) }
            }
            switch event {
            case .reset(let uuid): await rebooted(uuid)
            case .paused(let uuid), .resumed(let uuid): try? await notePause(uuid)
            case .stopped, .diskError: break
            }
        }
    }

    /// After a restart the guests decide: a VM runs when its guest does, with the disks that the guest has, and is halted
    /// otherwise.
    func reconcile(alive: Set<String>) async throws {
        let rows = context.database.read { $0.rows(VM.self).filter { !$0[VM.isControlDomain] } }
        // Those that do not run have none, which is -1; 0 is the control domain's.
        nextDomain = max(0, rows.map { $0[VM.domid] }.max() ?? 0) + 1
        for row in rows {
            let vm = row.typedRef(VM.self)
            if alive.contains(row[VM.uuid]), let specification = guests.specification(row[VM.uuid]) {
                let drives = specification.drives ?? []
                let disks = Set(specification.disks.map(\.id) + drives.map(\.id))
                let domain = row[VM.domid] > 0 ? row[VM.domid] : nextDomain
                nextDomain = max(nextDomain, domain + 1)
                let host = context.host
                let (hasScreen, base) = (guests.screenPath(row[VM.uuid]) != nil, consoles.base)
                try await context.database.transaction { [guests] tx in
                    let vbds = tx.rows(VBD.self) { $0[VBD.vm] == vm }
                    try Self.mark(vbds.filter { disks.contains($0[VBD.uuid]) }, reserved: false, attached: true, in: tx)
                    try Self.mark(
                        vbds.filter { !disks.contains($0[VBD.uuid]) }, reserved: false, attached: false, in: tx)
                    for drive in drives {
                        guard let vbd = vbds.first(where: { $0[VBD.uuid] == drive.id }) else { continue }
                        try DriveContent.settle(vbd.typedRef(VBD.self), hasDisc: drive.disc != nil, in: tx)
                    }
                    try Self.setRunning(vm, domain: domain, host: host, isPaused: guests.isPaused(row[VM.uuid]), in: tx)
                    try GuestRows.started(vm, since: nil, hasScreen: hasScreen, consoleBase: base, in: tx)
                }
            } else if [.running, .paused].contains(row[VM.powerState]) {
                await halted(row[VM.uuid])
            }
        }
        let reserved = context.database.read { reader in
            reader.rows(VBD.self) { $0[VBD.reserved] && !$0[VBD.currentlyAttached] }
        }
        try await context.database.transaction { tx in
            try Self.mark(reserved, reserved: false, attached: false, in: tx)
            for vbd in reserved where vbd[VBD.type] == .cd {
                try DriveContent.settle(vbd.typedRef(VBD.self), hasDisc: !vbd[VBD.empty], in: tx)
            }
        }
        await release(reserved)
    }
}

extension GuestHost {
    /// Whether the guest's processors are held, by us or by an administrator of the machine.
    func isPaused(_ uuid: String) -> Bool { state(uuid) == .paused }
}
