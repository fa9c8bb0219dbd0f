import APITypes
import Guests
import PoolDatabase

/// VBD messages.
struct VBDMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let guests: GuestHost
    let lifecycle: MachineLifecycle

    func register(in table: inout MessageTable) {
        table.on("VBD.create") { _, arguments in .ref(try await create(arguments.values[0]).opaque) }
        table.on("VBD.destroy") { _, arguments in
            let vbd = try arguments.get(0, as: Ref<VBD>.self)
            try await context.database.transaction { tx in
                let row = try tx.require(vbd)
                try Self.requireIdle(OperationFacts(tx).vbd(row))
                try tx.requireStaying(row[VBD.vm])
                // Its guest finds what it had, or cannot be resumed.
                if SuspendedGuest.isKnown(toHave: row, tx) { throw APIError("DEVICE_ALREADY_ATTACHED", vbd.opaque) }
                tx.delete(vbd)
            }
            return .void
        }
        table.on("VBD.plug") { call, arguments in
            try await plug(arguments.get(0), task: call.task)
            return .void
        }
        table.on("VBD.unplug") { call, arguments in
            try await unplug(arguments.get(0), task: call.task)
            return .void
        }
        table.on("VBD.unplug_force") { call, arguments in
            try await unplug(arguments.get(0), isForced: true, task: call.task)
            return .void
        }
    }

    /// Throws DEVICE_ALREADY_ATTACHED also while the VBD is being attached, OTHER_OPERATION_IN_PROGRESS.
    private static func requireIdle(_ facts: VBDOperationFacts) throws(APIError) {
        if facts.isAttached { throw APIError("DEVICE_ALREADY_ATTACHED", facts.ref) }
        if let other = facts.current.first { throw other.inTheWay(of: "VBD", facts.ref) }
    }

    private func create(_ record: APIValue) async throws -> Ref<VBD> {
        guard case .record(let members) = record, let vm = record["VM"].flatMap({ Ref<VM>(api: $0) }),
            let vdi = record["VDI"].flatMap({ Ref<VDI>(api: $0) })
        else { throw APIError.internalError("VBD.create needs the members VM and VDI") }
        let wanted = record["userdevice"].flatMap { String(api: $0) } ?? "autodetect"
        let empty = record["empty"].flatMap { Bool(api: $0) } ?? false
        if record["type"].flatMap({ VBDType(api: $0) }) == .cd, record["mode"].flatMap({ VBDMode(api: $0) }) == .rw {
            throw APIError("VBD_CDS_MUST_BE_READONLY")
        }
        if empty, record["type"].flatMap({ VBDType(api: $0) }) != .cd {
            throw APIError("VBD_NOT_REMOVABLE_MEDIA", "in constructor")
        }
        let parameters = record["qos_algorithm_params"].flatMap { [String: String](api: $0) } ?? [:]
        _ = try ThrottleParameters.limits(
            type: record["qos_algorithm_type"].flatMap { String(api: $0) } ?? "", parameters)
        let vbd = Fresh.ref(VBD.self)
        try await context.database.transaction { tx in
            _ = try tx.require(vm)
            try tx.requireStaying(vm)
            if !empty {
                let disk = try tx.require(vdi)
                if disk[VDI.type] == .cbtMetadata {
                    throw APIError("VDI_INCOMPATIBLE_TYPE", vdi.opaque, "CBT metadata")
                }
                try tx.requireStaying(disk)
            }
            let taken = Set(tx.rows(VBD.self) { $0[VBD.vm] == vm }.map { $0[VBD.userdevice] })
            let position: String
            if wanted == "autodetect" || wanted.isEmpty {
                guard let free = (0..<16).map(String.init).first(where: { !taken.contains($0) }) else {
                    throw APIError("INVALID_DEVICE", wanted)
                }
                position = free
            } else {
                guard let number = Self.position(wanted), (0..<16).contains(number) else {
                    throw APIError("INVALID_DEVICE", wanted)
                }
                position = String(number)
            }
            if taken.contains(position) { throw APIError("DEVICE_ALREADY_EXISTS", position) }
            tx.insert(VBD.self, ref: vbd) { row in
                for member in members { row[field: member.name] = member.value }
                row[VBD.uuid] = Fresh.uuid()
                row[VBD.userdevice] = position
                if empty { row[VBD.vdi] = .null }
                row[VBD.currentlyAttached] = false
                row[VBD.reserved] = false
                row[VBD.currentOperations] = [:]
                row[VBD.runtimeProperties] = [:]
                row[VBD.qosSupportedAlgorithms] = [ThrottleParameters.algorithm]
            }
        }
        return vbd
    }

    /// A device number, or a name like `xvda`, `hdb`, `sdc`.
    private static func position(_ text: String) -> Int? {
        if let number = Int(text) { return number }
        for prefix in ["xvd", "hd", "sd", "vd"] where text.hasPrefix(prefix) && text.count == prefix.count + 1 {
            return text.unicodeScalars.last.flatMap { (97...122).contains($0.value) ? Int($0.value) - 97 : nil }
        }
        return nil
    }

    /// Entered and reserved at once: nobody takes the disk in between. A move or a copy goes on beside it.
    private func plug(_ vbd: Ref<VBD>, task: Ref<XenTask>) async throws {
        try await admission.run([.vbd(vbd, .plug)], task: task) { tx in
            _ = try tx.require(try tx.require(vbd)[VBD.vdi])
            try tx.requireStaying(try tx.require(vbd)[VBD.vm])
            try tx.set(vbd, VBD.reserved, true)
        } _: {
            let row = try context.row(vbd)
            let vm = try context.row(row[VBD.vm])
            do {
                let disk = try await lifecycle.activate(row)
                if vm[VM.isControlDomain] {
                    try await publish(disk, of: vbd)
                } else {
                    try await guests.plug(disk, into: vm[VM.uuid])
                }
            } catch {
                await lifecycle.letGo(of: [row])
                if let error = error as? GuestError { throw ErrorMapping.api(error, vm: row[VBD.vm]) }
                throw error
            }
            try await lifecycle.took(row, of: vm)
            // The guest may have ended before the row said that it has the disk.
            if !vm[VM.isControlDomain], guests.state(vm[VM.uuid]) == nil { await lifecycle.halted(vm[VM.uuid]) }
        }
    }

    /// A disk plugged into the control domain is for programs on this host: they find its NBD export in the VBD.
    private func publish(_ disk: GuestDisk, of vbd: Ref<VBD>) async throws {
        let uri = "nbd+unix:///\(disk.exportName)?socket=\(disk.nbdSocket)"
        try await context.database.transaction { tx in try tx.set(vbd, VBD.runtimeProperties, ["nbd-uri": uri]) }
    }

    /// Forced, the guest is asked for a moment only, and the disk is taken from it then: what it still asks of the disk fails.
    /// Either way the disk's data path has written what it has answered, and ends before the disk is anybody else's.
    private func unplug(_ vbd: Ref<VBD>, isForced: Bool = false, task: Ref<XenTask>) async throws {
        try await admission.run([.vbd(vbd, isForced ? .unplugForce : .unplug)], task: task) {
            let row = try context.row(vbd)
            let vm = try context.row(row[VBD.vm])
            do {
                if vm[VM.isControlDomain] {
                    try await context.database.transaction { tx in try tx.set(vbd, VBD.runtimeProperties, [:]) }
                } else if isForced {
                    try await guests.cutOff(diskID: row[VBD.uuid], from: vm[VM.uuid])
                } else {
                    try await guests.unplug(diskID: row[VBD.uuid], from: vm[VM.uuid])
                }
            } catch let error as GuestError {
                throw ErrorMapping.api(error, vm: row[VBD.vm], unplugging: vbd)
            }
            try await lifecycle.gaveBack(row, of: vm)
        }
    }
}
