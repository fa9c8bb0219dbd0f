import APITypes
import PoolDatabase

/// Keeps `allowed_operations` what the rules say, in the transaction that changes what they look at. The field is not
/// stored, so this costs no write.
enum AllowedOperations {
    static let derivation = Derivation(
        classes: ["VM", "VDI", "VBD", "SR", "PBD", "SM", "host", "pool"],
        begin: { reader, set in
            var allowed = AllowedSets(reader)
            for row in reader.rows(SR.self) { set(row, field, allowed.sr(row)) }
            for row in reader.rows(VDI.self) { set(row, field, allowed.vdi(row)) }
            for row in reader.rows(VM.self) { set(row, field, allowed.vm(row)) }
            for row in reader.rows(VBD.self) { set(row, field, allowed.vbd(row)) }
            for row in reader.rows(Host.self) { set(row, field, allowed.host(row)) }
            for row in reader.rows(Pool.self) { set(row, field, AllowedSets.pool) }
        },
        update: { tx, changed in
            var due = Due()
            for row in changed { due.note(row, tx) }
            try due.update(tx)
        })

    private static let field = "allowed_operations"

    /// Sets one VM's field again, whatever it is now.
    static func refresh(_ vm: Ref<VM>, in tx: Transaction) throws(APIError) {
        let row = try tx.require(vm)
        try tx.set(vm, VM.allowedOperations, VMOperationRules.allowed(OperationFacts(tx).vm(row)))
    }

    /// The objects whose operations may have changed.
    private struct Due {
        var repositories: Set<String> = []
        var disks: Set<String> = []
        var machines: Set<String> = []
        var devices: Set<String> = []
        var hosts: Set<String> = []
        var pools: Set<String> = []

        /// Adds a changed row, and those whose operations depend on what changed in it.
        mutating func note(_ row: ChangedRow, _ tx: Transaction) {
            switch row.className {
            case "VM": noteMachine(row.ref, tx)
            case "VDI": noteDisk(row.ref, tx)
            case "VBD":
                devices.insert(row.ref)
                noteDevice(tx.before(Ref<VBD>(row.ref)), tx.row(Ref<VBD>(row.ref)))
            case "SR": repositories.insert(row.ref)
            case "PBD": notePBD(row.ref, tx)
            case "SM": noteManager(row.ref, tx)
            case "pool": notePool(row.ref, tx)
            default: hosts.insert(row.ref)
            }
        }

        /// What the rules look at in a VM and in a VDI; all else may change without them.
        private static let machineFields = [
            "power_state", "current_operations", "is_a_template", "is_default_template", "is_a_snapshot",
            "is_control_domain", "platform", "blocked_operations", "suspend_VDI",
        ]
        private static let diskFields = [
            "current_operations", "managed", "type", "SR", "read_only", "sharable", "is_a_snapshot", "cbt_enabled",
            "on_boot", "sm_config",
        ]

        private mutating func noteDevice(_ before: Row?, _ after: Row?) {
            for case let side? in [before, after] { disks.insert(side[VBD.vdi].opaque) }
            // Whether the machine writes to a disk that is reset.
            if let before, let after, !differ(before, after, ["VM", "VDI", "mode", "currently_attached", "reserved"]) {
                return
            }
            for case let side? in [before, after] { machines.insert(side[VBD.vm].opaque) }
        }

        private mutating func noteMachine(_ ref: String, _ tx: Transaction) {
            let (before, after) = (tx.before(Ref<VM>(ref)), tx.row(Ref<VM>(ref)))
            if let before, let after, !differ(before, after, Self.machineFields) { return }
            machines.insert(ref)
            if let before, let after, !differ(before, after, ["power_state", "current_operations", "suspend_VDI"]) {
                return
            }
            let vbds = OperationFacts(tx).rows(VBD.self, "VM", ref)
            devices.formUnion(vbds.map(\.ref))
            // The disks of a suspended VM are kept for it, and those of one of which a checkpoint is made.
            let sides = [before, after].compactMap(\.self)
            if sides.contains(where: { $0[VM.currentOperations].values.contains(.checkpoint) }) {
                disks.formUnion(vbds.map { $0[VBD.vdi].opaque })
            }
            if sides.contains(where: { $0[VM.powerState] == .suspended }) {
                disks.formUnion(vbds.map { $0[VBD.vdi].opaque })
                let images = [before, after].compactMap { $0?[VM.suspendVDI].opaque }
                disks.formUnion(images)
                for image in images { devices.formUnion(OperationFacts(tx).rows(VBD.self, "VDI", image).map(\.ref)) }
            }
        }

