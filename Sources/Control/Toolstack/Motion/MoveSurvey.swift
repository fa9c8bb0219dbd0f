import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface
import StorageMotion

/// A disk that somebody wants to move, as a call names it.
struct WantedMove: Sendable {
    var vdi: Ref<VDI>
    var role: DiskToMove.Role = .disk
    /// Nil: the caller did not say.
    var destination: Ref<SR>?
    /// What was written for its format.
    var choice: String = ""
}

/// A disk with everything that is decided about it.
struct SurveyedMove: Sendable {
    let row: Row
    let decision: MoveDecision
    /// Those that go with it, oldest first.
    let snapshots: [Row]
    /// The images that the disk and its snapshots consist of, each once: location → bytes.
    let images: [String: UInt64]
    let motion: DiskMotion

    var vdi: Ref<VDI> { row.typedRef(VDI.self) }
}

/// Gathers what the rules of moves need to know, asks them, and turns their answer into motions. Nothing is changed.
struct MoveSurvey: Sendable {
    let context: StorageContext
    /// Destinations whose SRs are not plugged here, and will be before the move, are no reason against it; how much room
    /// they have is not known.
    var mayBeUnplugged = false

    /// Every wanted move with its decision, or the API's error for the first thing that speaks against one.
    /// - Parameter bytesPerSecond: what each copy may move; 0: no limit.
    func decide(_ wanted: [WantedMove], bytesPerSecond: UInt64 = 0) async throws -> [SurveyedMove] {
        try await decideWithRoom(wanted, bytesPerSecond: bytesPerSecond).moves
    }

    /// The same, with what is to be looked at again when the moves are noted.
    func decideWithRoom(
        _ wanted: [WantedMove], bytesPerSecond: UInt64 = 0
    ) async throws -> (moves: [SurveyedMove], room: DecidedRoom) {
        var rows: [Row] = []
        for move in wanted { rows.append(try context.row(move.vdi)) }
        if let unmapped = wanted.first(where: { $0.destination == nil }) {
            throw APIError("VDI_NOT_IN_MAP", unmapped.vdi.opaque)
        }
        // First what the rows say, without a question to any driver.
        var repositories: [String: RepositoryFacts] = [:]
        for (move, row) in zip(wanted, rows) {
            // The source last: it must be plugged, whatever it is to others.
            for (sr, isSource) in [(move.destination ?? .null, false), (row[VDI.sr], true)] {
                let attached = try context.attached(sr, evenUnplugged: mayBeUnplugged && !isSource)
                repositories[sr.opaque] = context.facts(attached, free: nil)
            }
        }
        let disks = zip(wanted, rows).map { disk($1, $0) }
        let first = try decide(disks, repositories)
        var families: [Family] = []
        for (decision, row) in zip(first, rows) {
            families.append(decision.stays ? Family(row) : try await family(of: row, decision, repositories))
        }
        for sr in Set(first.filter { !$0.stays }.map(\.destination)) {
            repositories[sr] = try await withSpace(Ref(sr))
        }
        var all: [DiskToMove] = []
        for (disk, family) in zip(disks, families) {
            var disk = disk
            disk.leastBytes = family.leastBytes
            all.append(disk)
        }
        let members = zip(first, families).flatMap { decision, family in
            family.snapshots.map { snapshot in
                // One format for a disk and all that goes with it: the decided one.
                disk(
                    snapshot,
                    WantedMove(
                        vdi: snapshot.typedRef(VDI.self), role: .snapshot, destination: Ref(decision.destination),
                        choice: decision.outcome.format?.rawValue ?? ""))
            }
        }
        let decisions: [MoveDecision]
        let room: DecidedRoom
        do {
            (decisions, room) = try await RoomSurvey(context: context).decide(
                all + members, repositories, mayWait: true)
        } catch let refusal as MoveRefusal {
            throw ErrorMapping.api(refusal)
        }
        var rest = decisions.dropFirst(rows.count)
        var surveyed: [SurveyedMove] = []
        for (index, row) in rows.enumerated() {
            let family = families[index]
            let own = Array(rest.prefix(family.snapshots.count))
            rest = rest.dropFirst(family.snapshots.count)
            surveyed.append(
                SurveyedMove(
                    row: row, decision: decisions[index], snapshots: family.snapshots, images: family.images,
                    motion: Self.motion(row, decisions[index], family, own, bytesPerSecond)))
        }
        return (surveyed, room)
    }

