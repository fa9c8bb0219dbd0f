import APITypes
import PoolDatabase

/// Brings the machines of a document into a database whose disks are there already. Nothing is made but rows, in the
/// transaction of the caller: all of them or none.
///
/// What the document's objects are here:
///
/// | object | here |
/// | --- | --- |
/// | SR, host | the one with its uuid, if there is one |
/// | VDI | the one that `other_config:maps_to` names; else at its place in its SR; else the one with its uuid |
/// | VDI of an SR of ISO images | any with its location in such an SR; otherwise its drive is empty |
/// | network | one of its name, if there are several the one with its uuid; else of its bridge; else a new one |
/// | VIF | a new one, on the network that `other_config:maps_to` names, else on its own |
/// | VM | a new one. It keeps its uuid, as its devices do, only when identities are kept |
///
/// The document is not trusted: values must be of their fields' types, and nothing that only the toolstack may say is
/// taken from it: no power state but Suspended, no host, no operations, no control domain.
struct MachineImport: Sendable {
    struct Options: Sendable {
        /// XenAPI's `restore`: uuids, addresses and `mac_seed` are those of the document. A halted machine of the same
        /// uuid gives way.
        var keepsIdentity = false
        /// Disks that are not there are left out, and a machine of the same or a newer version gives way, too.
        var isForced = false
        /// Only says what would fail.
        var isDryRun = false
        /// A running machine is about to come: there must be memory for it, and before it comes its disks may be missing.
        var isLive = false
        /// Whose work it is: noted in what is made.
        var task: Ref<XenTask> = .null
    }

    struct Outcome: Sendable {
        /// The machines that are new, without snapshots, in the document's order.
        var machines: [Ref<VM>] = []
        /// Those and their snapshots.
        var created: [Ref<VM>] = []
        /// What the document's objects are called here, by their ids there.
        var references: [String: String] = [:]
    }

    let document: MachineDocument
    let options: Options
    let host: Ref<Host>

    /// Throws IMPORT_ERROR [text], IMPORT_ERROR_FAILED_TO_FIND_OBJECT [id], IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND,
    /// VDI_LOCATION_MISSING [sr, location], VDI_CONTENT_ID_MISSING, DUPLICATE_VM [vm], VM_BAD_POWER_STATE,
    /// VM_TO_IMPORT_IS_NOT_NEWER_VERSION [vm, existing, imported], HOST_NOT_ENOUGH_FREE_MEMORY [needed, available] and what
    /// the making of devices throws. When it throws the transaction must not be committed.
    func run(in tx: Transaction) throws(APIError) -> Outcome {
        var work = MachineImportWork(tx: tx, document: document, options: options, host: host)
        try work.run()
        return work.outcome
    }
}

/// An import that is under way.
struct MachineImportWork {
    let tx: Transaction
    let options: MachineImport.Options
    let host: Ref<Host>
    let objects: [ImportedObject]
    private let positions: [String: Int]
    var outcome = MachineImport.Outcome()
    /// Ids of machines that stand for nothing here; their devices go with them.
    private var leftOut: Set<String> = []
    private var usedPositions: [String: Set<String>] = [:]
    var index = ImportIndex()

    init(tx: Transaction, document: MachineDocument, options: MachineImport.Options, host: Ref<Host>) {
        self.tx = tx
        self.options = options
        self.host = host
        objects = document.objects.map(ImportedObject.init)
        positions = Dictionary(uniqueKeysWithValues: objects.enumerated().map { ($1.id, $0) })
    }

    mutating func run() throws(APIError) {
        for object in objects where object.className == "host" {
            note(object, tx.find(Host.self, uuid: try object.text("uuid"))?.ref)
        }
        for object in objects where object.className == "SR" {
            note(object, tx.find(SR.self, uuid: try object.text("uuid"))?.ref)
        }
        let machines = objects.filter { $0.className == "VM" }
        if options.keepsIdentity { try requireNoTwin(of: machines) }
        for object in objects where object.className == "VDI" { note(object, try disk(object)) }
        for object in machines { try take(object) }
        for object in machines { try link(object) }
        for object in objects where object.className == "network" { note(object, try network(object).opaque) }
        for object in objects where object.className == "VBD" { try drive(object) }
        for object in objects where object.className == "VIF" { try interface(object) }
    }

    /// `reference`: nil when it is not here.
    mutating func note(_ object: ImportedObject, _ reference: String?) { outcome.references[object.id] = reference }

    /// What the id of such an object stands for here; nil when it is not here, for the null reference, and for objects of
    /// other classes.
    func reference<C: XenClass>(_ id: String, _: C.Type = C.self) -> Ref<C>? {
        guard let position = positions[id], objects[position].className == C.className else { return nil }
        return outcome.references[id].map { Ref($0) }
    }

