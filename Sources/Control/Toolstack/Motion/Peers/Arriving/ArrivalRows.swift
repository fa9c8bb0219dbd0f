import APITypes
import PoolDatabase
import StorageInterface

/// The rows of a machine that has come from another pool, as its offer describes it.
enum ArrivalRows {
    /// A disk that is being filled: nobody may use it yet.
    static func insert(_ disk: ArrivingMachine.Disk, _ volume: Volume, in tx: Transaction) throws {
        let members = try RowDocument.decode(disk.row, VDI.className, schema: tx.schema)
        tx.insert(VDI.self, ref: Ref<VDI>(disk.ref)) { row in
            VDIRow.fill(&row, volume, sr: Ref(disk.sr))
            for member in members { row[field: member.name] = member.value }
            row[VDI.uuid] = disk.uuid
            row[VDI.readOnly] = false
        }
    }

    /// The row that a third-party driver has made is one of the pool's disks from now on. Its places, its sizes and what else it has
    /// written of it stay.
    static func complete(_ disk: ArrivingMachine.Disk, _ offered: OfferedDisk, in tx: Transaction) throws {
        let vdi = Ref<VDI>(disk.ref)
        for member in try RowDocument.decode(offered.row, VDI.className, schema: tx.schema)
        where member.name != VDI.xenstoreData.name {
            try tx.update(className: VDI.className, ref: disk.ref, field: member.name, member.value)
        }
        try tx.set(vdi, VDI.managed, true)
        try tx.set(vdi, VDI.missing, false)
        try tx.set(vdi, VDI.readOnly, false)
    }

    /// What their rows have become where they come from since the disks were made.
    static func refresh(_ machine: ArrivingMachine, in tx: Transaction) throws {
        for offered in machine.offer?.disks ?? [] {
            guard let disk = machine.disks.first(where: { $0.origin == offered.vdi }), !disk.isForeign else { continue }
            for member in try RowDocument.decode(offered.row, VDI.className, schema: tx.schema) {
                try tx.update(className: VDI.className, ref: disk.ref, field: member.name, member.value)
            }
            try tx.set(Ref<VDI>(disk.ref), VDI.readOnly, false)
        }
    }

    /// The machine with its drives and interfaces, once its disks are complete. It is halted, or suspended with the memory that it
    /// has come with.
    static func insert(_ machine: ArrivingMachine, host: Ref<Host>, in tx: Transaction) throws {
        guard let offer = machine.offer else { throw APIError.internalError("a machine without an offer") }
        let vm = Ref<VM>(machine.vm)
        if tx.row(vm) != nil { return }
        // It may have come another way since it was offered.
        if !offer.isCopy, let known = tx.find(VM.self, uuid: machine.uuid) { throw APIError("DUPLICATE_VM", known.ref) }
        let members = try RowDocument.decode(offer.machine, VM.className, schema: tx.schema)
        let image = offer.suspendImage.flatMap { origin in machine.disks.first { $0.origin == origin } }
        let metrics = Fresh.ref(VMMetrics.self)
        // A copy is another machine: its addresses are its own, and its guest learns that it is not the one before.
        let seed = offer.isCopy ? Fresh.uuid() : nil
        tx.insert(VMMetrics.self, ref: metrics) { row in row[VMMetrics.uuid] = Fresh.uuid() }
        tx.insert(VM.self, ref: vm) { row in
            for member in members { row[field: member.name] = member.value }
            if let seed { renew(&row, seed: seed) }
            row[VM.uuid] = machine.uuid
            row[VM.powerState] = image == nil ? .halted : .suspended
            row[VM.suspendVDI] = image.map { Ref($0.ref) } ?? .null
            row[VM.residentOn] = .null
            row[VM.affinity] = host
            row[VM.metrics] = metrics
            row[VM.domid] = -1
            row[VM.isControlDomain] = false
        }
        for disk in machine.disks where disk.isForeign {
            if let offered = offer.disks.first(where: { $0.vdi == disk.origin }) { try complete(disk, offered, in: tx) }
        }
        let disks = Dictionary(machine.disks.map { ($0.origin, Ref<VDI>($0.ref)) }) { first, _ in first }
        try ArrivalSnapshots.insert(of: machine, offer, disks, in: tx)
        var its: Set<String> = []
        for drive in offer.drives {
            // A guest that comes with the machine knows its drives by these.
            let uuid = machine.drives?[drive.uuid] ?? Self.uuid(drive.uuid, VBD.className, !offer.isCopy, tx)
            if tx.row(className: VBD.className, uuid: uuid) != nil {
                throw APIError.internalError("a drive \(uuid) has come up since the machine was offered")
            }
            try insert(drive, uuid, of: vm, disks, in: tx)
            if offer.guest?.vbds.contains(drive.uuid) == true { its.insert(uuid) }
        }
        if var guest = offer.guest, image != nil {
            guest.vbds = its
            try guest.write(of: vm, in: tx)
        }
        for interface in offer.interfaces { try insert(interface, of: vm, seed: seed, in: tx) }
        for disk in machine.disks where disk.isReadOnly { try tx.set(Ref<VDI>(disk.ref), VDI.readOnly, true) }
    }

