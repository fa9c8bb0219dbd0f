import APITypes
import PoolDatabase

/// A machine's rows as they were when something was to be made of it, and the rows of what is made.
struct MachineCopy: Sendable {
    enum Kind: Sendable {
        case snapshot, clone
    }

    /// The entry of a drive's `other_config` that says that the disk goes with its machine.
    static let ownerKey = "owner"

    let machine: Row
    let drives: [Row]
    let interfaces: [Row]
    /// Of a machine that is suspended.
    let memory: MachineMemory?

    init(_ vm: Ref<VM>, _ reader: any DatabaseReader) throws(APIError) {
        machine = try reader.require(vm)
        drives = reader.rows(VBD.self, where: VBD.vm, is: vm)
        interfaces = reader.rows(VIF.self, where: VIF.vm, is: vm)
        memory = MachineMemory(of: machine, reader)
    }

    /// The same machine without devices.
    init(bare other: MachineCopy) { (machine, drives, interfaces, memory) = (other.machine, [], [], nil) }

    /// The disks in its drives, each once, but for those of `ignored`. CDs are not copied: an image is known by its name.
    func disks(except ignored: Set<Ref<VDI>> = []) -> [Ref<VDI>] {
        var seen = ignored
        return drives.filter(Self.holdsDisk).map { $0[VBD.vdi] }.filter { seen.insert($0).inserted }
    }

    static func holdsDisk(_ drive: Row) -> Bool {
        drive[VBD.type] == .disk && !drive[VBD.empty] && !drive[VBD.vdi].isNull
    }

    /// Whether the machine has in its drives what the other has, and is where it is: nothing has happened between the two.
    func isLike(_ other: MachineCopy) -> Bool {
        contents == other.contents && memory?.image == other.memory?.image
            && machine[VM.powerState] == other.machine[VM.powerState]
    }

    private var contents: [String: Ref<VDI>] {
        Dictionary(drives.map { ($0.ref, $0[VBD.empty] ? .null : $0[VBD.vdi]) }) { first, _ in first }
    }

    // MARK: - The new machine

    /// Inserts a machine like this one, called `name`, with drives of the new disks. Drives of disks that have none are left
    /// out. It is halted, or suspended with `memory`, that of a guest that this one's VBDs were in.
    func insert(
        _ kind: Kind, as new: Ref<VM>, uuid: String = Fresh.uuid(), name: String, disks: [Ref<VDI>: Ref<VDI>],
        memory: MachineMemory? = nil, in tx: Transaction
    ) throws {
        let isSnapshot = kind == .snapshot
        let now = WallClock.seconds
        let vm = machine.typedRef(VM.self)
        let metrics = copiedMetrics(in: tx)
        let power = machine[VM.powerState].rawValue
        let metadata = isSnapshot ? SnapshotMetadata.text(of: machine) : ""
        let parent: Ref<VM> = isSnapshot ? tx.row(vm)?[VM.parent] ?? .null : .null
        tx.insert(VM.self, ref: new) { row in
            Self.take(machine, into: &row)
            row[VM.uuid] = uuid
            row[VM.nameLabel] = name
            row[VM.powerState] = .halted
            row[VM.isATemplate] = isSnapshot || machine[VM.isATemplate]
            row[VM.isDefaultTemplate] = false
            row[VM.isASnapshot] = isSnapshot
            row[VM.snapshotOf] = isSnapshot ? vm : .null
            row[VM.snapshotTime] = APIDate(seconds: isSnapshot ? now : 0)
            row[VM.snapshotInfo] =
                isSnapshot ? ["power-state-at-snapshot": power, "disk-snapshot-type": "crash_consistent"] : [:]
            row[VM.snapshotMetadata] = metadata
            row[VM.transportableSnapshotID] = ""
            row[VM.parent] = parent
            row[VM.otherConfig] = otherConfig(kind)
            row[VM.metrics] = metrics
            row[VM.isControlDomain] = false
            row[VM.haAlwaysRun] = false
            row[VM.startDelay] = 0
            row[VM.shutdownDelay] = 0
            row[VM.order] = 0
            row[VM.version] = 0
            row[VM.generationID] = MachineRows.freshGeneration(after: machine[VM.generationID])
            row[VM.isVMSSSnapshot] = false
            row[VM.isSnapshotFromVMPP] = false
            Self.forgetState(&row)
        }
        if isSnapshot { try tx.set(vm, VM.parent, new) }
        let drives = insertDevices(of: new, kind, disks: disks, in: tx)
        try memory?.give(to: new, drives: drives, in: tx)
    }