    /// The object of the document. IMPORT_ERROR_FAILED_TO_FIND_OBJECT [id].
    func object(_ id: String, _ className: String) throws(APIError) -> ImportedObject {
        guard let position = positions[id], objects[position].className == className else {
            throw Self.missing(id)
        }
        return objects[position]
    }

    static func missing(_ id: String) -> APIError {
        APIError("IMPORT_ERROR_FAILED_TO_FIND_OBJECT", String(id.prefix(256)))
    }

    // MARK: - Machines

    /// DUPLICATE_VM [vm]: a machine with the same addresses that is not the one to be replaced.
    private func requireNoTwin(of machines: [ImportedObject]) throws(APIError) {
        var seeds: [String: String] = [:]
        for row in tx.rows(VM.self) {
            if let seed = row[VM.otherConfig][MachineRows.addressSeed] { seeds[seed] = row.ref }
        }
        if seeds.isEmpty { return }
        for machine in machines where tx.find(VM.self, uuid: try machine.text("uuid")) == nil {
            guard let seed = try machine.entries("other_config")[MachineRows.addressSeed] else { continue }
            if let twin = seeds[seed] { throw APIError("DUPLICATE_VM", twin) }
        }
    }

    private mutating func take(_ object: ImportedObject) throws(APIError) {
        if try object.flag("is_control_domain") {
            leftOut.insert(object.id)
            return
        }
        let config = try object.entries("other_config")
        let isTemplate = try object.flag("is_a_template")
        if isTemplate, try object.flag("is_default_template") || config["default_template"] == "true" {
            // The toolstack that brought it has one of its own.
            note(object, index.template(named: try object.text("name_label"), tx)?.opaque)
            leftOut.insert(object.id)
            return
        }
        var replaced: Ref<VM>?
        let uuid = options.keepsIdentity ? try object.identity("uuid") : Fresh.uuid()
        if options.keepsIdentity, let existing = tx.find(VM.self, uuid: uuid) {
            let before = existing.typedRef(VM.self)
            guard !outcome.created.contains(before) else {
                throw MachineDocument.unusable("two machines of the document have the uuid \(uuid)")
            }
            guard try mayReplace(existing, by: object) else {
                leftOut.insert(object.id)
                return
            }
            replaced = before
        }
        if options.isLive, try !object.flag("is_a_snapshot") { try requireMemory(for: object) }
        let vm = Fresh.ref(VM.self)
        if let replaced {
            let snapshots = tx.rows(VM.self, where: VM.snapshotOf, is: replaced)
            try MachineRows.remove(replaced, in: tx)
            for snapshot in snapshots { try tx.set(snapshot.typedRef(VM.self), VM.snapshotOf, vm) }
        }
        try insert(object, as: vm, uuid: uuid, config)
        note(object, vm.opaque)
        outcome.created.append(vm)
        if try !object.flag("is_a_snapshot") { outcome.machines.append(vm) }
    }

    /// False when the one that is there stays, and the document's is left out.
    private func mayReplace(_ existing: Row, by object: ImportedObject) throws(APIError) -> Bool {
        let vm = existing.typedRef(VM.self)
        if existing[VM.powerState] != .halted {
            if options.isForced { return false }
            throw APIError("VM_BAD_POWER_STATE", vm.opaque, "halted", existing[VM.powerState].rawValue.lowercased())
        }
        let (before, after) = (existing[VM.version], try object.number("version"))
        if before >= after, !options.isForced {
            throw APIError("VM_TO_IMPORT_IS_NOT_NEWER_VERSION", vm.opaque, String(before), String(after))
        }
        try OperationClaim.vm(vm, .destroy).check(tx)
        return true
    }

    private mutating func requireMemory(for object: ImportedObject) throws(APIError) {
        let free = index.freeMemory(tx)
        let needed = max(try object.number("memory_static_max"), try object.number("memory_dynamic_max"), 128 << 20)
        if let refusal = HostMemory.refusal(of: needed, free: free) { throw refusal }
    }

    /// What the document does not decide, or what is said of it elsewhere here.
    private static let notTaken: Set<String> = [
        "uuid", "allowed_operations", "current_operations", "power_state", "is_default_template", "other_config",
        "domid",
        "is_control_domain", "version", "generation_id", "ha_always_run", "is_a_template", "is_a_snapshot",
        "requires_reboot", "pending_guidances", "recommended_guidances", "pending_guidances_recommended",
        "pending_guidances_full",
    ]