    private func decide(
        _ disks: [DiskToMove], _ repositories: [String: RepositoryFacts]
    ) throws(APIError) -> [MoveDecision] {
        do throws(MoveRefusal) {
            return try MoveRules.decide(disks, repositories: repositories)
        } catch {
            throw ErrorMapping.api(error)
        }
    }

    private func withSpace(_ sr: Ref<SR>) async throws -> RepositoryFacts {
        let attached = try context.attached(sr, evenUnplugged: mayBeUnplugged)
        if context.isUnplugged(sr) { return context.facts(attached, free: nil) }
        return try await context.factsWithSpace(attached)
    }

    private func disk(_ row: Row, _ wanted: WantedMove) -> DiskToMove {
        var disk = DiskToMove(
            ref: row.ref, role: wanted.role, source: row[VDI.sr].opaque, destination: wanted.destination?.opaque,
            choice: wanted.choice, size: UInt64(clamping: row[VDI.virtualSize]),
            format: StorageContext.declaredFormat(row))
        disk.tracksChanges = row[VDI.cbtEnabled] && !logsCanMove(from: row[VDI.sr], to: wanted.destination)
        disk.isEncrypted = row[VDI.smConfig]["key_hash"] != nil
        disk.resetsOnBoot = row[VDI.onBoot] == .reset
        return disk
    }

    /// Both sides keep logs of changed blocks that can be read.
    private func logsCanMove(from source: Ref<SR>, to destination: Ref<SR>?) -> Bool {
        [source, destination ?? .null].allSatisfy { sr in
            (try? context.attached(sr, evenUnplugged: mayBeUnplugged)).map { ChangeLogs.keeper($0) != nil } ?? false
        }
    }

    // MARK: A disk and its snapshots

    /// A disk, the snapshots that go with it, and what they consist of.
    private struct Family {
        let row: Row
        var snapshots: [Row] = []
        var images: [String: UInt64] = [:]
        var leastBytes: UInt64 = 0
        var tree = SnapshotTree(SnapshotTree.Node(uuid: "", time: 0, size: 0, images: []), snapshots: [])
        /// The destination can hold them as they are here: one on the other.
        var shares = false

        init(_ row: Row) { self.row = row }
    }

    /// The snapshots in the disk's own SR. What is only a log of changed blocks stays where it is.
    static func snapshots(of row: Row, in reader: any DatabaseReader) -> [Row] {
        let ref = row.typedRef(VDI.self)
        return reader.rows(VDI.self) {
            $0[VDI.snapshotOf] == ref && $0[VDI.sr] == row[VDI.sr] && $0[VDI.managed] && $0[VDI.isASnapshot]
                && $0[VDI.type] != .cbtMetadata
        }.sorted { ($0[VDI.snapshotTime].seconds, $0.ref) < ($1[VDI.snapshotTime].seconds, $1.ref) }
    }