    /// The drives and interfaces, for a machine that is there. Interfaces of a clone get addresses of their own. Returns the uuids of
    /// the new VBDs by those that they are made of.
    @discardableResult
    func insertDevices(
        of vm: Ref<VM>, _ kind: Kind, disks: [Ref<VDI>: Ref<VDI>], in tx: Transaction
    ) -> [String: String] {
        var made: [String: String] = [:]
        for drive in drives {
            let isDisk = Self.holdsDisk(drive)
            let content = isDisk ? disks[drive[VBD.vdi]] : drive[VBD.vdi]
            guard let content else { continue }
            let uuid = Fresh.uuid()
            made[drive[VBD.uuid]] = uuid
            tx.insert(VBD.self, ref: Fresh.ref(VBD.self)) { row in
                Self.take(drive, into: &row)
                row[VBD.uuid] = uuid
                row[VBD.vm] = vm
                row[VBD.vdi] = content
                row[VBD.reserved] = false
                row[VBD.currentlyAttached] = false
                row[VBD.currentOperations] = [:]
                row[VBD.runtimeProperties] = [:]
                row[VBD.metrics] = .null
                // Whoever removes the machine removes the disks that were made for it.
                if isDisk, drive[VBD.otherConfig][Self.ownerKey] == nil {
                    var config = drive[VBD.otherConfig]
                    config[Self.ownerKey] = ""
                    row[VBD.otherConfig] = config
                }
            }
        }
        let seed = tx.row(vm)?[VM.otherConfig][MachineRows.addressSeed] ?? vm.opaque
        for interface in interfaces {
            tx.insert(VIF.self, ref: Fresh.ref(VIF.self)) { row in
                Self.take(interface, into: &row)
                row[VIF.uuid] = Fresh.uuid()
                row[VIF.vm] = vm
                if kind == .clone {
                    row[VIF.mac] = MachineRows.address(seed: seed, device: interface[VIF.device])
                    row[VIF.macAutogenerated] = true
                }
                row[VIF.reserved] = false
                row[VIF.currentlyAttached] = false
                row[VIF.currentOperations] = [:]
                row[VIF.runtimeProperties] = [:]
                row[VIF.metrics] = .null
            }
        }
        return made
    }

    private func otherConfig(_ kind: Kind) -> [String: String] {
        var config = machine[VM.otherConfig]
        if kind == .clone { config[MachineRows.addressSeed] = Fresh.uuid() }
        config["default_template"] = nil
        config["xensource_internal"] = nil
        if machine[VM.isATemplate], !machine[VM.isASnapshot], config["base_template_name"] == nil {
            config["base_template_name"] = machine[VM.nameLabel]
        }
        return config
    }

    private func copiedMetrics(in tx: Transaction) -> Ref<VMMetrics> {
        let metrics = Fresh.ref(VMMetrics.self)
        tx.insert(VMMetrics.self, ref: metrics) { row in row[VMMetrics.uuid] = Fresh.uuid() }
        return metrics
    }

    /// All that the row stores of its own.
    private static func take(_ source: Row, into row: inout NewRow) {
        for (position, field) in source.schema.fields.enumerated() where field.source == nil && field.isPersistent {
            row[field: field.name] = source.value(at: position)
        }
    }

    /// What is so only of the machine that it is of.
    private static func forgetState(_ row: inout NewRow) {
        row[VM.residentOn] = .null
        row[VM.scheduledToBeResidentOn] = .null
        row[VM.suspendVDI] = .null
        row[VM.suspendSR] = .null
        row[VM.guestMetrics] = .null
        row[VM.protectionPolicy] = .null
        row[VM.snapshotSchedule] = .null
        row[VM.appliance] = .null
        row[VM.domid] = -1
        row[VM.domarch] = ""
        row[VM.blobs] = [:]
        row[VM.blockedOperations] = [:]
        row[VM.currentOperations] = [:]
        row[VM.requiresReboot] = false
    }
}
