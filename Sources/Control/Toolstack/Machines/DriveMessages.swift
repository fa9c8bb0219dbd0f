import APITypes
import Guests
import Logging
import PoolDatabase

/// VBD.insert and VBD.eject: discs in CD drives, of halted and of running VMs.
///
/// The drive of a running guest and the row change one after the other. The row names the disc, still as `empty`, from
/// before the guest has it, and is empty only when the guest has let go of it: whoever starts after a crash asks the drive
/// (`DriveContent.settle`), and no disc's data path ends while a guest has it.
struct DriveMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let guests: GuestHost
    let lifecycle: MachineLifecycle

    func register(in table: inout MessageTable) {
        table.on("VBD.insert") { call, arguments in
            try await insert(arguments.get(1), into: arguments.get(0), task: call.task)
            return .void
        }
        table.on("VBD.eject") { call, arguments in
            try await eject(arguments.get(0), task: call.task)
            return .void
        }
    }

    private func insert(_ vdi: Ref<VDI>, into vbd: Ref<VBD>, task: Ref<XenTask>) async throws {
        try await admission.run([.vbd(vbd, .insert)], task: task) { tx in
            try Self.name(vdi, in: vbd, tx)
        } _: {
            try await load(vbd)
        }
    }

    /// The same of a drive that a move has emptied, by whoever carries the move out: the VM is its own yet, and nobody else changes what
    /// is in its drives.
    func putBack(_ vdi: Ref<VDI>, into vbd: Ref<VBD>) async throws {
        try await context.database.transaction { tx in try Self.name(vdi, in: vbd, isHeld: true, tx) }
        try await load(vbd)
    }

    /// The row of an empty drive names the disc that is about to be in it. `isHeld`: what the VM is in is the caller's.
    private static func name(_ vdi: Ref<VDI>, in vbd: Ref<VBD>, isHeld: Bool = false, _ tx: Transaction) throws {
        let row = try tx.require(vbd)
        try requireSteady(row)
        let facts = OperationFacts(tx)
        var drive = facts.vbd(row)
        drive.disk = facts.disk(try tx.require(vdi), besides: row)
        if isHeld { drive.machine.current = [] }
        if let refusal = VBDOperationRules.refusal(of: .insert, drive, isCall: true) { throw refusal }
        try tx.set(vbd, VBD.vdi, vdi)
        try tx.set(vbd, VBD.reserved, true)
    }

    /// The drive gets the disc that its row names.
    private func load(_ vbd: Ref<VBD>) async throws {
        let row = try context.row(vbd)
        let vm = try context.row(row[VBD.vm])
        do {
            if row[VBD.currentlyAttached] {
                let disk = try await lifecycle.activate(row)
                try await guests.insert(GuestDisc(disk), intoDrive: row[VBD.uuid], of: vm[VM.uuid])
            }
            try await hold(vbd)
        } catch {
            // A guest that got the disc and would not give it back has it, and can be asked for it again.
            if Self.drive(row, of: vm, in: guests)?.disc == nil {
                await clear(vbd)
            } else {
                try? await hold(vbd)
            }
            if let error = error as? GuestError { throw ErrorMapping.api(error, vm: row[VBD.vm]) }
            throw error
        }
        // The guest may have ended before the row said that it has the disc.
        if row[VBD.currentlyAttached], guests.state(vm[VM.uuid]) == nil { await lifecycle.halted(vm[VM.uuid]) }
    }

    private func eject(_ vbd: Ref<VBD>, task: Ref<XenTask>) async throws {
        try await admission.run([.vbd(vbd, .eject)], task: task) { tx in
            let row = try tx.require(vbd)
            try Self.requireSteady(row)
            if row[VBD.currentlyAttached], tx.row(row[VBD.vm])?[VM.isControlDomain] == true {
                throw APIError("DEVICE_ALREADY_ATTACHED", vbd.opaque)
            }
        } _: {
            let row = try context.row(vbd)
            let vm = try context.row(row[VBD.vm])
            // A guest that has just ended has nothing in its drives.
            do {
                if row[VBD.currentlyAttached] { try await guests.eject(drive: row[VBD.uuid], of: vm[VM.uuid]) }
            } catch let error as GuestError where error.code != .notRunning {
                throw ErrorMapping.api(error, vm: row[VBD.vm])
            }
            await clear(vbd)
        }
    }

    /// Nobody may know whether a guest has the disc. DEVICE_ALREADY_ATTACHED [vbd].
    private static func requireSteady(_ vbd: Row) throws(APIError) {
        if vbd[VBD.reserved] { throw APIError("DEVICE_ALREADY_ATTACHED", vbd.ref) }
    }

    private static func drive(_ vbd: Row, of vm: Row, in guests: GuestHost) -> GuestDrive? {
        guests.specification(vm[VM.uuid])?.drives?.first { $0.id == vbd[VBD.uuid] }
    }

    /// The drive has the disc that the row names.
    private func hold(_ vbd: Ref<VBD>) async throws {
        guard let disc = context.database.read({ $0.row(vbd)?[VBD.vdi] }) else { return }
        // It has it already, where its VM runs.
        try await context.database.answering { [database = context.database] in
            try await database.persist { tx in
                guard let now = tx.row(vbd), now[VBD.vdi] == disc, now[VBD.reserved] else { return }
                try tx.set(vbd, VBD.empty, false)
                try tx.set(vbd, VBD.reserved, false)
            }
        }
    }

    /// The drive is empty: so is its row, and the disc's data path ends unless another drive has the disc.
    private func clear(_ vbd: Ref<VBD>) async {
        do {
            try await DriveContent.clear(vbd, context)
        } catch {
            context.logger.error("the row of an empty drive still has a disc", metadata: ["error": "\(error)"])
        }
    }
}
