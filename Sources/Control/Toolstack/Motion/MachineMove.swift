import APITypes
import PoolDatabase
import StorageMotion

/// What VM.migrate_send and VM.assert_can_migrate are asked, and what it means for the disks. Within one host the machine
/// stays where it is, and its disks pivot in place: no second machine, no memory for one, whatever its power state.
struct MachineMove: Sendable {
    let vm: Ref<VM>
    /// What host.migrate_receive answered.
    let destination: [String: String]
    let disks: [Ref<VDI>: Ref<SR>]
    let networks: [Ref<VIF>: Ref<Network>]
    let options: [String: String]
    let formats: [Ref<VDI>: String]
    var gpus: [Ref<VGPU>: Ref<GPUGroup>] = [:]

    init(_ arguments: Arguments) throws(APIError) {
        vm = try arguments.get(0)
        destination = try arguments.get(1)
        disks = try arguments.get(3)
        networks = try arguments.get(4)
        options = try arguments.get(5)
        gpus = arguments.values.count > 6 ? try arguments.get(6) : [:]
        formats = arguments.values.count > 7 ? try arguments.get(7) : [:]
    }

    init(
        vm: Ref<VM>, destination: [String: String], disks: [Ref<VDI>: Ref<SR>], networks: [Ref<VIF>: Ref<Network>],
        options: [String: String], formats: [Ref<VDI>: String]
    ) {
        self.vm = vm
        self.destination = destination
        self.disks = disks
        self.networks = networks
        self.options = options
        self.formats = formats
    }

    /// The moves of the machine's disks, in XenAPI's order of checks as far as the rows tell. Those of its snapshots go with
    /// the disks that they are of; others stay where they are, unless the map names them.
    func wanted(_ reader: any DatabaseReader, host: Ref<Host>) throws -> [WantedMove] {
        let row = try reader.require(vm)
        try OperationClaim.vm(vm, .migrateSend).check(reader)
        try checkDestination(reader, host: host)
        var moves: [WantedMove] = []
        for (vdi, isWritten) in Self.disks(of: vm, reader) {
            guard let sr = disks[vdi] else { throw APIError("VDI_NOT_IN_MAP", vdi.opaque) }
            moves.append(
                WantedMove(
                    vdi: vdi, role: isWritten ? .disk : .readOnly, destination: sr, choice: formats[vdi] ?? ""))
        }
        try checkOptions()
        if !networks.isEmpty {
            throw APIError(
                "OPERATION_NOT_ALLOWED", "within a pool the networks of a VM stay as they are: give no VIF map")
        }
        let suspended = row[VM.suspendVDI]
        if !suspended.isNull, let sr = disks[suspended] {
            moves.append(
                WantedMove(vdi: suspended, role: .suspendImage, destination: sr, choice: formats[suspended] ?? ""))
        }
        moves += try strays(reader, besides: moves)
        try checkKeys(reader, besides: moves)
        return moves
    }

    /// The disks in the drives of a machine, each once, and whether one of them may write it. CDs never move.
    static func disks(of vm: Ref<VM>, _ reader: any DatabaseReader) -> [(vdi: Ref<VDI>, isWritten: Bool)] {
        var found: [(vdi: Ref<VDI>, isWritten: Bool)] = []
        let drives = reader.rows(VBD.self) { $0[VBD.vm] == vm && !$0[VBD.empty] && $0[VBD.type] != .cd }
        for drive in drives.sorted(by: { ($0[VBD.userdevice], $0.ref) < ($1[VBD.userdevice], $1.ref) }) {
            let (vdi, isWritten) = (drive[VBD.vdi], drive[VBD.mode] == .rw)
            if let index = found.firstIndex(where: { $0.vdi == vdi }) {
                found[index].isWritten = found[index].isWritten || isWritten
            } else {
                found.append((vdi, isWritten))
            }
        }
        return found
    }

    /// The disks of the machine's snapshots that go with no disk of its own, and the memories of its checkpoints, where the map names
    /// them.
    private func strays(_ reader: any DatabaseReader, besides moves: [WantedMove]) throws -> [WantedMove] {
        let destinations = Dictionary(moves.map { ($0.vdi, $0.destination) }) { first, _ in first }
        var strays: [WantedMove] = []
        for snapshot in reader.rows(VM.self, where: { $0[VM.snapshotOf] == vm }) {
            if let image = MachineMemory(of: snapshot, reader)?.image, let sr = disks[image] {
                strays.append(
                    WantedMove(vdi: image, role: .suspendImage, destination: sr, choice: formats[image] ?? ""))
            }
            for (vdi, _) in Self.disks(of: snapshot.typedRef(VM.self), reader) {
                guard destinations[vdi] == nil, let sr = disks[vdi], !strays.contains(where: { $0.vdi == vdi }) else {
                    continue
                }
                let row = try reader.require(vdi)
                let origin = row[VDI.snapshotOf]
                if let leading = destinations[origin] ?? nil, reader.row(origin)?[VDI.sr] == row[VDI.sr] {
                    if leading == sr { continue }
                    throw APIError(
                        "OPERATION_NOT_ALLOWED", "the snapshot \(vdi.opaque) moves with its disk \(origin.opaque)")
                }
                strays.append(WantedMove(vdi: vdi, role: .snapshot, destination: sr, choice: formats[vdi] ?? ""))
            }
        }
        return strays
    }

    private func checkDestination(_ reader: any DatabaseReader, host: Ref<Host>) throws {
        guard let named = destination["host"] else {
            throw APIError("INVALID_VALUE", "dest", "it has no host: give what host.migrate_receive answered")
        }
        if let session = destination["session_id"], reader.row(Ref<Host>(named)) != nil,
            reader.row(Ref<Session>(session)) == nil
        {
            throw MigrationTokens.isOver(at: "this host")
        }
        guard reader.row(Ref<Host>(named)) != nil else {
            // Those of other pools have gone another way.
            throw APIError("INVALID_VALUE", "dest", "give all that host.migrate_receive answered")
        }
        guard named == host.opaque else {
            let versions = try [Ref<Host>(named), host].map { try reader.require($0)[Host.softwareVersion] }
            if SoftwareOrder.isOlder(versions[0], than: versions[1]) {
                throw APIError("NOT_SUPPORTED_DURING_UPGRADE")
            }
            throw APIError("NOT_IMPLEMENTED", "VM.migrate_send to another host of the pool")
        }
    }

    var isCopy: Bool { options["copy"].flatMap(MirrorWishes.boolean) == true }
    var isForced: Bool { options["force"].flatMap(MirrorWishes.boolean) == true }

    /// Whether a guest's memory is compressed on its way to another pool: as the options say, else as the pool has it.
    static func compresses(_ options: [String: String], _ reader: any DatabaseReader) -> Bool {
        options["compress"].flatMap(MirrorWishes.boolean) ?? reader.rows(Pool.self).first?[Pool.migrationCompression]
            ?? false
    }

    /// INVALID_VALUE [name, text] for an option that is neither true nor false.
    func checkWords() throws(APIError) {
        for name in ["copy", "force", "compress"] {
            guard let text = options[name], MirrorWishes.boolean(text) == nil else { continue }
            throw APIError("INVALID_VALUE", name, text)
        }
    }

    private func checkOptions() throws {
        try checkWords()
        if isCopy {
            throw APIError("OPERATION_NOT_ALLOWED", "a VM cannot be copied to the pool that it is in: use VM.copy")
        }
    }
}
