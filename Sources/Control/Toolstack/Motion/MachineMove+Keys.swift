import APITypes
import PoolDatabase

/// What the maps of a move may name besides the disks that go.
extension MachineMove {
    /// A key that says where something is to go that does not go with the machine is a mistake that nobody would notice: it is refused,
    /// unless it is one that XenAPI's own clients send without being asked (the disc in a CD drive, a disk of a snapshot that a copy
    /// goes without), or says no more than that the disk stays where it is.
    ///
    /// HANDLE_INVALID [VDI, vdi] for none at all, VDI_NOT_IN_MAP [vdi] for a format without a place, OPERATION_NOT_ALLOWED [text]; of the GPU
    /// map HANDLE_INVALID [VGPU, vgpu] and OPERATION_NOT_ALLOWED [text].
    func checkKeys(_ reader: any DatabaseReader, besides moves: [WantedMove]) throws {
        let going = Set(moves.map(\.vdi))
        let keys = Set(disks.keys).union(formats.keys).subtracting(going)
        if !keys.isEmpty {
            let own = belongings(reader)
            for vdi in keys.sorted(by: { $0.opaque < $1.opaque }) {
                let row = try reader.require(vdi)
                guard let sr = disks[vdi] else { throw APIError("VDI_NOT_IN_MAP", vdi.opaque) }
                if own.contains(vdi) || sr == row[VDI.sr] && formats[vdi, default: ""].isEmpty { continue }
                throw APIError(
                    "OPERATION_NOT_ALLOWED",
                    "the map names \(vdi.opaque), which is no disk of the VM or of its snapshots and does not go with it: leave it out"
                )
            }
        }
        for gpu in gpus.keys.sorted(by: { $0.opaque < $1.opaque }) {
            _ = try reader.require(gpu)
            throw APIError("OPERATION_NOT_ALLOWED", "virtual GPUs do not move: give no map of them")
        }
    }

    /// Everything in the drives of the machine and its snapshots, discs included, and their memories.
    private func belongings(_ reader: any DatabaseReader) -> Set<Ref<VDI>> {
        let machines = reader.rows(VM.self) { $0.ref == vm.opaque || $0[VM.snapshotOf] == vm }
        let owners = Set(machines.map { $0.typedRef(VM.self) })
        let drives = reader.rows(VBD.self) { owners.contains($0[VBD.vm]) && !$0[VBD.empty] }
        return Set(drives.map { $0[VBD.vdi] }).union(machines.map { $0[VM.suspendVDI] })
    }
}
