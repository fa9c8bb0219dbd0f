public import CoreTypes
public import StorageInterface

/// A disk that somebody wants to move, as its row shows it. References are those of the API.
public struct DiskToMove: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable {
        case disk
        case readOnly = "read-only disk"
        case snapshot
        case suspendImage = "suspend image"
    }

    public var ref: String
    public var role: Role
    /// Where it is.
    public var source: String
    /// Where it is to be; nil: nobody said.
    public var destination: String?
    /// What the caller wrote: a format, several in order of preference, or nothing.
    public var choice: String
    /// Virtual size, bytes.
    public var size: UInt64
    /// Nil: the driver does not say.
    public var format: ImageFormat?
    /// Bytes of content that it has at least (`LeastRoom.content`).
    public var leastBytes: UInt64
    /// Its changed blocks are tracked, in a log that cannot go where it is to go.
    public var tracksChanges = false
    public var isEncrypted = false
    public var resetsOnBoot = false

    public init(
        ref: String, role: Role = .disk, source: String, destination: String?, choice: String = "", size: UInt64,
        format: ImageFormat?, leastBytes: UInt64 = 0
    ) {
        self.ref = ref
        self.role = role
        self.source = source
        self.destination = destination
        self.choice = choice
        self.size = size
        self.format = format
        self.leastBytes = leastBytes
    }
}

/// An SR that disks come from or go to.
public struct RepositoryFacts: Sendable {
    public var uuid: String
    public var manager: any StorageManager
    /// Of what the manager declares, that which every host of the pool can do.
    public var promised: StorageManagerInfo
    /// The device_config of this host's PBD.
    public var configuration: [String: String]
    /// SR.sm_config.
    public var smConfig: [String: String]
    /// Nil: its driver does not say how large its storage is, and nothing can be promised.
    public var free: UInt64?
    /// What moves that were accepted before do to that room.
    public var claims = RoomClaims()

    /// - Parameter promised: nil: all that the manager declares.
    public init(
        uuid: String, manager: any StorageManager, configuration: [String: String], smConfig: [String: String] = [:],
        free: UInt64?, promised: StorageManagerInfo? = nil
    ) {
        self.uuid = uuid
        self.manager = manager
        self.promised = promised ?? manager.info
        self.configuration = configuration
        self.smConfig = smConfig
        self.free = free
    }

    /// Images of the format take all of their size when they are made: of our own managers raw ones where device_config says so,
    /// of third parties' all where sm_config does. Nil: the driver decides about the format.
    public func isThick(_ format: ImageFormat?) -> Bool {
        let allocation = manager.info.writesRows ? smConfig["allocation"] : configuration["allocation"]
        return allocation == "thick" && (manager.info.writesRows || format == .raw)
    }

    /// What an image of the format has allocated is what was written to it. A third party's driver says so by THIN_PROVISIONING.
    public func showsContent(_ format: ImageFormat?) -> Bool {
        !isThick(format) && (!manager.info.writesRows || manager.info.features["THIN_PROVISIONING"] != nil)
    }
}

/// What is decided about a disk.
public struct MoveDecision: Hashable, Sendable {
    public let disk: DiskToMove
    public let destination: String
    public let outcome: FormatDecision.Outcome
    /// It is where and what it is to be already.
    public let stays: Bool
    /// Bytes that its image takes at least (`LeastRoom`).
    public var room: UInt64 = 0
    /// There is no room for it yet, and may be once others that are under way have ended.
    public var waits = false
}

/// What speaks against a move; the toolstack knows the API's error for each.
public enum MoveRefusal: Error, Hashable, Sendable {
    /// Nobody said where the disk is to go.
    case notInMap(disk: String)
    /// The SR's driver cannot do what a move needs.
    case repository(String, lacks: [String])
    case tracksChanges(disk: String)
    case encrypted(disk: String)
    case resetsOnBoot(disk: String)
    case format(FormatDecision.Refusal, disk: String, repository: String, supported: [ImageFormat])
    /// The disks take at least `needed` bytes, and the SR with this uuid has `free`, of which moves that were accepted before
    /// take `reserved`.
    case full(repository: String, needed: UInt64, free: UInt64, reserved: UInt64 = 0)
}

/// The one decision about disks that move together, before anything is created: where each goes, in what format, and
/// whether anything speaks against it. The first of what does, in XenAPI's order of checks, is thrown.
///
/// XenAPI's servers need snapshots on both sides; a mirror needs none, so they are not asked for here.
public enum MoveRules {
    /// - Parameter repositories: every SR that a disk names, by reference.
    public static func decide(
        _ disks: [DiskToMove], repositories: [String: RepositoryFacts]
    ) throws(MoveRefusal) -> [MoveDecision] {
        for disk in disks where disk.destination == nil { throw .notInMap(disk: disk.ref) }
        let moving = disks.filter { !isLeftAlone($0) }
        for disk in moving { try checkFeatures(disk, repositories) }
        for disk in moving {
            if disk.tracksChanges { throw .tracksChanges(disk: disk.ref) }
            if disk.isEncrypted { throw .encrypted(disk: disk.ref) }
        }
        for disk in moving where disk.resetsOnBoot { throw .resetsOnBoot(disk: disk.ref) }
        var decisions: [MoveDecision] = []
        for disk in disks {
            if let decision = try decide(disk, repositories) { decisions.append(decision) }
        }
        let late = try checkSpace(decisions, repositories)
        for index in decisions.indices where !decisions[index].stays {
            decisions[index].waits = late.contains(decisions[index].destination)
        }
        return decisions
    }

