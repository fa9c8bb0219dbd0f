import APITypes
import PoolDatabase
import RPCCodec

/// What the toolstacks of other makers call of the API, once their `VM.migrate_send` has brought disks and metadata here: in this order
/// `host.allocate_resources_for_vm`, `network.attach_for_vm`, and `VM.pool_migrate_complete`, after which they destroy what they have. Halted
/// VMs need nothing of the first two: memory is taken and networks are looked at when a VM starts. Source: XenAPI.
struct ReceivedMachineMessages: Sendable {
    let database: PoolDatabase
    let host: Ref<Host>
    let received: ReceivedDisks

    func register(in table: inout MessageTable) {
        table.on("host.allocate_resources_for_vm") { _, arguments in
            try check(host: try arguments.get(0), vm: try arguments.get(1))
            return .void
        }
        table.on("network.attach_for_vm") { _, arguments in
            try checkNetworks(of: try arguments.get(1), on: try arguments.get(0))
            return .void
        }
        // No network was made for it.
        table.on("network.detach_for_vm") { _, arguments in
            try check(host: try arguments.get(0), vm: try arguments.get(1))
            return .void
        }
        table.on("VM.pool_migrate_complete") { _, arguments in
            let (vm, host): (Ref<VM>, Ref<Host>) = (try arguments.get(0), try arguments.get(1))
            _ = try database.read { try $0.require(vm) }
            try check(host: host, vm: vm)
            try await received.complete(vm)
            return .void
        }
    }

    private func check(host: Ref<Host>, vm: Ref<VM>) throws {
        try database.read { reader in
            _ = try reader.require(host)
            _ = try reader.require(vm)
        }
    }

    /// HOST_CANNOT_ATTACH_NETWORK [host, network] for one that is not there any more.
    private func checkNetworks(of vm: Ref<VM>, on host: Ref<Host>) throws {
        try check(host: host, vm: vm)
        try database.read { reader in
            for interface in reader.rows(VIF.self, where: VIF.vm, is: vm) {
                let network = interface[VIF.network]
                if reader.row(network) == nil {
                    throw APIError("HOST_CANNOT_ATTACH_NETWORK", host.opaque, network.opaque)
                }
            }
        }
    }
}

extension ReceivedDisks {
    /// The last that a source asks before it destroys the VM and its disks. VM_MIGRATE_FAILED [vm, source, destination, why] unless all
    /// disks of the VM and its snapshots that came by these calls are the pool's, and whole.
    func complete(_ vm: Ref<VM>) async throws {
        let disks = context.database.read { reader -> Set<Ref<VDI>> in
            let machines = [vm] + reader.rows(VM.self) { $0[VM.snapshotOf] == vm }.map { $0.typedRef(VM.self) }
            var disks: Set<Ref<VDI>> = []
            for machine in machines {
                for drive in reader.rows(VBD.self, where: VBD.vm, is: machine) { disks.insert(drive[VBD.vdi]) }
                if let image = reader.row(machine)?[VM.suspendVDI] { disks.insert(image) }
            }
            return disks
        }
        for found in records() where disks.contains(Ref(found.ref)) {
            do {
                try await working(on: found.id) { record in
                    guard record.isComplete else {
                        throw StorageLayerError.internalError("not all of the disk \(record.id) has come")
                    }
                    try await finish(&record)
                }
            } catch {
                // Its turn came when it was one of the pool's, and not gone.
                let isHere = context.database.read { $0.row(Ref<VDI>(found.ref)) } != nil
                if isHere, !records().contains(where: { $0.id == found.id }) { continue }
                throw refusal(vm, "\(error)")
            }
        }
        for disk in disks where !disk.isNull {
            guard let row = context.database.read({ $0.row(disk) }) else {
                throw refusal(vm, "the disk \(disk.opaque) is gone")
            }
            guard let doubt = row[VDI.otherConfig][Self.doubtKey] else { continue }
            throw refusal(vm, "the disk \(row[VDI.uuid]) may not be whole: \(doubt)")
        }
    }

    private func refusal(_ vm: Ref<VM>, _ why: String) -> APIError {
        APIError(
            "VM_MIGRATE_FAILED", vm.opaque, "another toolstack", context.host.opaque,
            "\(why); the VM and its disks at the source are to be kept: move it again")
    }
}
