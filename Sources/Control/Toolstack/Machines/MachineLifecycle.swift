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
    private let context: StorageContext
    private let guests: GuestHost
    private var nextDomain: Int64 = 1

    init(context: StorageContext, guests: GuestHost) {
        self.context = context
        self.guests = guests
    }

    /// What may be asked of a VM in a power state.
    static func operations(_ state: VMPowerState) -> [VMOperations] {
        switch state {
        case .running: [.cleanShutdown, .hardShutdown, .shutdown]
        default: [.start, .startOn, .destroy, .makeIntoTemplate]
        }
    }

    /// Boots a halted VM. On failure everything is released again.
    func start(_ vm: Ref<VM>) async throws {
        let row = try context.row(vm)
        let vbds = context.database.read { reader in
            reader.rows(VBD.self) { $0[VBD.vm] == vm && $0[VBD.type] == .disk && !$0[VBD.empty] && !$0[VBD.vdi].isNull }
        }
        // Reserved: a move that ends now leaves the data paths to us.
        try await mark(vbds, reserved: true, attached: false)
        do {
            var disks: [GuestDisk] = []
            for vbd in vbds { disks.append(try await activate(vbd)) }
            let kernel = row[VM.pvKernel]
            let boot: GuestSpecification.Boot =
                kernel.isEmpty
                ? .disk
                : .kernel(
                    kernel: kernel, initrd: row[VM.pvRamdisk].isEmpty ? nil : row[VM.pvRamdisk], arguments: row[VM.pvArgs])
            let memory = max(row[VM.memoryStaticMax], row[VM.memoryDynamicMax], 128 << 20)
            try await guests.start(
                GuestSpecification(
                    uuid: row[VM.uuid], name: row[VM.nameLabel], memoryBytes: UInt64(memory),
                    vcpus: Int(max(1, row[VM.vcpusAtStartup])), boot: boot, disks: disks))
        } catch {
            try? await mark(vbds, reserved: false, attached: false)
            await release(vbds)
            if let error = error as? GuestError { throw ErrorMapping.api(error, vm: vm) }
            throw error
        }
        let domain = nextDomain
        nextDomain += 1
        let host = context.host
        try await context.database.transaction { tx in
            try tx.set(vm, VM.powerState, .running)
            try tx.set(vm, VM.residentOn, host)
            try tx.set(vm, VM.domid, domain)
            try tx.set(vm, VM.allowedOperations, Self.operations(.running))
        }
        try await mark(vbds, reserved: false, attached: true)
        // It may have ended before the rows said that it runs; its event found nothing to change then.
        if guests.state(row[VM.uuid]) == nil { await halted(row[VM.uuid]) }
    }

    /// The VBD's disk as the guest gets it, its data path running. The VDI is read again: a move may have replaced it.
    func activate(_ vbd: Row) async throws -> GuestDisk {
        let row = try context.row(vbd.typedRef(VBD.self))
        let vdi = try context.row(row[VBD.vdi])
        if row[VBD.mode] == .rw, vdi[VDI.readOnly] { throw APIError("VDI_READONLY", vdi.ref) }
        try Self.checkSharing(row, vdi, context.database)
        let handle: DatapathHandle
        do {
            handle = try await context.disks.activate(
                vdi[VDI.uuid], image: try context.image(of: vdi, readOnly: vdi[VDI.readOnly]))
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: vdi[VDI.sr], vdi: vdi.typedRef(VDI.self))
        }
        return GuestDisk(
            id: row[VBD.uuid], nbdSocket: handle.nbdSocket, exportName: "disk", readOnly: row[VBD.mode] == .ro,
            position: Int(row[VBD.userdevice]) ?? 0, bootable: row[VBD.bootable])
    }

    /// A disk that somebody writes belongs to one user; source: wire facts, section 11, VBD.
    private static func checkSharing(_ vbd: Row, _ vdi: Row, _ database: PoolDatabase) throws {
        if vdi[VDI.sharable] { return }
        let ref = vdi.typedRef(VDI.self)
        let others = database.read { reader in
            reader.rows(VBD.self) { $0[VBD.vdi] == ref && $0.ref != vbd.ref && ($0[VBD.currentlyAttached] || $0[VBD.reserved]) }
        }
        if others.contains(where: { $0[VBD.mode] == .rw }) || (vbd[VBD.mode] == .rw && !others.isEmpty) {
            throw APIError("VDI_IN_USE", vdi.ref, "attach")
        }
    }

    func mark(_ vbds: [Row], reserved: Bool, attached: Bool) async throws {
        try await context.database.transaction { tx in
            for vbd in vbds {
                let ref = vbd.typedRef(VBD.self)
                guard let row = tx.row(ref) else { continue }
                try tx.set(ref, VBD.reserved, reserved)
                try tx.set(ref, VBD.currentlyAttached, attached)
                let letters = Array("abcdefghijklmnopqrstuvwxyz")
                let position = Int(row[VBD.userdevice]) ?? 0
                try tx.set(ref, VBD.device, letters.indices.contains(position) ? "xvd\(letters[position])" : "xvd\(position)")
            }
        }
    }

    /// Ends the data paths of the VBDs' disks that nobody uses any more; a disk that is being moved keeps its own.
    func release(_ vbds: [Row]) async {
        for vbd in vbds {
            guard let row = context.database.read({ $0.row(vbd.typedRef(VBD.self)) }),
                let vdi = context.database.read({ $0.row(row[VBD.vdi]) })
            else { continue }
            let ref = vdi.typedRef(VDI.self)
            let busy = context.database.read { reader -> Bool in
                !vdi[VDI.currentOperations].isEmpty
                    || !reader.rows(VBD.self) { $0[VBD.vdi] == ref && ($0[VBD.currentlyAttached] || $0[VBD.reserved]) }.isEmpty
            }
            let moving = MotionStore(database: context.database).all().contains {
                $0.sourceUUID == vdi[VDI.uuid] || $0.destinationUUID == vdi[VDI.uuid]
            }
            if !busy, !moving { try? await context.disks.deactivate(vdi[VDI.uuid]) }
        }
    }

    /// The guest `uuid` has ended: the rows follow, the disks are released. Idempotent.
    func halted(_ uuid: String) async {
        guard let row = context.database.read({ $0.find(VM.self, uuid: uuid) }) else { return }
        let vm = row.typedRef(VM.self)
        let vbds = context.database.read { reader in reader.rows(VBD.self) { $0[VBD.vm] == vm && $0[VBD.currentlyAttached] } }
        try? await mark(vbds, reserved: false, attached: false)
        await release(vbds)
        try? await context.database.transaction { tx in
            try tx.set(vm, VM.powerState, .halted)
            try tx.set(vm, VM.residentOn, .null)
            try tx.set(vm, VM.domid, -1)
            try tx.set(vm, VM.allowedOperations, Self.operations(.halted))
        }
    }

    /// Returns when the VM is halted; gives up with TASK_CANCELLED when asked.
    nonisolated func awaitHalted(_ vm: Ref<VM>, cancellation: CancellationFlag) async throws {
        while true {
            let generation = context.database.generation
            guard let row = context.database.read({ $0.row(vm) }), row[VM.powerState] != .halted else { return }
            if cancellation.isCancelled { throw APIError("TASK_CANCELLED", vm.opaque) }
            await context.database.waitForChange(after: generation, timeout: .seconds(1))
        }
    }

    /// Follows the guests' ends for ever.
    nonisolated func follow(_ events: AsyncStream<GuestEvent>) async {
        for await event in events {
            if case .stopped(let uuid, let reason) = event {
                context.logger.info("a guest has ended", metadata: ["vm": "\(uuid)", "reason": "\(reason)"])
                await halted(uuid)
            }
        }
    }

    /// After a restart: the VMs whose guests did not survive are halted.
    func reconcile(alive: Set<String>) async {
        let running = context.database.read { reader in reader.rows(VM.self) { $0[VM.powerState] == .running && !$0[VM.isControlDomain] } }
        for vm in running {
            nextDomain = max(nextDomain, vm[VM.domid] + 1)
            if !alive.contains(vm[VM.uuid]) { await halted(vm[VM.uuid]) }
        }
        let reserved = context.database.read { reader in reader.rows(VBD.self) { $0[VBD.reserved] } }
        try? await mark(reserved.filter { !$0[VBD.currentlyAttached] }, reserved: false, attached: false)
    }
}
