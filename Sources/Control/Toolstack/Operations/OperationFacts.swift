import APITypes
import PoolDatabase

/// Reads from the rows what the rules need to know.
struct OperationFacts {
    let reader: any DatabaseReader
    /// What is known of SRs by now: thousands of VDIs may ask for the same one.
    private var repositories: [String: VDIRepositoryFacts] = [:]

    init(_ reader: any DatabaseReader) { self.reader = reader }

    func vm(_ row: Row) -> VMOperationFacts {
        let platform = row[VM.platform]
        let isImmobile = ["nomigrate", "nested-virt"].contains { ["true", "1"].contains(platform[$0] ?? "") }
        return VMOperationFacts(
            ref: row.ref, powerState: row[VM.powerState],
            // Snapshots are templates, too, with rules of their own.
            isTemplate: row[VM.isATemplate] && !row[VM.isASnapshot],
            isDefaultTemplate: row[VM.isDefaultTemplate], isSnapshot: row[VM.isASnapshot],
            isControlDomain: row[VM.isControlDomain], isImmobile: isImmobile,
            writesToResetDisk: [.running, .paused].contains(row[VM.powerState]) && writesToResetDisk(row),
            mayCopySuspended: row[VM.isASnapshot] || poolCopiesSuspended,
            blocked: row[VM.blockedOperations],
            current: CurrentOperation.read(row[VM.currentOperations]))
    }

    mutating func vdi(_ row: Row) -> VDIOperationFacts {
        let vbds = Self.isEmpty(VDI.vbds, of: row) ? [] : vbds(of: row)
        let busy = vbds.first { !Self.isEmpty(VBD.currentOperations, of: $0) }
        return VDIOperationFacts(
            ref: row.ref, type: row[VDI.type], isManaged: row[VDI.managed], isReadOnly: row[VDI.readOnly],
            isSharable: row[VDI.sharable], isSnapshot: row[VDI.isASnapshot], hasChangeTracking: row[VDI.cbtEnabled],
            resetsOnBoot: row[VDI.onBoot] == .reset, isEncrypted: Self.has("key_hash", in: VDI.smConfig, of: row),
            current: Self.isEmpty(VDI.currentOperations, of: row)
                ? [] : CurrentOperation.read(row[VDI.currentOperations]),
            users: vbds.filter(Self.isUsing).map { $0[VBD.mode] },
            isOfSuspendedVM: vbds.contains { isOfSuspendedVM($0) } || isMemory(row),
            checkpoint: checkpoint(of: vbds),
            busyVBD: busy.flatMap { vbd in
                CurrentOperation.read(vbd[VBD.currentOperations]).first.map { (vbd.ref, $0) }
            },
            repository: repository(of: row))
    }

    func vbd(_ row: Row) -> VBDOperationFacts {
        let vm = reader.row(row[VBD.vm])
        let vdi = row[VBD.empty] ? nil : reader.row(row[VBD.vdi])
        return VBDOperationFacts(
            ref: row.ref, type: row[VBD.type], mode: row[VBD.mode], isUnpluggable: row[VBD.unpluggable],
            isEmpty: row[VBD.empty], isAttached: Self.isUsing(row),
            current: CurrentOperation.read(row[VBD.currentOperations]),
            machine: VBDMachineFacts(
                ref: row[VBD.vm].opaque, powerState: vm?[VM.powerState] ?? .halted,
                isControlDomain: vm?[VM.isControlDomain] ?? false,
                current: vm.map { CurrentOperation.read($0[VM.currentOperations]) } ?? []),
            disk: vdi.map { disk($0, besides: row) })
    }

    /// A VDI that the VBD has, or is about to get.
    func disk(_ vdi: Row, besides vbd: Row) -> VBDDiskFacts {
        VBDDiskFacts(
            ref: vdi.ref, isManaged: vdi[VDI.managed], isReadOnly: vdi[VDI.readOnly],
            isSharable: vdi[VDI.sharable], isSnapshot: vdi[VDI.isASnapshot],
            current: CurrentOperation.read(vdi[VDI.currentOperations]),
            otherUsers: vbds(of: vdi)
                .filter { $0.ref != vbd.ref && (Self.isUsing($0) || isOfSuspendedVM($0, countsSnapshots: false)) }
                .map { $0[VBD.mode] } + (isMemory(vdi) ? [.rw] : []))
    }

    func sr(_ row: Row) -> SROperationFacts {
        let pbds = rows(PBD.self, "SR", row.ref)
        let isPlugged = pbds.contains { $0[PBD.currentlyAttached] }
        // Only where it decides: there may be very many disks.
        let holdsDisks =
            !isPlugged && !pbds.isEmpty
            && rows(VDI.self, "SR", row.ref).contains { $0[VDI.managed] && $0[VDI.type] != .rrd }
        return SROperationFacts(
            ref: row.ref, features: features(of: row[SR.type]), isTools: row[SR.isToolsSR], hasPBD: !pbds.isEmpty,
            isPlugged: isPlugged, holdsDisks: holdsDisks, current: CurrentOperation.read(row[SR.currentOperations]))
    }