    private func family(
        of row: Row, _ decision: MoveDecision, _ repositories: [String: RepositoryFacts]
    ) async throws -> Family {
        var family = Family(row)
        family.snapshots = context.database.read { Self.snapshots(of: row, in: $0) }
        let source = try context.attached(row[VDI.sr])
        var nodes: [SnapshotTree.Node] = []
        var least: UInt64 = 0
        for member in family.snapshots + [row] {
            let chain: [Volume]
            do {
                chain = try await source.manager.chain(source.repository, StorageContext.volume(member))
            } catch {
                throw ErrorMapping.api(error, sr: source.ref, vdi: member.typedRef(VDI.self))
            }
            let size = UInt64(clamping: member[VDI.virtualSize])
            let own = context.leastContent(of: chain, size: size, in: source)
            least = max(least, own)
            // Drivers may say what they like.
            let (sum, isTooMuch) = family.leastBytes.addingReportingOverflow(own)
            family.leastBytes = isTooMuch ? .max : sum
            for volume in chain { family.images[volume.location] = min(volume.physicalSize, volume.virtualSize) }
            nodes.append(
                SnapshotTree.Node(
                    uuid: member[VDI.uuid], time: member[VDI.snapshotTime].seconds, size: size,
                    images: chain.map(\.location)))
        }
        let info = repositories[decision.destination]?.manager.info
        // What third-party drivers clone is theirs to arrange; raw images hold no differences.
        family.shares =
            decision.outcome.format != nil && decision.outcome.format != .raw && info?.writesRows == false
            && info?.features["VDI_CLONE"] != nil
        if family.shares { family.leastBytes = least }
        if let disk = nodes.last { family.tree = SnapshotTree(disk, snapshots: Array(nodes.dropLast())) }
        return family
    }

    private static func motion(
        _ row: Row, _ decision: MoveDecision, _ family: Family, _ members: [MoveDecision], _ bytesPerSecond: UInt64
    ) -> DiskMotion {
        let format = decision.outcome.format?.rawValue ?? ""
        let pairs = zip(family.snapshots, members).map { ($0[VDI.uuid], ($0, $1.outcome.size)) }
        let known = Dictionary(pairs) { first, _ in first }
        let snapshots = family.tree.steps.dropLast().compactMap { step -> MovingSnapshot? in
            guard let (snapshot, size) = known[step.node.uuid] else { return nil }
            return MovingSnapshot(
                sourceUUID: step.node.uuid, sourceRef: snapshot.ref, sourceLocation: snapshot[VDI.location],
                destinationUUID: Fresh.uuid(), destinationRef: Fresh.ref(VDI.self).opaque, format: format, size: size,
                base: family.shares ? step.base : nil)
        }
        var motion = DiskMotion(
            id: Fresh.uuid(), sourceUUID: row[VDI.uuid], sourceRef: row.ref, sourceSR: row[VDI.sr].opaque,
            sourceLocation: row[VDI.location], destinationUUID: Fresh.uuid(),
            destinationRef: Fresh.ref(VDI.self).opaque, destinationSR: decision.destination, format: format,
            size: decision.outcome.size, bytesPerSecond: bytesPerSecond, snapshots: snapshots,
            base: family.shares ? family.tree.steps.last?.base : nil)
        motion.room = MoveRules.room(of: [decision] + members)
        return motion
    }
}

extension ErrorMapping {
    /// VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION [vdi]. XenAPI declares it without a parameter, and its moves name the disk.
    static func resetsOnBoot(_ disk: String) -> APIError {
        APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", disk)
    }

    /// What speaks against a move. Source: the errors of VM.migrate_send and VDI.pool_migrate.
    static func api(_ refusal: MoveRefusal) -> APIError {
        switch refusal {
        case .notInMap(let disk): APIError("VDI_NOT_IN_MAP", disk)
        case .repository(let sr, let features):
            APIError("SR_DOES_NOT_SUPPORT_MIGRATION", sr, features.joined(separator: ", "))
        case .tracksChanges(let disk): APIError("VDI_CBT_ENABLED", disk)
        case .encrypted(let disk): APIError("VDI_IS_ENCRYPTED", disk)
        case .resetsOnBoot(let disk): resetsOnBoot(disk)
        case .format(let refusal, let disk, let uuid, let supported):
            api(refusal, vdi: Ref(disk), srUUID: uuid, supported: supported.map(\.rawValue))
        case .full(let uuid, let needed, let free, 0):
            full("the disks take at least \(needed) bytes, and the SR \(uuid) has \(free) free")
        case .full(let uuid, let needed, let free, let reserved):
            full(
                "the disks take at least \(needed) bytes, and the SR \(uuid) has \(free) free, of which moves under way take "
                    + "\(reserved): wait for these (VM.get_peer_moves lists those from and to other pools)")
        }
    }
}
