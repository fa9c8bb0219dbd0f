import APITypes
import MetricArchives
import PoolDatabase

/// What there is to look at now, from the rows. Reads only what belongs to this host: its cost does not grow with the
/// number of halted VMs or idle disks.
struct Scene {
    struct Machine: Sendable {
        let uuid: String
        let name: String
        let vcpus: Int
        let memory: Int64
        let disks: [(device: String, vdi: String)]
    }

    struct Repository: Sendable {
        let ref: Ref<SR>
        let uuid: String
        let name: String
        let size: Int64
        let utilisation: Int64
    }

    let hostname: String
    let hostUUID: String
    let interfaces: [String]
    let machines: [Machine]
    let repositories: [Repository]
    private let database: PoolDatabase

    init(_ database: PoolDatabase, host: Ref<Host>) {
        self.database = database
        let row = database.read { $0.row(host) }
        hostname = row?[Host.hostname] ?? ""
        hostUUID = row?[Host.uuid] ?? ""
        (interfaces, machines, repositories) = database.read { reader -> ([String], [Machine], [Repository]) in
            let interfaces = (row?[Host.pifs] ?? []).compactMap { reader.row($0)?[PIF.device] }.sorted()
            let machines = (row?[Host.residentVMs] ?? []).compactMap { reader.row($0) }
                .filter { !$0[VM.isControlDomain] && $0[VM.powerState] != .halted }.map { vm in
                    let disks = vm[VM.vbds].compactMap { ref -> (device: String, vdi: String)? in
                        guard let vbd = reader.row(ref), vbd[VBD.currentlyAttached],
                            let vdi = reader.row(vbd[VBD.vdi])
                        else { return nil }
                        return (vbd[VBD.device], vdi[VDI.uuid])
                    }
                    return Machine(
                        uuid: vm[VM.uuid], name: vm[VM.nameLabel], vcpus: Int(max(1, vm[VM.vcpusAtStartup])),
                        memory: HostMemory.configured(vm), disks: disks)
                }
            let repositories = (row?[Host.pbds] ?? []).compactMap { reader.row($0) }
                .filter { $0[PBD.currentlyAttached] }.compactMap { reader.row($0[PBD.sr]) }.map { sr in
                    Repository(
                        ref: sr.typedRef(SR.self), uuid: sr[SR.uuid], name: sr[SR.nameLabel], size: sr[SR.physicalSize],
                        utilisation: sr[SR.physicalUtilisation])
                }
            return (interfaces, machines, repositories)
        }
    }

    /// The owner has a row.
    func exists(_ owner: MetricOwner) -> Bool {
        database.read { reader in
            switch owner {
            case .host(let uuid): uuid == hostUUID
            case .vm(let uuid): reader.find(VM.self, uuid: uuid) != nil
            case .sr(let uuid): reader.find(SR.self, uuid: uuid) != nil
            }
        }
    }
}
