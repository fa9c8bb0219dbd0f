import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import StorageMotion

/// What the other side is told of a machine that is to go there.
extension DepartureSurvey {
    /// The snapshots' first, the oldest before what may stand on it, as the other side makes them.
    static func order(_ offered: [OfferedDisk], _ nodes: [String: SnapshotTree.Node]) -> [Int] {
        let snapshots = offered.indices.filter { offered[$0].isSnapshot }.sorted { a, b in
            guard let a = nodes[offered[a].vdi], let b = nodes[offered[b].vdi] else { return a < b }
            return a.age < b.age
        }
        return snapshots + offered.indices.filter { !offered[$0].isSnapshot }
    }

    /// What each disk has the most in common with, of those that are offered before it: a disk and its snapshots stand on each
    /// other, and are to do so there.
    static func connect(_ offered: inout [OfferedDisk], _ nodes: [String: SnapshotTree.Node]) {
        for disk in offered where !disk.isSnapshot {
            guard let own = nodes[disk.vdi] else { continue }
            let family = offered.filter { $0.snapshotOf == disk.vdi && $0.sr == disk.sr }.compactMap { nodes[$0.vdi] }
            for (node, base) in SnapshotTree(own, snapshots: family).steps {
                guard let base, let index = offered.firstIndex(where: { $0.vdi == node.uuid }) else { continue }
                offered[index].base = base
                // What it takes beyond its base is seen when it is read.
                offered[index].leastBytes = 0
            }
        }
    }

    func describe(
        _ wanted: WantedMove, _ row: Row
    ) async throws -> (disk: OfferedDisk, node: SnapshotTree.Node) {
        let attached = try context.attached(row[VDI.sr])
        let size = UInt64(clamping: row[VDI.virtualSize])
        let chain: [Volume]
        do {
            chain = try await attached.manager.chain(attached.repository, StorageContext.volume(row))
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: wanted.vdi)
        }
        let isSnapshot = wanted.role == .snapshot
        let disk = OfferedDisk(
            vdi: row.ref, row: RowDocument.encode(row), role: wanted.role.rawValue,
            sr: wanted.destination?.opaque ?? "", choice: wanted.choice, size: size,
            format: StorageContext.declaredFormat(row)?.rawValue,
            leastBytes: context.leastContent(of: chain, size: size, in: attached),
            snapshotOf: isSnapshot ? row[VDI.snapshotOf].opaque : nil,
            snapshotTime: isSnapshot ? row[VDI.snapshotTime].seconds : nil)
        let node = SnapshotTree.Node(
            uuid: row.ref, time: row[VDI.snapshotTime].seconds, size: size, images: chain.map(\.location))
        return (disk, node)
    }

    func makeOffer(_ id: String, _ disks: [OfferedDisk], _ reader: any DatabaseReader) throws -> MoveOffer {
        let row = try reader.require(move.vm)
        let snapshots = self.snapshots(reader)
        func parent(_ row: Row) -> String? { snapshots.first { $0.typedRef(VM.self) == row[VM.parent] }?.ref }
        var offer = MoveOffer(
            id: id, uuid: row[VM.uuid], isCopy: move.isCopy, isForced: move.isForced, machine: RowDocument.encode(row),
            drives: offeredDrives(move.vm, reader), interfaces: offeredInterfaces(move.vm, reader), disks: disks,
            origin: reader.row(context.host)?[APITypes.Host.nameLabel] ?? "")
        if row[VM.powerState] == .suspended { offer.guest = SuspendedGuest.of(move.vm, reader) }
        if snapshots.isEmpty { return offer }
        (offer.reference, offer.parent) = (row.ref, parent(row))
        offer.snapshots = snapshots.map { snapshot in
            let vm = snapshot.typedRef(VM.self)
            let memory = MachineMemory(of: snapshot, reader)
            return OfferedSnapshot(
                uuid: snapshot[VM.uuid], reference: snapshot.ref, row: RowDocument.encode(snapshot),
                time: snapshot[VM.snapshotTime].seconds, parent: parent(snapshot), drives: offeredDrives(vm, reader),
                interfaces: offeredInterfaces(vm, reader), image: memory?.image.opaque, guest: memory?.guest)
        }
        return offer
    }

    private func offeredDrives(_ vm: Ref<VM>, _ reader: any DatabaseReader) -> [OfferedDrive] {
        reader.rows(VBD.self) { $0[VBD.vm] == vm }
            .sorted { ($0[VBD.userdevice], $0.ref) < ($1[VBD.userdevice], $1.ref) }
            .map { drive in
                // What is in a CD drive is of this pool and stays.
                let disk = drive[VBD.type] == .cd || drive[VBD.empty] ? nil : drive[VBD.vdi].opaque
                return OfferedDrive(uuid: drive[VBD.uuid], row: RowDocument.encode(drive), disk: disk)
            }
    }

    private func offeredInterfaces(_ vm: Ref<VM>, _ reader: any DatabaseReader) -> [OfferedInterface] {
        interfaces(vm, reader).map { interface in
            OfferedInterface(
                uuid: interface[VIF.uuid], row: RowDocument.encode(interface),
                network: network(of: interface, reader)?.opaque ?? "")
        }
    }
}
