public import CoreTypes

/// A manager whose volumes stand on each other, and whose chains the space reclaimer shortens.
///
/// Each step leaves every disk as it was, at every moment; a step that was cut off is done again or goes on. What may happen
/// beside a step is said at each (`ReclaimStep`).
public protocol ChainedStorageManager: StorageManager {
    /// All images of the SR, and what earlier steps have left to do.
    func surveyChains(_ repository: StorageRepository) async throws(StorageError) -> ChainSurvey
    /// Carries out one step. `.deviceInUse` when another reclaimer works on the SR.
    func reclaim(
        _ step: ReclaimStep, in repository: StorageRepository, pace: ReclaimPace
    ) async throws(StorageError) -> ReclaimResult
}

/// An image as the space reclaimer sees it. Images are known by their locations.
public struct ChainNode: Sendable, Hashable {
    public var volume: Volume
    /// The image that this one holds the differences to.
    public var parent: String?
    /// The least unit in which it keeps data, bytes; 1 where that does not matter.
    public var piece: UInt64
    /// The driver made it for disks to stand on, and removes it when none does.
    public var isBase: Bool

    public var location: String { volume.location }

    public init(volume: Volume, parent: String?, piece: UInt64 = 1, isBase: Bool = false) {
        self.volume = volume
        self.parent = parent
        self.piece = piece
        self.isBase = isBase
    }
}

/// A merge that was begun, as the driver has noted it: durable, and found again after a restart.
public struct BegunMerge: Sendable, Hashable {
    public var child: String
    public var parent: String
    /// All of the child is in the parent: its children are being put on the parent, and then it goes.
    public var isWhole: Bool

    public init(child: String, parent: String, isWhole: Bool) {
        self.child = child
        self.parent = parent
        self.isWhole = isWhole
    }
}

public struct ChainSurvey: Sendable, Hashable {
    public var nodes: [ChainNode]
    public var merges: [BegunMerge]
    /// Every image could be read: it is certain who stands on whom.
    public var isComplete: Bool
    /// There is something that the driver knows for left over: `ReclaimStep.tidy` takes it away.
    public var isUntidy: Bool

    public init(nodes: [ChainNode], merges: [BegunMerge] = [], isComplete: Bool = true, isUntidy: Bool = false) {
        self.nodes = nodes
        self.merges = merges
        self.isComplete = isComplete
        self.isUntidy = isUntidy
    }
}

/// Locations name images. "Nobody has it open" is for the caller to bring about: by pausing the data paths above.
public enum ReclaimStep: Sendable, Hashable {
    /// Takes away what cut-off operations left and hidden images that nothing stands on.
    case tidy
    /// Makes a parent as large as its only child. Nobody has either open.
    case grow(parent: String, child: String)
    /// Puts what a hidden image holds into its parent, which is hidden too and has no other child. Others may have both
    /// open for reading meanwhile. May take long; can be cancelled, and goes on where it stopped.
    case merge(child: String, parent: String)
    /// After a merge: puts one child of the merged image on the merged image's parent. Nobody has that child open.
    case adopt(child: String, from: String, to: String)
    /// After a merge, when nothing stands on the merged image any more: removes it.
    case end(child: String, parent: String)
    /// Makes what a disk holds a hidden image, and the disk an empty one above it. Nobody has the disk open.
    case freeze(leaf: String)
    /// A disk's image, which holds little, goes into its parent, which has no other child, and the parent takes the disk's
    /// place. Nobody has either open.
    case fold(leaf: String, parent: String)

    /// The image whose disks, it and all that stand on it, the step is about; nil for none.
    public var top: String? {
        switch self {
        case .tidy, .end: nil
        case .grow(_, let child), .merge(let child, _), .adopt(let child, _, _): child
        case .freeze(let leaf), .fold(let leaf, _): leaf
        }
    }

    /// Nobody may have open what stands on `top` meanwhile.
    public var needsQuiet: Bool {
        switch self {
        case .tidy, .end, .merge: false
        default: true
        }
    }
}

/// How fast a step may work, and how it is stopped.
public struct ReclaimPace: Sendable {
    /// 0: no limit.
    public var bytesPerSecond: UInt64
    public var cancellation: CancellationFlag

    public init(bytesPerSecond: UInt64 = 0, cancellation: CancellationFlag = CancellationFlag()) {
        self.bytesPerSecond = bytesPerSecond
        self.cancellation = cancellation
    }
}

/// What is different after a step.
public struct ReclaimResult: Sendable, Hashable {
    /// Volumes that are elsewhere, have another parent, size or format, or are new.
    public var changed: [Volume]
    /// The uuids of those that are gone.
    public var gone: [String]

    public init(changed: [Volume] = [], gone: [String] = []) {
        self.changed = changed
        self.gone = gone
    }
}
