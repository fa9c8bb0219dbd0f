import APITypes
import DatapathControl
import Guests
import Logging
import PoolDatabase
import StorageMotion

/// The guest of a machine that comes from another pool while it runs: a QEMU that waits for it and reads its memory, on the
/// data paths of the disks that are being filled. It neither reads nor writes them before the guest runs.
///
/// The guest stands until `MachineArrival` is `running`, which is noted in the transaction that says so in the machine's rows.
/// Up to then its QEMU is nobody's: when it is gone, the machine goes on where it comes from.
struct ArrivingGuest: Sendable {
    let context: StorageContext
    let guests: GuestHost
    let lifecycle: MachineLifecycle
    let machine: ArrivingMachine

    /// How long the end of its memory may be under way once the other side has sent it.
    private static let patience = Duration.seconds(10)

    private var uuid: String { machine.uuid }
    /// Of this move, and of no other that the machine has come by.
    private var passage: GuestPassage? { guests.passage(of: uuid, owner: machine.id) }
    private var vm: Ref<VM> { Ref(machine.vm) }

    // MARK: - Coming

    /// VM_INCOMPATIBLE_WITH_THIS_HOST [vm, host, reason], HOST_NOT_ENOUGH_FREE_MEMORY [needed, available],
    /// OPERATION_NOT_ALLOWED [text] for a guest that does not go with what is offered.
    static func check(
        _ passport: GuestPassport, _ offer: MoveOffer, _ context: StorageContext, _ guests: GuestHost
    ) async throws {
        let specification = passport.specification
        guard specification.uuid == offer.uuid, !offer.isCopy else {
            throw APIError("OPERATION_NOT_ALLOWED", "the guest is not the offered machine's")
        }
        let offered = Set(offer.drives.filter { $0.disk != nil }.map(\.uuid))
        guard Set(specification.disks.map(\.id)).isSubset(of: offered) else {
            throw APIError("OPERATION_NOT_ALLOWED", "the guest has disks that are not offered")
        }
        try checkSize(specification, offer, context)
        do throws(GuestError) {
            try await guests.check(passport)
        } catch {
            throw GuestDocument.mapped(error, vm: offer.uuid, host: context.host) ?? APIError.internalError("\(error)")
        }
        let needed = HostMemory.needed(memoryBytes: specification.memoryBytes, vcpus: specification.vcpus)
        let refusal = context.database.read { HostMemory.refusal(of: needed, $0, besides: offer.id) }
        if let refusal { throw refusal }
    }

    /// By the row it was decided whether the host has enough of both.
    private static func checkSize(
        _ specification: GuestSpecification, _ offer: MoveOffer, _ context: StorageContext
    ) throws {
        let members = try context.database.read { reader in
            try RowDocument.decode(offer.machine, VM.className, schema: reader.schema)
        }
        func number(_ name: String) -> Int64 {
            members.first { $0.name == name }.flatMap { Int64(api: $0.value) } ?? 0
        }
        let memory = max(number("memory_static_max"), number("memory_dynamic_max"), 128 << 20)
        let vcpus = max(number("VCPUs_max"), number("VCPUs_at_startup"), 1)
        guard Int64(clamping: specification.memoryBytes) <= memory, specification.vcpus <= vcpus else {
            throw APIError(
                "OPERATION_NOT_ALLOWED", "the guest has more memory or processors than the machine that was offered")
        }
    }

    /// Starts the QEMU that waits. Fine when it does.
    func expect(_ given: GuestPassport) async throws {
        guard let offer = machine.offer else { throw APIError.internalError("a machine without an offer") }
        if passage == .waiting { return }
        // It may have come another way since it was offered.
        if let known = context.database.read({ $0.find(VM.self, uuid: uuid) }) {
            throw APIError("DUPLICATE_VM", known.ref)
        }
        var passport = given
        try await Self.check(passport, offer, context, guests)
        do {
            for disk in passport.specification.disks {
                guard let image = image(ofDrive: disk.id, offer), let drive = machine.drives?[disk.id] else {
                    throw APIError("OPERATION_NOT_ALLOWED", "the guest has disks that are not offered")
                }
                let handle = try await activate(image)
                try passport.replace(
                    disk: disk.id, with: drive, socket: handle.nbdSocket, exportName: DatapathExport.disk)
            }
            for drive in passport.specification.drives ?? [] {
                guard let known = machine.drives?[drive.id] else {
                    throw APIError("OPERATION_NOT_ALLOWED", "the guest has CD drives that are not offered")
                }
                // Its disc is of the other pool.
                try passport.replace(drive: drive.id, with: known, disc: nil)
            }
            passport.rename(boot: try boot(offer))
            try await guests.startReceiving(passport, owner: machine.id)
        } catch let error as GuestError {
            throw GuestDocument.mapped(error, vm: offer.uuid, host: context.host)
                ?? APIError("VM_MIGRATE_FAILED", offer.uuid, offer.origin, context.host.opaque, error.message)
        }
    }

    private func image(ofDrive uuid: String, _ offer: MoveOffer) -> ArrivingMachine.Disk? {
        let origin = offer.drives.first { $0.uuid == uuid }?.disk
        return machine.disks.first { $0.origin == origin }
    }

