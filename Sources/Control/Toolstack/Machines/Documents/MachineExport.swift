import APITypes
import DataModel
import PoolDatabase
import RPCCodec

/// Takes machines out of a database as a document: the rows of the machines, of their snapshots, of their disks with
/// their SRs, of their network interfaces with their networks, and of the hosts that they name. References to anything
/// else are null there. Reads one state of the database.
struct MachineExport {
    /// The kinds of devices that can be left out.
    enum Device: String, CaseIterable, Sendable {
        case vbd, vif
    }

    struct Options: Sendable {
        /// Snapshots go with their machines, and say of what they are.
        var includesSnapshots = true
        /// What runs or is suspended is said to; everything is halted otherwise.
        var keepsPowerState = true
        /// The hidden disks that disks stand on.
        var includesBases = false
        var leavesOut: Set<Device> = []
        /// What stands for a disk or an interface where the document goes: a VDI and a network there.
        var disks: [Ref<VDI>: String] = [:]
        var interfaces: [Ref<VIF>: String] = [:]
    }

    /// The entry of `other_config` that names what stands for an object in the database that the document is for.
    static let mapKey = "maps_to"

    private let reader: any DatabaseReader
    private let options: Options
    private var ids: [String: String] = [:]
    private var order: [Row] = []

    private init(_ reader: any DatabaseReader, _ options: Options) {
        self.reader = reader
        self.options = options
    }

    /// HANDLE_INVALID for a machine that is gone; OTHER_OPERATION_IN_PROGRESS and the like when something is being done to
    /// one that goes badly with this.
    static func document(
        of machines: [Ref<VM>], _ options: Options, host: Ref<Host>, in reader: any DatabaseReader
    ) throws(APIError) -> MachineDocument {
        var export = MachineExport(reader, options)
        for vm in machines { export.take(try reader.require(vm), withSnapshots: options.includesSnapshots) }
        let writer = reader.row(host)
        let software = writer?[Host.softwareVersion] ?? [:]
        let version = MachineDocument.Version(
            hostname: writer?[Host.hostname] ?? "", date: DateTimeText.format(WallClock.seconds),
            productVersion: software["product_version"] ?? "", productBrand: software["product_brand"] ?? "",
            buildNumber: software["build_number"] ?? "")
        return MachineDocument(version: version, objects: export.order.map { export.object($0) })
    }

    // MARK: - What goes along

    /// False when the row is there already.
    @discardableResult
    private mutating func add(_ row: Row?) -> Bool {
        guard let row, ids[row.ref] == nil else { return false }
        ids[row.ref] = "Ref:\(ids.count)"
        order.append(row)
        return true
    }

    private mutating func take(_ vm: Row, withSnapshots: Bool) {
        guard add(vm) else { return }
        let ref = vm.typedRef(VM.self)
        if !options.leavesOut.contains(.vif) {
            for vif in reader.rows(VIF.self, where: VIF.vm, is: ref) {
                add(vif)
                add(reader.row(vif[VIF.network]))
            }
        }
        if !options.leavesOut.contains(.vbd) {
            for vbd in reader.rows(VBD.self, where: VBD.vm, is: ref) {
                add(vbd)
                if !vbd[VBD.empty] { take(disk: vbd[VBD.vdi]) }
            }
        }
        if options.keepsPowerState, vm[VM.powerState] == .suspended { take(disk: vm[VM.suspendVDI]) }
        for host in [vm[VM.residentOn], vm[VM.affinity]] { add(reader.row(host)) }
        add(reader.row(vm[VM.suspendSR]))
        guard withSnapshots else { return }
        for snapshot in reader.rows(VM.self, where: VM.snapshotOf, is: ref) { take(snapshot, withSnapshots: false) }
        if let parent = reader.row(vm[VM.parent]) { take(parent, withSnapshots: false) }
    }

    private mutating func take(disk: Ref<VDI>) {
        var next = reader.row(disk)
        while let row = next, add(row) {
            add(reader.row(row[VDI.sr]))
            next =
                options.includesBases
                ? row[VDI.smConfig]["vhd-parent"].flatMap { reader.find(VDI.self, uuid: $0) } : nil
        }
    }

    // MARK: - What is said

    private func object(_ row: Row) -> MachineDocument.Object {
        let declared = Datamodel.all.classNamed(row.className)?.recordFields ?? []
        var members: [WireMember] = []
        for field in declared {
            members.append(WireMember(field.name, value(of: field, row).wire))
        }
        return MachineDocument.Object(
            className: row.className, id: ids[row.ref] ?? "", fields: .structure(members))
    }

    private func value(of field: FieldDeclaration, _ row: Row) -> APIValue {
        let standard = row.schema.field(field.name)?.standard ?? .void
        switch (row.className, field.name) {
        case (_, "allowed_operations"), (_, "current_operations"): return standard
        case ("host", _) where !Self.saidOfHosts.contains(field.name): return standard
        case ("VM", "power_state") where !options.keepsPowerState:
            return VMPowerState.halted.apiValue
        case ("VM", "suspend_VDI") where !options.keepsPowerState: return .nullRef
        case ("VBD", "currently_attached") where !options.keepsPowerState,
            ("VIF", "currently_attached") where !options.keepsPowerState:
            return .bool(false)
        case ("VBD", "currently_attached") where SuspendedGuest.isKnown(toHave: row, reader): return .bool(true)
        case ("VM", let name) where !options.includesSnapshots && Self.saidOfSnapshots.contains(name): return standard
        case ("VDI", "other_config"):
            return Self.mapped(row[VDI.otherConfig], to: options.disks[row.typedRef(VDI.self)])
        case ("VIF", "other_config"):
            return Self.mapped(row[VIF.otherConfig], to: options.interfaces[row.typedRef(VIF.self)])
        default: return portable(row[field: field.name], field.type)
        }
    }

    private static let saidOfHosts: Set<String> = [
        "uuid", "name_label", "name_description", "hostname", "address", "API_version_major", "API_version_minor",
        "API_version_vendor",
    ]
    private static let saidOfSnapshots: Set<String> = [
        "is_a_snapshot", "snapshot_of", "snapshots", "snapshot_time", "transportable_snapshot_id", "parent",
        "snapshot_info", "snapshot_metadata",
    ]

    private static func mapped(_ entries: [String: String], to target: String?) -> APIValue {
        var entries = entries
        entries[mapKey] = target
        return entries.apiValue
    }

    /// References as the document has them; null, or left out of a set, when it does not have the object.
    private func portable(_ value: APIValue, _ type: ModelType) -> APIValue {
        switch (type, value) {
        case (.ref, .ref(let ref)): ids[ref].map(APIValue.ref) ?? .nullRef
        case (.set(.ref), .set(let refs)):
            .set(
                refs.compactMap {
                    guard case .ref(let ref) = $0 else { return nil }
                    return ids[ref].map(APIValue.ref)
                })
        case (.map(_, .ref), _), (.map(.ref, _), _): .map([:])
        default: value
        }
    }
}
