import CoreTypes
public import StorageInterface

/// What the space reclaimer does next, from what an SR holds; no I/O.
///
/// A hidden image that only one other stands on is of no use any more: its child goes into it, and what stood on the child
/// then stands on it. Chains are shortened from their roots, so that data move once. A disk's own image does not go into its
/// parent while its guest writes: it is frozen first, so that the guest writes to an empty image above, and what was frozen
/// is merged like any hidden image. What the guest wrote meanwhile is little, and is folded in while the disk is paused.
public struct ReclaimPlan: Sendable {
    public struct Policy: Sendable, Hashable {
        /// Disks' own images are merged too.
        public var mergesLeaves: Bool
        /// Most bytes that a disk's image may take to be folded into its parent while the disk is paused.
        public var mostFolded: UInt64 = 16 << 20

        public init(mergesLeaves: Bool = true) { self.mergesLeaves = mergesLeaves }
    }

    private let survey: ChainSurvey
    private let policy: Policy
    private let nodes: [String: ChainNode]
    private let children: [String: [String]]

    public init(_ survey: ChainSurvey, policy: Policy = Policy()) {
        self.survey = survey
        self.policy = policy
        nodes = Dictionary(survey.nodes.map { ($0.location, $0) }) { first, _ in first }
        var children: [String: [String]] = [:]
        for node in survey.nodes { if let parent = node.parent { children[parent, default: []].append(node.location) } }
        self.children = children.mapValues { $0.sorted() }
    }

    /// The next step; nil when there is nothing to do. `excluding`: images that are left alone, and with them every step
    /// about a disk on them: those of disks that somebody works on, and those whose step failed.
    public func next(excluding: Set<String> = []) -> ReclaimStep? {
        if survey.isUntidy { return .tidy }
        // An image that cannot be read may stand on any hidden one.
        guard survey.isComplete else { return nil }
        return finishing(excluding) ?? merging(excluding)
    }

    /// The disks that are about a step: all images without children above its `top`, and that itself if it has none.
    public func disks(of step: ReclaimStep) -> [String] {
        guard let top = step.top else { return [] }
        var found: [String] = []
        var waiting = [top]
        var seen: Set<String> = []
        while let location = waiting.popLast() {
            guard seen.insert(location).inserted else { continue }
            let above = children[location] ?? []
            if above.isEmpty { found.append(location) }
            waiting += above
        }
        return found.sorted()
    }

    /// Merges whose data are over come first: until their end two images hold the same.
    private func finishing(_ excluding: Set<String>) -> ReclaimStep? {
        for merge in survey.merges where merge.isWhole {
            // A note without an image tells that it is gone.
            guard nodes[merge.child] != nil, let above = children[merge.child], !above.isEmpty else {
                let step = ReclaimStep.end(child: merge.child, parent: merge.parent)
                if excluding.contains(merge.child) { continue }
                return step
            }
            for location in above {
                let step = ReclaimStep.adopt(child: location, from: merge.child, to: merge.parent)
                if isAllowed(step, excluding) { return step }
            }
        }
        return nil
    }

    private func merging(_ excluding: Set<String>) -> ReclaimStep? {
        let taken = Set(survey.merges.filter(\.isWhole).flatMap { [$0.child, $0.parent] })
        var steps: [(rank: Int, depth: Int, step: ReclaimStep)] = []
        for parent in survey.nodes where parent.volume.isHidden && !taken.contains(parent.location) {
            guard let above = children[parent.location], above.count == 1, let child = nodes[above[0]],
                !taken.contains(child.location), let step = step(child, parent), isAllowed(step, excluding),
                let depth = depth(parent)
            else { continue }
            // What is begun goes on; then from the roots up, hidden images before disks.
            let isBegun = survey.merges.contains { $0.child == child.location && $0.parent == parent.location }
            steps.append((isBegun ? 0 : child.volume.isHidden ? 1 : 2, depth, step))
        }
        return steps.min { ($0.rank, $0.depth) < ($1.rank, $1.depth) }?.step
    }

    /// What is to be done about a hidden image and its only child.
    private func step(_ child: ChainNode, _ parent: ChainNode) -> ReclaimStep? {
        guard Self.canMerge(child, into: parent) else { return nil }
        if child.volume.isHidden {
            return child.volume.virtualSize > parent.volume.virtualSize
                ? .grow(parent: parent.location, child: child.location)
                : .merge(child: child.location, parent: parent.location)
        }
        // Something stands on it, whatever it says of itself: not ours to judge.
        guard policy.mergesLeaves, children[child.location] == nil else { return nil }
        return child.volume.physicalSize > policy.mostFolded
            ? .freeze(leaf: child.location) : .fold(leaf: child.location, parent: parent.location)
    }

    /// Whether the formats allow it beside readers of the parent (see `DiskImage.merge`), and the parent can become the child.
    static func canMerge(_ child: ChainNode, into parent: ChainNode) -> Bool {
        guard parent.volume.virtualSize <= child.volume.virtualSize else { return false }
        // A mark that cannot be taken away would hide the disk.
        if !child.volume.isHidden && !parent.isBase && parent.volume.format != .vhd { return false }
        switch (child.volume.format, parent.volume.format) {
        case (.vhd?, .vhd?), (.vhd?, .raw?), (.qcow2?, .raw?): return true
        case (.qcow2?, .qcow2?): return child.piece >= parent.piece
        default: return false
        }
    }

    private func isAllowed(_ step: ReclaimStep, _ excluding: Set<String>) -> Bool {
        if let top = step.top, excluding.contains(top) { return false }
        return disks(of: step).allSatisfy { !excluding.contains($0) }
    }

    /// Images below; nil for one that is its own ancestor.
    private func depth(_ node: ChainNode) -> Int? {
        var (count, next) = (0, node)
        while let parent = next.parent.flatMap({ nodes[$0] }) {
            count += 1
            if count > nodes.count { return nil }
            next = parent
        }
        // A parent that is not there: nothing is known of it.
        return next.parent == nil ? count : nil
    }
}