    private mutating func insert(
        _ object: ImportedObject, as vm: Ref<VM>, uuid: String, _ config: [String: String]
    ) throws(APIError) {
        let values = try object.values(except: Self.notTaken)
        var config = config
        for key in ["import_task", "default_template", "xensource_internal"] { config[key] = nil }
        if !options.keepsIdentity { config[MachineRows.addressSeed] = Fresh.uuid() }
        if !options.task.isNull { config["import_task"] = options.task.opaque }
        let (isTemplate, isSnapshot) = (try object.flag("is_a_template"), try object.flag("is_a_snapshot"))
        let (version, generation) = (try object.number("version"), try object.text("generation_id"))
        let isAlwaysRun = try object.flag("ha_always_run")
        let suspended = try suspendImage(of: object)
        let affinity: Ref<Host> = reference(try object.reference("affinity")) ?? .null
        let suspendSR: Ref<SR> = reference(try object.reference("suspend_SR")) ?? .null
        let metrics = Fresh.ref(VMMetrics.self)
        tx.insert(VMMetrics.self, ref: metrics) { row in row[VMMetrics.uuid] = Fresh.uuid() }
        tx.insert(VM.self, ref: vm) { row in
            for (name, value) in values { row[field: name] = value }
            row[VM.uuid] = uuid
            row[VM.otherConfig] = config
            // What could be started would be no snapshot any more.
            row[VM.isATemplate] = isTemplate || isSnapshot
            row[VM.isASnapshot] = isSnapshot
            row[VM.powerState] = suspended == nil ? .halted : .suspended
            row[VM.suspendVDI] = suspended ?? .null
            row[VM.suspendSR] = suspendSR
            row[VM.affinity] = affinity
            row[VM.residentOn] = .null
            row[VM.metrics] = metrics
            row[VM.domid] = -1
            row[VM.isControlDomain] = false
            row[VM.currentOperations] = [:]
            row[VM.version] = options.keepsIdentity ? version &+ 1 : 0
            row[VM.generationID] =
                options.isLive ? generation : MachineRows.freshGeneration(after: generation)
            row[VM.haAlwaysRun] = isAlwaysRun && !options.isLive
        }
    }

    /// The disk that holds the memory of a machine that is suspended; nil for all others.
    private mutating func suspendImage(of object: ImportedObject) throws(APIError) -> Ref<VDI>? {
        guard try object.text("power_state").lowercased() == "suspended" else { return nil }
        let id = try object.reference("suspend_VDI")
        if let disk = reference(id, VDI.self) {
            // Whoever gives up a suspended machine's memory destroys that disk: it must be such an image, and nobody else's.
            guard tx.row(disk)?[VDI.type] == .suspend, index.takeSuspendImage(disk, tx),
                tx.rows(VBD.self, where: VBD.vdi, is: disk).isEmpty
            else {
                throw APIError(
                    "OPERATION_NOT_ALLOWED",
                    "the VDI \(disk.opaque) cannot be an imported VM's memory: it is no suspend image, or another VM's")
            }
            return disk
        }
        if options.isForced { return nil }
        throw Self.missing(id)
    }

    /// What machines are snapshots of and were made of, now that all are there.
    private func link(_ object: ImportedObject) throws(APIError) {
        guard !leftOut.contains(object.id), let vm = reference(object.id, VM.self) else { return }
        if try object.flag("is_a_snapshot") {
            let origin = try object.reference("snapshot_of")
            if origin != ImportedObject.null {
                let machine = try self.object(origin, "VM")
                guard try !machine.flag("is_a_snapshot") else {
                    throw MachineDocument.unusable("the snapshot \(object.id) is one of a snapshot")
                }
                try tx.set(vm, VM.snapshotOf, reference(origin) ?? .null)
            }
        }
        if let parent: Ref<VM> = reference(try object.reference("parent")), parent != vm {
            try tx.set(vm, VM.parent, parent)
        }
    }

    /// The machine of a device; nil when it is left out.
    func machine(of device: ImportedObject) throws(APIError) -> (object: ImportedObject, vm: Ref<VM>)? {
        let id = try device.reference("VM")
        let object = try self.object(id, "VM")
        if leftOut.contains(id) { return nil }
        guard let vm = reference(id, VM.self) else { throw Self.missing(id) }
        return (object, vm)
    }

    /// Takes a position for a device of a machine. INVALID_DEVICE [position], DEVICE_ALREADY_EXISTS [position].
    mutating func occupy(_ position: String, of device: ImportedObject, _ vm: Ref<VM>) throws(APIError) -> String {
        guard let number = Int(position), (0..<16).contains(number) else {
            throw APIError("INVALID_DEVICE", String(position.prefix(64)))
        }
        guard usedPositions["\(device.className) \(vm.opaque)", default: []].insert(String(number)).inserted else {
            throw APIError("DEVICE_ALREADY_EXISTS", String(number))
        }
        return String(number)
    }
}
