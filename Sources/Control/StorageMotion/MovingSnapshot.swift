/// A snapshot that moves with its disk: a part of the disk's `DiskMotion`, which says what becomes of it. Its source is
/// authoritative until the motion is committed, and its destination from then on, like the disk's own.
public struct MovingSnapshot: Codable, Hashable, Sendable {
    public let sourceUUID: String
    public let sourceRef: String
    public let sourceLocation: String
    /// What the destination's driver says once it has made the volume; before, what it is asked for.
    public private(set) var destinationUUID: String
    public private(set) var destinationRef: String
    public private(set) var destinationLocation: String
    /// Virtual size of the destination, bytes.
    public let size: UInt64
    /// The snapshot, by its source's uuid, whose destination this one's is made as a clone of; nil: it stands alone.
    public let base: String?
    /// It may exist.
    public private(set) var isBegun = false

    public init(
        sourceUUID: String, sourceRef: String, sourceLocation: String, destinationUUID: String, destinationRef: String,
        format: String, size: UInt64, base: String?
    ) {
        self.sourceUUID = sourceUUID
        self.sourceRef = sourceRef
        self.sourceLocation = sourceLocation
        self.destinationUUID = destinationUUID
        self.destinationRef = destinationRef
        // As every driver of ours names a volume.
        destinationLocation = "\(destinationUUID).\(format)"
        self.size = size
        self.base = base
    }

    public mutating func begin() { isBegun = true }

    public mutating func place(uuid: String, ref: String, location: String) {
        destinationUUID = uuid
        destinationRef = ref
        destinationLocation = location
    }

    /// The same snapshot before anything was made of it, under other names.
    func begunAgain(uuid: String, ref: String, format: String) -> MovingSnapshot {
        MovingSnapshot(
            sourceUUID: sourceUUID, sourceRef: sourceRef, sourceLocation: sourceLocation, destinationUUID: uuid,
            destinationRef: ref, format: format, size: size, base: base)
    }

    /// Where it is now: a volume of which another was cloned may have another name.
    public mutating func rename(to location: String) { destinationLocation = location }
}

/// A disk's snapshots as they stand on each other, and in which order and on what each is made elsewhere so that they share
/// there what they share here. A pure rule.
public struct SnapshotTree: Sendable {
    /// A snapshot, or the disk itself.
    public struct Node: Hashable, Sendable {
        public var uuid: String
        /// When it was taken, seconds of the epoch. Of those of one second the one that stands on fewer images is the older.
        public var time: Int64
        /// Bytes.
        public var size: UInt64
        /// The images that it stands on, its own first.
        public var images: [String]

        public init(uuid: String, time: Int64, size: UInt64, images: [String]) {
            self.uuid = uuid
            self.time = time
            self.size = size
            self.images = images
        }

        /// What they are ordered by, oldest first.
        public var age: (Int64, Int, String) { (time, images.count, uuid) }
    }

    /// Oldest first, each with what it is to be a clone of, which comes before it; the disk comes last.
    public let steps: [(node: Node, base: String?)]

    /// Any base gives the right content, as the differences are found by comparing; the nearest one gives the fewest. One
    /// that is larger is none: disks do not shrink.
    public init(_ disk: Node, snapshots: [Node]) {
        var steps: [(node: Node, base: String?)] = []
        for node in snapshots.sorted(by: { $0.age < $1.age }) + [disk] {
            let own = Set(node.images)
            var best: (shared: Int, strange: Int, uuid: String)?
            for (candidate, _) in steps where candidate.size <= node.size {
                let shared = candidate.images.count { own.contains($0) }
                let strange = candidate.images.count - shared
                // Of equals the latest.
                let isBetter = best.map { shared > $0.shared || shared == $0.shared && strange <= $0.strange } ?? true
                if isBetter { best = (shared, strange, candidate.uuid) }
            }
            steps.append((node, best?.uuid))
        }
        self.steps = steps
    }
}
