public import DatapathControl

/// The move of one disk to a new image, as a value: what has been decided, how far it is, and what comes next. It is
/// stored before each effect starts, so that after any crash `recover` alone tells what to do.
///
///     planned ─▶ created ─▶ mirroring ─▶ pivoting ─▶ committed ─▶ (gone)
///        └──────────┴───────────┴────────────┴──▶ abandoned ─▶ (gone)
///
/// A restart may take it back from `created` to `planned`.
///
/// The source is authoritative up to and in `pivoting`; from `committed` on the destination is. `committed` is written in
/// the same transaction that points the disk's users to the destination: there is no moment between.
public struct DiskMotion: Codable, Hashable, Sendable {
    public enum Phase: String, Codable, Sendable {
        /// Nothing exists but this record: the move waits for its turn.
        case planned
        /// The destination image exists or is being made.
        case created
        /// The data path has been told to mirror.
        case mirroring
        /// The data path has been told to write both.
        case pivoting
        /// The destination is the disk; the source is to be destroyed.
        case committed
        /// The source is the disk; the destination is to be destroyed.
        case abandoned
    }

    public enum Effect: Hashable, Sendable {
        /// Start the data path if it does not run, and the mirror in it.
        case startMirror
        /// Wait until the mirror is synchronised or fails.
        case awaitSynchronised
        case preparePivot
        /// One transaction: the disk's users point to the destination and the phase becomes `committed`.
        case commit
        /// Sees to it that the data path, if it runs, stands on the destination alone.
        case finishPivot
        case destroySource
        /// End the mirror in favour of the source; harmless without one.
        case cancelMirror
        case destroyDestination
        /// Remove the record.
        case forget
    }

    /// What a data path says about the mirror of this motion.
    public enum Observation: Hashable, Sendable {
        /// No such process, or it serves another image.
        case absent
        /// It serves the source and does not mirror.
        case sourceOnly
        case mirroring
        case dual
        case broken(String)
        /// It mirrored, was told to write both, and one side has refused since.
        case undecided(destinationFailed: Bool)
        /// It serves the destination alone.
        case destinationOnly
    }

    public let id: String
    public let sourceUUID: String
    public let sourceRef: String
    public let sourceSR: String
    public let sourceLocation: String
    /// The call that the move is a part of. Nil in records of earlier versions.
    public var call: MoveCall?
    /// What the destination's driver says once it has made the volume; before, what it is asked for.
    public private(set) var destinationUUID: String
    public private(set) var destinationRef: String
    public let destinationSR: String
    /// `raw`, `vhd` or `qcow2`; empty: the driver decides.
    public let format: String
    /// Virtual size of the destination, bytes.
    public let size: UInt64
    /// What the copy may move, bytes per second; 0: no limit.
    public let bytesPerSecond: UInt64
    /// What else the mirror is started with. Nil: nothing.
    public var settings: MirrorSettings?
    /// Both images are compared before the pivot. Nil in records of earlier versions, which are (`comparesImages`).
    public var isVerified: Bool?
    /// Bytes that the new images take at least. Nil in records of earlier versions: nothing is kept for them.
    public var room: UInt64?
    /// It was accepted although there is no room for it yet: others that are under way give some back. Nil: there was.
    public var waitsForRoom: Bool?
    /// Nobody said that the old image may go without.
    public var comparesImages: Bool { isVerified ?? true }
    public private(set) var phase: Phase = .planned
    /// What made it `abandoned`.
    public private(set) var failure: String?
    /// The same as the API's error, code and parameters; nil where it was none.
    public private(set) var failureWire: [String]?
    /// What a driver that chooses locations itself answered.
    private var chosenLocation: String?
    /// How the data path was told to open the destination, where its location does not show in that.
    private var destinationPath: String?
    /// Nil in records of earlier versions.
    private var onlyRemains: Bool?
    /// The disk's snapshots, which move with it, in the order in which they are made; nil in records of earlier versions.
    private var carried: [MovingSnapshot]?
    /// The snapshot, by its source's uuid, whose destination the disk's own is made as a clone of; nil: it begins empty.
    public let base: String?

    public init(
        id: String, sourceUUID: String, sourceRef: String, sourceSR: String, sourceLocation: String,
        destinationUUID: String, destinationRef: String, destinationSR: String, format: String, size: UInt64,
        bytesPerSecond: UInt64 = 0, snapshots: [MovingSnapshot] = [], base: String? = nil
    ) {
        self.id = id
        self.sourceUUID = sourceUUID
        self.sourceRef = sourceRef
        self.sourceSR = sourceSR
        self.sourceLocation = sourceLocation
        self.destinationUUID = destinationUUID
        self.destinationRef = destinationRef
        self.destinationSR = destinationSR
        self.format = format
        self.size = size
        self.bytesPerSecond = bytesPerSecond
        carried = snapshots.isEmpty ? nil : snapshots
        self.base = base
    }

    public var snapshots: [MovingSnapshot] { carried ?? [] }

    /// What is known of one of the snapshots now. To be stored before anything is done with it.
    public mutating func update(_ snapshot: MovingSnapshot) {
        guard let index = carried?.firstIndex(where: { $0.sourceUUID == snapshot.sourceUUID }) else { return }
        carried?[index] = snapshot
    }

    /// All volumes that the move looks after, sources and destinations: nobody else touches them.
    public var volumes: Set<String> {
        Set([sourceUUID, destinationUUID] + snapshots.flatMap { [$0.sourceUUID, $0.destinationUUID] })
    }

    /// The destination's location in its SR: every driver of ours names a volume by its uuid and format, and others say.
    public var destinationLocation: String { chosenLocation ?? "\(destinationUUID).\(format)" }