    /// It is to stay in its SR, and nobody asked for a format.
    private static func isLeftAlone(_ disk: DiskToMove) -> Bool {
        disk.destination == disk.source && !disk.choice.contains { !$0.isWhitespace && $0 != "," }
    }

    private static func checkFeatures(
        _ disk: DiskToMove, _ repositories: [String: RepositoryFacts]
    ) throws(MoveRefusal) {
        if let source = repositories[disk.source], source.promised.features["VDI_MIRROR"] == nil {
            throw .repository(disk.source, lacks: ["VDI_MIRROR"])
        }
        guard let ref = disk.destination, let features = repositories[ref]?.promised.features else { return }
        var missing: [String] = []
        if features["VDI_CREATE"] == nil { missing.append("VDI_CREATE") }
        // Drivers of the older kind name one feature for both directions.
        if features["VDI_MIRROR_IN"] == nil, features["VDI_MIRROR"] == nil { missing.append("VDI_MIRROR_IN") }
        if !missing.isEmpty { throw .repository(ref, lacks: missing) }
    }

    private static func decide(
        _ disk: DiskToMove, _ repositories: [String: RepositoryFacts]
    ) throws(MoveRefusal) -> MoveDecision? {
        guard let ref = disk.destination, let destination = repositories[ref] else { return nil }
        if isLeftAlone(disk) {
            let outcome = FormatDecision.Outcome(format: disk.format, size: disk.size, reason: .source)
            return MoveDecision(disk: disk, destination: ref, outcome: outcome, stays: true)
        }
        let outcome: FormatDecision.Outcome
        do throws(FormatDecision.Refusal) {
            outcome = try FormatDecision.decide(
                choice: disk.choice, size: disk.size, source: disk.format, manager: destination.manager,
                configuration: destination.configuration, promised: destination.promised.supportedImageFormats)
        } catch {
            throw .format(
                error, disk: disk.ref, repository: destination.uuid,
                supported: destination.promised.supportedImageFormats)
        }
        let stays = ref == disk.source && outcome.format != nil && outcome.format == disk.format
        var decision = MoveDecision(disk: disk, destination: ref, outcome: outcome, stays: stays)
        if !stays {
            decision.room = LeastRoom.bytes(
                content: disk.leastBytes, size: outcome.size, format: outcome.format,
                isThick: destination.isThick(outcome.format))
        }
        return decision
    }

    /// Both images of a disk are there until the move is committed: what stays in its SR needs room there, too. A source needs none
    /// otherwise: nothing takes a snapshot of a disk to move it. Returns the SRs that are to be waited for.
    private static func checkSpace(
        _ decisions: [MoveDecision], _ repositories: [String: RepositoryFacts]
    ) throws(MoveRefusal) -> Set<String> {
        var late: Set<String> = []
        for (ref, bytes) in needed(decisions).sorted(by: { $0.key < $1.key }) {
            guard let destination = repositories[ref], let free = destination.free else { continue }
            switch destination.claims.verdict(needed: bytes, free: free) {
            case .fits: continue
            case .waits: late.insert(ref)
            case .full:
                throw .full(
                    repository: destination.uuid, needed: bytes, free: free, reserved: destination.claims.reserved)
            }
        }
        return late
    }

    /// What the moves take at least, by SR.
    static func needed(_ decisions: [MoveDecision]) -> [String: UInt64] {
        Dictionary(grouping: decisions.filter { !$0.stays }, by: \.destination)
            .mapValues { room(of: $0) }
    }

    /// Bytes that the images take together, at least.
    public static func room(of decisions: [MoveDecision]) -> UInt64 { RoomClaims.sum(decisions.map(\.room)) }

    /// What the decisions about room stand on, by SR.
    public static func basis(
        of decisions: [MoveDecision], _ repositories: [String: RepositoryFacts]
    ) -> [String: RoomBasis] {
        var basis: [String: RoomBasis] = [:]
        for (ref, bytes) in needed(decisions) {
            guard let facts = repositories[ref], let free = facts.free else { continue }
            let waits = decisions.contains { $0.destination == ref && $0.waits }
            basis[ref] = RoomBasis(needed: bytes, free: free, waits: waits, claims: facts.claims)
        }
        return basis
    }
}