    private func activate(_ disk: ArrivingMachine.Disk) async throws -> DatapathHandle {
        do {
            return try await context.disks.activate(disk.uuid) { [context] in
                try await context.image(of: try context.row(Ref<VDI>(disk.ref)), readOnly: false)
            }
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: Ref(disk.sr), vdi: Ref(disk.ref))
        }
    }

    /// What files of this host a kernel is read from is for the machine's own row to say.
    private func boot(_ offer: MoveOffer) throws -> GuestSpecification.Boot {
        let members = try context.database.read { reader in
            try RowDocument.decode(offer.machine, VM.className, schema: reader.schema)
        }
        func text(_ name: String) -> String {
            members.first { $0.name == name }.flatMap { String(api: $0.value) } ?? ""
        }
        return MachineLifecycle.boot(
            kernel: text("PV_kernel"), initrd: text("PV_ramdisk"), arguments: text("PV_args"))
    }

    /// A socket at whose other end the QEMU reads. OPERATION_NOT_ALLOWED [text] unless it waits.
    func connect() async throws -> Int32 {
        do {
            let pair = try SocketPair()
            try await guests.receive(uuid, from: pair.near, owner: machine.id)
            pair.closeNear()
            return pair.takeFar()
        } catch let error as GuestError {
            throw APIError("OPERATION_NOT_ALLOWED", error.message)
        }
    }

    // MARK: - The decision

    /// All of its memory is here, and nobody fills its disks any more: connections to their data paths are cut, those of the
    /// QEMU, which finds its way back, too. What was written was made durable by whoever wrote it.
    func prepare() async throws {
        let deadline = ContinuousClock.now + Self.patience
        while passage != .loaded {
            guard [.waiting, .loading].contains(passage), ContinuousClock.now < deadline else {
                throw APIError(
                    "VM_MIGRATE_FAILED", machine.vm, machine.offer?.origin ?? "", context.host.opaque,
                    "the guest's memory has not arrived")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        for disk in machine.lent {
            let handle = try await activate(disk)
            do {
                _ = try await handle.client.call(.disconnectClients)
            } catch let failure as DatapathClient.Failure {
                throw ErrorMapping.api(failure, sr: Ref(disk.sr), vdi: Ref(disk.ref))
            }
        }
    }

    /// Whether the guest can run: its memory is here, and its disks are served where its QEMU looks for them.
    func isReady() async -> Bool {
        // It is asked: that a QEMU was killed may not have been heard of yet.
        guard passage == .loaded, let specification = guests.specification(uuid),
            (try? await guests.transfer(of: uuid)) != nil
        else { return false }
        let sockets = Set(specification.disks.map(\.nbdSocket))
        var served: Set<String> = []
        for disk in machine.lent {
            do {
                served.insert(try await activate(disk).nbdSocket)
            } catch {
                context.logger.error(
                    "a disk of a guest of another pool is not served",
                    metadata: ["vdi": "\(disk.uuid)", "error": "\(error)"])
                return false
            }
        }
        return sockets.isSubset(of: served)
    }

    /// The rows say that the guest runs here, and what `also` says in the same transaction.
    func noteRunning(_ also: @escaping @Sendable (Transaction) throws -> Void) async throws {
        let specification = guests.specification(uuid)
        let plugged = Set((specification?.disks.map(\.id) ?? []) + (specification?.drives ?? []).map(\.id))
        let vbds = context.database.read { reader in
            reader.rows(VBD.self) { $0[VBD.vm] == vm && plugged.contains($0[VBD.uuid]) }
        }
        let (uuid, origin) = (uuid, machine.offer?.origin ?? "")
        try await lifecycle.noteStart(of: vm, with: vbds, paused: false) { [vm] tx in
            try also(tx)
            let name = tx.row(vm)?[VM.nameLabel] ?? ""
            Alerts.post(.migrated, about: .vm, uuid: uuid, body: "VM '\(name)' has come from \(origin)", in: tx)
        }
    }

    /// What came of the order to let the guest run.
    enum Beginning: Sendable {
        /// It runs, or has ended since: its memory is nowhere else needed.
        case isOver
        /// The order stands and is to be given again.
        case isOrdered
        /// QEMU does not let it run: it has not, and never will here.
        case isRefused
    }

    var isToBegin: Bool { passage == .loaded || passage == .beginning }

    /// Tells QEMU to let the guest run. Fine when it runs, or is gone.
    func begin() async -> Beginning {
        if isToBegin {
            do {
                try await guests.takeOver(uuid, owner: machine.id)
            } catch {
                context.logger.error(
                    "a guest of another pool does not run yet", metadata: ["vm": "\(uuid)", "error": "\(error)"])
                if error.code == .refused, passage == .loaded { return .isRefused }
                if isToBegin { return .isOrdered }
            }
        }
        for disk in machine.disks { await context.holdToLimits(disk.uuid) }
        // It may have ended before the rows said that it runs; its event found nothing to change then.
        if guests.state(uuid) == nil { await lifecycle.halted(uuid) }
        return .isOver
    }

    /// The rows say again that it does not run; its QEMU is gone. False while that does not end.
    @discardableResult
    func noteRefused() async -> Bool {
        let isGone = await dismiss()
        if guests.state(uuid) == nil { await lifecycle.halted(uuid) }
        return isGone
    }

    /// A QEMU is there for a guest that does not come.
    var isLeftOver: Bool { machine.isLive && machine.state.guest == .ends && passage != nil }

    /// Ends what waits for a guest that does not come. Fine when nothing does; false while it does not end.
    @discardableResult
    func dismiss() async -> Bool {
        if passage == nil { return true }
        do {
            try await guests.dismiss(uuid, owner: machine.id)
            return true
        } catch {
            if passage == nil { return true }
            context.logger.error(
                "a QEMU that waits for a guest does not end; it is tried again",
                metadata: ["vm": "\(uuid)", "error": "\(error)"])
            return false
        }
    }
}