    func pbd(_ row: Row) -> PBDOperationFacts {
        let isAttached = row[PBD.currentlyAttached]
        let used = isAttached ? usedDisk(of: row[PBD.sr]) : nil
        return PBDOperationFacts(repository: row[PBD.sr].opaque, isAttached: isAttached, usedDisk: used)
    }

    func host(_ row: Row) -> HostOperationFacts {
        HostOperationFacts(
            ref: row.ref, isEnabled: row[Host.enabled],
            current: CurrentOperation.read(row[Host.currentOperations]))
    }

    /// A VDI of the SR that somebody has attached, is about to, or works on.
    func usedDisk(of sr: Ref<SR>) -> String? {
        rows(VDI.self, "SR", sr.opaque).first { vdi in
            !vdi[VDI.currentOperations].isEmpty || vbds(of: vdi).contains(where: Self.isUsing)
        }?.ref
    }

    // MARK: Fields as they are stored: to make dictionaries of them for very many rows takes long

    private static func isEmpty<C, V>(_ key: FieldKey<C, V>, of row: Row) -> Bool {
        switch row[field: key.name] {
        case .map(let entries): entries.isEmpty
        case .set(let values): values.isEmpty
        default: false
        }
    }

    private static func has<C>(_ entry: String, in key: FieldKey<C, [String: String]>, of row: Row) -> Bool {
        if case .map(let entries) = row[field: key.name] { entries[entry] != nil } else { false }
    }

    // MARK: Around a row

    static func isUsing(_ vbd: Row) -> Bool { vbd[VBD.currentlyAttached] || vbd[VBD.reserved] }

    /// The VM will go on with what it has read and written there. One that is a checkpoint never does so itself: others may read
    /// its disks.
    private func isOfSuspendedVM(_ vbd: Row, countsSnapshots: Bool = true) -> Bool {
        guard let vm = reader.row(vbd[VBD.vm]), vm[VM.powerState] == .suspended else { return false }
        return countsSnapshots || !vm[VM.isASnapshot]
    }

    /// The one that is being made of a VM with one of the VBDs, and has the disk that is in it.
    private func checkpoint(of vbds: [Row]) -> (vm: String, operation: CurrentOperation<VMOperations>)? {
        for vbd in vbds where MachineCopy.holdsDisk(vbd) {
            guard let vm = reader.row(vbd[VBD.vm]), !Self.isEmpty(VM.currentOperations, of: vm) else { continue }
            let operations = CurrentOperation.read(vm[VM.currentOperations])
            if let found = operations.first(where: { $0.operation == .checkpoint }) { return (vm.ref, found) }
        }
        return nil
    }

    /// `pool.other_config` has it: XenAPI's own name.
    static let copiesSuspendedKey = "allow_clone_suspended_vm"

    private var poolCopiesSuspended: Bool {
        reader.rows(Pool.self).first?[Pool.otherConfig][Self.copiesSuspendedKey] == "true"
    }

    /// A suspended VM's guest is in it.
    private func isMemory(_ vdi: Row) -> Bool {
        vdi[VDI.type] == .suspend
            && rows(VM.self, "suspend_VDI", vdi.ref).contains { $0[VM.powerState] == .suspended }
    }

    private func writesToResetDisk(_ vm: Row) -> Bool {
        rows(VBD.self, "VM", vm.ref).contains { vbd in
            Self.isUsing(vbd) && vbd[VBD.mode] == .rw && reader.row(vbd[VBD.vdi])?[VDI.onBoot] == .reset
        }
    }

    func vbds(of vdi: Row) -> [Row] { rows(VBD.self, "VDI", vdi.ref) }

    private mutating func repository(of vdi: Row) -> VDIRepositoryFacts {
        let ref = vdi[VDI.sr]
        if let known = repositories[ref.opaque] { return known }
        let row = reader.row(ref)
        let facts = VDIRepositoryFacts(
            ref: ref.opaque, type: row?[SR.type] ?? "", isTools: row?[SR.isToolsSR] ?? false,
            isPlugged: rows(PBD.self, "SR", ref.opaque).contains { $0[PBD.currentlyAttached] },
            features: row.map { features(of: $0[SR.type]) } ?? [])
        repositories[ref.opaque] = facts
        return facts
    }

    /// What the storage manager of a type can do; nothing where there is none.
    private func features(of type: String) -> Set<String> {
        guard let manager = reader.rows(SM.self).first(where: { $0[SM.type] == type }) else { return [] }
        return Set(manager[SM.features].keys)
    }

    /// The rows whose `field` refers to `ref`; by an index where there is one.
    func rows<C: XenClass>(_ type: C.Type, _ field: String, _ ref: String) -> [Row] {
        reader.rows(className: C.className, field: field, equals: .ref(ref))
            ?? reader.rows(type).filter { $0[field: field] == .ref(ref) }
    }
}