        private mutating func noteDisk(_ ref: String, _ tx: Transaction) {
            let (before, after) = (tx.before(Ref<VDI>(ref)), tx.row(Ref<VDI>(ref)))
            if let before, let after, !differ(before, after, Self.diskFields) { return }
            disks.insert(ref)
            // Whether their machines write to a disk that is reset.
            if let before, let after, differ(before, after, ["on_boot"]) {
                machines.formUnion(OperationFacts(tx).rows(VBD.self, "VDI", ref).map { $0[VBD.vm].opaque })
            }
            // Whether an SR is empty: disks come and go, too, and are forgotten while it is unplugged.
            var isAsBefore = false
            if let before, let after { isAsBefore = !differ(before, after, ["managed", "type", "SR"]) }
            if !isAsBefore { repositories.formUnion([before, after].compactMap { $0?[VDI.sr].opaque }) }
            if let before, let after, !differ(before, after, ["current_operations", "managed"]) { return }
            devices.formUnion(OperationFacts(tx).rows(VBD.self, "VDI", ref).map(\.ref))
        }

        private mutating func notePool(_ ref: String, _ tx: Transaction) {
            pools.insert(ref)
            let (before, after) = (tx.before(Ref<Pool>(ref)), tx.row(Ref<Pool>(ref)))
            if let before, let after, !differ(before, after, ["other_config"]) { return }
            // Whether they may be copied.
            for vm in tx.rows(VM.self, where: { $0[VM.powerState] == .suspended }) { machines.insert(vm.ref) }
        }

        private mutating func notePBD(_ ref: String, _ tx: Transaction) {
            let (before, after) = (tx.before(Ref<PBD>(ref)), tx.row(Ref<PBD>(ref)))
            if let before, let after, !differ(before, after, ["SR", "currently_attached"]) { return }
            for case let side? in [before, after] { noteRepository(side[PBD.sr].opaque, tx) }
        }

        private mutating func noteManager(_ ref: String, _ tx: Transaction) {
            let (before, after) = (tx.before(Ref<SM>(ref)), tx.row(Ref<SM>(ref)))
            if let before, let after, !differ(before, after, ["type", "features"]) { return }
            let types = [before, after].compactMap { $0?[SM.type] }
            for sr in tx.rows(SR.self) where types.contains(sr[SR.type]) { noteRepository(sr.ref, tx) }
        }

        private mutating func noteRepository(_ ref: String, _ tx: Transaction) {
            repositories.insert(ref)
            disks.formUnion(OperationFacts(tx).rows(VDI.self, "SR", ref).map(\.ref))
        }

        private func differ(_ before: Row, _ after: Row, _ fields: [String]) -> Bool {
            fields.contains { before[field: $0] != after[field: $0] }
        }

        func update(_ tx: Transaction) throws(APIError) {
            var allowed = AllowedSets(tx)
            try set("SR", repositories, tx) { allowed.sr($0) }
            try set("VDI", disks, tx) { allowed.vdi($0) }
            try set("VM", machines, tx) { allowed.vm($0) }
            try set("VBD", devices, tx) { allowed.vbd($0) }
            try set("host", hosts, tx) { allowed.host($0) }
            try set("pool", pools, tx) { _ in AllowedSets.pool }
        }

        /// Sets the field of those that are there.
        private func set(
            _ className: String, _ refs: Set<String>, _ tx: Transaction, _ value: (Row) -> APIValue
        ) throws(APIError) {
            for ref in refs {
                guard let row = tx.row(className: className, ref: ref) else { continue }
                try tx.update(className: className, ref: ref, field: field, value(row))
            }
        }
    }
}