    /// The destination's label until it is the disk, where its driver makes its row: what a killed toolstack left of it is
    /// known by this, even when the driver's answer was not heard.
    public var mark: String { "Gantry move \(id)" }

    /// The label of a snapshot's destination, in the same way.
    public func mark(of snapshot: MovingSnapshot) -> String { "\(mark) snapshot \(snapshot.sourceUUID)" }

    /// Takes a row that a driver has just made, when its label says that it is one of this move's; false when it is not.
    public mutating func claim(label: String, uuid: String, ref: String, location: String) -> Bool {
        if label == mark {
            place(uuid: uuid, ref: ref, location: location)
            return true
        }
        guard var snapshot = snapshots.first(where: { mark(of: $0) == label }) else { return false }
        snapshot.place(uuid: uuid, ref: ref, location: location)
        update(snapshot)
        return true
    }

    /// The destination is made, and is what its driver says it is. To be stored before anything is done with it.
    public mutating func place(uuid: String, ref: String, location: String) {
        destinationUUID = uuid
        destinationRef = ref
        chosenLocation = location
    }

    /// How the data path is about to be told to open the destination. To be stored before it is told.
    public mutating func reach(path: String) { destinationPath = path }

    /// Whether an image that a data path has open is the destination.
    public func isDestination(path: String) -> Bool {
        if let destinationPath { return path == destinationPath }
        return chosenLocation == nil && path.hasSuffix("/" + destinationLocation)
    }

    /// Only the image that lost is left, which nobody has open: the disk, its data path and the SR of the image that won have
    /// nothing to do with the move any more.
    public var isReleased: Bool { onlyRemains ?? false }

    /// The data path stands on the image that won, alone, and the other could not be destroyed yet. Of decided motions only.
    public mutating func release() { if isDecided { onlyRemains = true } }

    /// The SR in which an image is left to be destroyed.
    public var remainsSR: String { phase == .committed ? sourceSR : destinationSR }

    /// What is left to do is cleaning up.
    public var isDecided: Bool { phase == .committed || phase == .abandoned }

    /// Moves to `phase`; only along the arrows of the diagram.
    public mutating func advance(to phase: Phase) {
        let legal: [Phase: Set<Phase>] = [
            .planned: [.created, .abandoned], .created: [.mirroring, .abandoned],
            .mirroring: [.pivoting, .abandoned], .pivoting: [.committed, .abandoned], .committed: [], .abandoned: [],
        ]
        precondition(legal[self.phase]?.contains(phase) == true, "a motion cannot go from \(self.phase) to \(phase)")
        self.phase = phase
    }

    /// Gives up in favour of the source. Not legal once committed. `wire`: the API's error.
    public mutating func abandon(because reason: String, wire: [String]? = nil) {
        if phase == .abandoned { return }
        advance(to: .abandoned)
        failure = reason
        failureWire = wire
    }

    /// Whether a restarted toolstack may begin the move from its beginning, once what is made of the destination is
    /// destroyed: no data path has been told of it.
    public func canBeginAgain(_ observed: Observation) -> Bool {
        guard call != nil, phase == .planned || phase == .created else { return false }
        return observed == .absent || observed == .sourceOnly
    }

    /// Goes back to the beginning, with other names for what is to be made: nothing that is left of the first attempt can
    /// be taken for the second's. `fresh` gives a uuid and a reference.
    public mutating func beginAgain(_ fresh: () -> (uuid: String, ref: String)) {
        guard phase == .created else { return }
        phase = .planned
        (destinationUUID, destinationRef) = fresh()
        chosenLocation = nil
        destinationPath = nil
        carried = carried?.map { snapshot in
            let names = fresh()
            return snapshot.begunAgain(uuid: names.uuid, ref: names.ref, format: format)
        }
    }

    /// What a restarted toolstack does, in order, given what the data path says.
    public mutating func recover(_ observed: Observation) -> [Effect] {
        if isReleased { return [phase == .committed ? .destroySource : .destroyDestination, .forget] }
        switch (phase, observed) {
        case (.committed, _): return [.finishPivot, .destroySource, .forget]
        // Nothing is committed, so the source decides, unless it is the side that failed: then only the other is whole.
        case (.mirroring, .undecided(false)), (.pivoting, .undecided(false)):
            return [.commit, .finishPivot, .destroySource, .forget]
        case (_, .undecided):
            abandon(because: "the destination failed during the pivot")
            return [.cancelMirror, .destroyDestination, .forget]
        // The data path was killed too. Its map tells the next one how far it was, unless the machine was restarted.
        case (.mirroring, .absent), (.mirroring, .sourceOnly):
            return [.startMirror, .awaitSynchronised, .preparePivot, .commit, .finishPivot, .destroySource, .forget]
        case (.mirroring, .mirroring):
            return [.awaitSynchronised, .preparePivot, .commit, .finishPivot, .destroySource, .forget]
        // Told to pivot and died before hearing that it was done: asking again is harmless.
        case (.pivoting, .mirroring):
            return [.awaitSynchronised, .preparePivot, .commit, .finishPivot, .destroySource, .forget]
        case (.mirroring, .dual), (.pivoting, .dual): return [.commit, .finishPivot, .destroySource, .forget]
        // Only a commit can bring a data path there, whatever the record says.
        case (.pivoting, .destinationOnly): return [.commit, .finishPivot, .destroySource, .forget]
        case (.created, .mirroring), (.created, .dual):
            advance(to: .mirroring)
            return recover(observed)
        case (_, .broken(let reason)):
            abandon(because: reason)
            return [.cancelMirror, .destroyDestination, .forget]
        default:
            abandon(because: "the toolstack was restarted before the disk was mirrored")
            return [.cancelMirror, .destroyDestination, .forget]
        }
    }
}
