import APITypes
import PoolDatabase

/// An operation that somebody wants to begin on an object.
enum OperationClaim: Sendable {
    case vm(Ref<VM>, VMOperations)
    /// Claims what it is to the SR of the VDI too.
    case vdi(Ref<VDI>, VDIOperations)
    /// Other content for the VDI: entered as `update`, and refused to a read-only disk and to one that a suspended VM has.
    case overwrite(Ref<VDI>)
    case vbd(Ref<VBD>, VBDOperations)
    case sr(Ref<SR>, StorageOperations)
    case host(Ref<Host>, HostAllowedOperations)
    /// A VM of the host starts again there: entered as `VM_start`, yet a disabled host goes on with the VMs that it has.
    case restart(Ref<Host>)
    /// A guest that has ended to boot again is started again: entered as `start`, yet beside a move of the VM's disks, as a
    /// clean reboot is.
    case bootAgain(Ref<VM>)

    /// An operation on one object, as its row shows it.
    struct Entry: Sendable, Hashable {
        let className: String
        let ref: String
        let operation: String
    }

    /// Throws what speaks against the operation: HANDLE_INVALID [class, ref] for an object that is gone, then the rules'
    /// errors. The SR of a VDI comes before the VDI, as in XenAPI.
    func check(_ reader: any DatabaseReader) throws(APIError) {
        var facts = OperationFacts(reader)
        let refusal: APIError?
        switch self {
        case .vm(let ref, let operation):
            refusal = VMOperationRules.refusal(of: operation, facts.vm(try reader.require(ref)))
        case .vdi(let ref, let operation):
            let row = try reader.require(ref)
            if let wider = SROperationRules.operation(of: operation), reader.row(row[VDI.sr]) != nil {
                try OperationClaim.sr(row[VDI.sr], wider).check(reader)
            }
            refusal = VDIOperationRules.refusal(of: operation, facts.vdi(row))
        case .overwrite(let ref):
            refusal = VDIOperationRules.refusal(ofOverwriting: facts.vdi(try reader.require(ref)))
        case .vbd(let ref, let operation):
            refusal = VBDOperationRules.refusal(of: operation, facts.vbd(try reader.require(ref)), isCall: true)
        case .sr(let ref, let operation):
            refusal = SROperationRules.refusal(of: operation, facts.sr(try reader.require(ref)))
        case .host(let ref, let operation):
            refusal = HostOperationRules.refusal(of: operation, facts.host(try reader.require(ref)))
        case .bootAgain(let ref):
            var machine = facts.vm(try reader.require(ref))
            machine.current.removeAll { $0.operation == .migrateSend }
            refusal = VMOperationRules.refusal(of: .start, machine)
        case .restart(let ref):
            var host = facts.host(try reader.require(ref))
            host.isEnabled = true
            refusal = HostOperationRules.refusal(of: .vmStart, host)
        }
        if let refusal { throw refusal }
    }

    /// What it is entered as.
    func entries(_ reader: any DatabaseReader) -> [Entry] {
        switch self {
        case .vm(let ref, let operation): [entry(ref, operation)]
        case .vbd(let ref, let operation): [entry(ref, operation)]
        case .sr(let ref, let operation): [entry(ref, operation)]
        case .host(let ref, let operation): [entry(ref, operation)]
        case .overwrite(let ref): [entry(ref, VDIOperations.update)]
        case .bootAgain(let ref): [entry(ref, VMOperations.start)]
        case .restart(let ref): [entry(ref, HostAllowedOperations.vmStart)]
        case .vdi(let ref, let operation):
            if let wider = SROperationRules.operation(of: operation), let sr = reader.row(ref)?[VDI.sr] {
                [entry(sr, wider), entry(ref, operation)]
            } else {
                [entry(ref, operation)]
            }
        }
    }

    private func entry<C: XenClass>(_ ref: Ref<C>, _ operation: some APIEnumeration) -> Entry {
        Entry(className: C.className, ref: ref.opaque, operation: operation.rawValue)
    }
}