    /// A copy is another machine: its interfaces' addresses are its own, and its guest is told. Nobody has asked that it be kept
    /// running (XenAPI gives `ha_always_run` back to what has moved, and to no copy).
    static func renew(_ row: inout NewRow, seed: String = Fresh.uuid()) {
        row[VM.otherConfig][MachineRows.addressSeed] = seed
        row[VM.generationID] = MachineRows.freshGeneration(after: row[VM.generationID])
        row[VM.haAlwaysRun] = false
    }

    static func insert(
        _ drive: OfferedDrive, _ uuid: String, of vm: Ref<VM>, _ disks: [String: Ref<VDI>], in tx: Transaction
    ) throws {
        let members = try RowDocument.decode(drive.row, VBD.className, schema: tx.schema)
        let disk = drive.disk.flatMap { disks[$0] }
        tx.insert(VBD.self, ref: Fresh.ref(VBD.self)) { row in
            for member in members { row[field: member.name] = member.value }
            row[VBD.uuid] = uuid
            row[VBD.vm] = vm
            row[VBD.vdi] = disk ?? .null
            row[VBD.empty] = disk == nil
            row[VBD.currentlyAttached] = false
            row[VBD.reserved] = false
        }
    }

    /// `seed`: of which its address is made anew; nil: it keeps its own, and its uuid.
    static func insert(
        _ interface: OfferedInterface, of vm: Ref<VM>, seed: String? = nil, in tx: Transaction
    ) throws {
        let members = try RowDocument.decode(interface.row, VIF.className, schema: tx.schema)
        // It may have gone since the machine was offered.
        let network = try tx.require(Ref<Network>(interface.network)).typedRef(Network.self)
        tx.insert(VIF.self, ref: Fresh.ref(VIF.self)) { row in
            for member in members { row[field: member.name] = member.value }
            row[VIF.uuid] = uuid(interface.uuid, VIF.className, seed == nil, tx)
            if let seed {
                row[VIF.mac] = MachineRows.address(seed: seed, device: row[VIF.device])
                row[VIF.macAutogenerated] = true
            }
            row[VIF.vm] = vm
            row[VIF.network] = network
            row[VIF.currentlyAttached] = false
        }
    }

    /// The same as where it comes from, unless somebody has it here.
    static func uuid(_ given: String, _ className: String, _ keeps: Bool, _ reader: any DatabaseReader) -> String {
        keeps && Fresh.isUUID(given) && reader.row(className: className, uuid: given) == nil ? given : Fresh.uuid()
    }

    /// Takes everything away again.
    static func remove(_ machine: ArrivingMachine, in tx: Transaction) throws(APIError) {
        let vm = Ref<VM>(machine.vm)
        for known in [vm] + (machine.snapshots ?? [:]).values.map({ Ref<VM>($0) }) where tx.row(known) != nil {
            try MachineRows.remove(known, in: tx)
        }
        for disk in machine.disks {
            let vdi = Ref<VDI>(disk.ref)
            for drive in tx.rows(VBD.self, where: { $0[VBD.vdi] == vdi }) { tx.delete(drive.typedRef(VBD.self)) }
            tx.delete(vdi)
            // A scan may have found it before its row was made.
            if let found = tx.find(VDI.self, uuid: disk.uuid) { tx.delete(found.typedRef(VDI.self)) }
        }
    }
}
