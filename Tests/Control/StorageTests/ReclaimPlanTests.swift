import CoreTypes
import StorageInterface
import StorageManagers
import TestSupport
import Testing

/// The plan of the space reclaimer, on trees that exist in memory only.
@Suite struct ReclaimPlanTests {
    /// Trees of images that hold numbers, and what each step does to them, or half of it.
    private struct Forest {
        struct Image {
            var parent: String?
            var isHidden: Bool
            var size: UInt64
            var data: [Int: Int] = [:]
        }

        var images: [String: Image] = [:]
        var merges: [BegunMerge] = []
        var made = 0

        mutating func name(hidden: Bool) -> String {
            made += 1
            return hidden ? "base\(made)" : "disk\(made)"
        }

        /// What a disk shows.
        func content(_ location: String) -> [Int: Int] {
            guard let image = images[location] else { return [-1: -1] }
            let below = image.parent.map(content) ?? [:]
            return below.merging(image.data) { $1 }
        }

        var disks: [String: [Int: Int]] {
            Dictionary(uniqueKeysWithValues: images.filter { !$0.value.isHidden }.map { ($0.key, content($0.key)) })
        }

        func children(_ location: String) -> [String] { images.filter { $0.value.parent == location }.map(\.key) }

        var survey: ChainSurvey {
            let nodes = images.map { location, image in
                ChainNode(
                    volume: Volume(
                        uuid: location, location: location, format: .qcow2, virtualSize: image.size,
                        physicalSize: UInt64(image.data.count), isHidden: image.isHidden),
                    parent: image.parent, piece: 1, isBase: image.isHidden)
            }
            let isUntidy = images.contains { location, image in
                image.isHidden && children(location).isEmpty
                    && !merges.contains { $0.isWhole && $0.child == location }
            }
            return ChainSurvey(nodes: nodes.sorted { $0.location < $1.location }, merges: merges, isUntidy: isUntidy)
        }

        /// `cut`: the step stops half-way, as a crash would have it.
        mutating func perform(_ step: ReclaimStep, cut: Bool, random: inout SeededRandom) {
            switch step {
            case .tidy:
                while let gone = images.first(where: { $0.value.isHidden && children($0.key).isEmpty }) {
                    images[gone.key] = nil
                }
                merges.removeAll { images[$0.child] == nil }
            case .grow(let parent, let child):
                #expect(children(parent) == [child])
                let size = images[child]?.size ?? 0
                images[parent]?.size = size
            case .merge(let child, let parent):
                #expect(children(parent) == [child])
                #expect(images[child]?.isHidden == true && images[parent]?.isHidden == true)
                #expect((images[child]?.size ?? 0) == (images[parent]?.size ?? 1))
                merges.removeAll { !$0.isWhole }
                let data = images[child]?.data ?? [:]
                for (key, value) in data where !cut || Bool.random(using: &random) { images[parent]?.data[key] = value }
                merges.append(BegunMerge(child: child, parent: parent, isWhole: !cut))
            case .adopt(let child, let from, let to):
                #expect(merges.contains(BegunMerge(child: from, parent: to, isWhole: true)))
                #expect(images[child]?.parent == from)
                if !cut { images[child]?.parent = to }
            case .end(let child, _):
                #expect(children(child).isEmpty)
                images[child] = nil
                if !cut { merges.removeAll { $0.child == child } }
            case .freeze(let leaf):
                guard var image = images[leaf] else { return }
                #expect(children(leaf).isEmpty && !image.isHidden)
                let base = name(hidden: true)
                images[leaf] = Image(parent: base, isHidden: false, size: image.size)
                image.isHidden = true
                images[base] = image
            case .fold(let leaf, let parent):
                #expect(children(parent) == [leaf] && children(leaf).isEmpty)
                guard let image = images[leaf], var below = images[parent] else { return }
                below.data.merge(image.data) { $1 }
                below.size = max(below.size, image.size)
                images[parent] = below
                if cut { return }
                images[parent] = nil
                below.isHidden = false
                images[leaf] = below
            }
        }
    }

    private static func forest(_ random: inout SeededRandom) -> Forest {
        var forest = Forest()
        var bases: [String?] = [nil]
        for _ in 0..<Int.random(in: 1...14, using: &random) {
            let isHidden = Int.random(in: 0..<5, using: &random) < 3
            let parent = bases.randomElement(using: &random) ?? nil
            let name = forest.name(hidden: isHidden)
            var image = Forest.Image(parent: parent, isHidden: isHidden, size: 10)
            image.size = max(parent.flatMap { forest.images[$0]?.size } ?? 0, UInt64.random(in: 8...12, using: &random))
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                image.data[Int.random(in: 0..<8, using: &random)] = Int.random(in: 0..<1000, using: &random)
            }
            forest.images[name] = image
            if isHidden { bases.append(name) }
        }
        return forest
    }

    private static let policy = {
        var policy = ReclaimPlan.Policy()
        policy.mostFolded = 2
        return policy
    }()

    /// It comes to an end, whatever is cut off, with no chain that could be shorter; no disk ever shows anything else; and
    /// what is to be left alone is.
    @Test func everyForestEndsWithoutNeedlessImagesAndNoDiskChanges() throws {
        var random = SeededRandom.printed()
        for _ in 0..<1500 {
            var forest = Self.forest(&random)
            let disks = forest.disks
            var excluded = Set(disks.keys.filter { _ in Int.random(in: 0..<6, using: &random) == 0 })
            var steps = 0
            while true {
                let plan = ReclaimPlan(forest.survey, policy: Self.policy)
                guard let step = plan.next(excluding: excluded) else {
                    if excluded.isEmpty { break }
                    // Now that nobody is at work any more, all of it can be done.
                    excluded = []
                    continue
                }
                #expect(excluded.isDisjoint(with: plan.disks(of: step)))
                forest.perform(step, cut: Int.random(in: 0..<4, using: &random) == 0, random: &random)
                #expect(forest.disks == disks, "after \(step)")
                steps += 1
                try #require(steps < 1000, "\(step) again and again")
            }
            #expect(forest.merges.isEmpty)
            for (location, image) in forest.images where image.isHidden {
                #expect(forest.children(location).count > 1, "\(location)")
            }
        }
    }

    private func node(
        _ location: String, _ parent: String?, hidden: Bool, format: ImageFormat = .qcow2, taken: UInt64 = 100,
        size: UInt64 = 1000, piece: UInt64 = 65536
    ) -> ChainNode {
        ChainNode(
            volume: Volume(
                uuid: location, location: location, format: format, virtualSize: size, physicalSize: taken,
                isHidden: hidden), parent: parent, piece: piece, isBase: hidden)
    }

    @Test func chainsAreShortenedFromTheirRootsAndDisksLast() {
        let nodes = [
            node("a", nil, hidden: true, format: .raw), node("b", "a", hidden: true), node("c", "b", hidden: true),
            node("d", "c", hidden: false),
        ]
        #expect(ReclaimPlan(ChainSurvey(nodes: nodes)).next() == .merge(child: "b", parent: "a"))
        // What was begun goes on.
        let begun = BegunMerge(child: "c", parent: "b", isWhole: false)
        #expect(ReclaimPlan(ChainSurvey(nodes: nodes, merges: [begun])).next() == .merge(child: "c", parent: "b"))
        let whole = BegunMerge(child: "c", parent: "b", isWhole: true)
        #expect(
            ReclaimPlan(ChainSurvey(nodes: nodes, merges: [whole])).next() == .adopt(child: "d", from: "c", to: "b"))
        #expect(ReclaimPlan(ChainSurvey(nodes: nodes, merges: [whole])).next(excluding: ["d"]) == nil)
        // Nothing is done while it is not certain who stands on whom.
        #expect(ReclaimPlan(ChainSurvey(nodes: nodes, isComplete: false)).next() == nil)
    }

    @Test func aDiskThatHoldsMuchIsFrozenAndALittleIsFolded() {
        let base = node("a", nil, hidden: true)
        let much = ChainSurvey(nodes: [base, node("d", "a", hidden: false, taken: 1 << 30)])
        #expect(ReclaimPlan(much).next() == .freeze(leaf: "d"))
        #expect(ReclaimPlan(much, policy: .init(mergesLeaves: false)).next() == nil)
        let little = ChainSurvey(nodes: [base, node("d", "a", hidden: false, taken: 1 << 20)])
        #expect(ReclaimPlan(little).next() == .fold(leaf: "d", parent: "a"))
        let grown = ChainSurvey(nodes: [base, node("b", "a", hidden: true, size: 2000), node("d", "b", hidden: false)])
        #expect(ReclaimPlan(grown).next() == .grow(parent: "a", child: "b"))
    }

    @Test func formatsThatReadersCouldBeMisledInAreLeftAlone() {
        func next(_ child: ChainNode, _ parent: ChainNode) -> ReclaimStep? {
            ReclaimPlan(
                ChainSurvey(nodes: [parent, child, node("d", child.location, hidden: false)]),
                policy: .init(mergesLeaves: false)
            ).next()
        }
        let merge = ReclaimStep.merge(child: "b", parent: "a")
        #expect(next(node("b", "a", hidden: true, piece: 512), node("a", nil, hidden: true)) == nil)
        #expect(next(node("b", "a", hidden: true, piece: 1 << 20), node("a", nil, hidden: true)) == merge)
        #expect(next(node("b", "a", hidden: true, format: .vhd), node("a", nil, hidden: true)) == nil)
        #expect(next(node("b", "a", hidden: true, format: .vhd), node("a", nil, hidden: true, format: .raw)) == merge)
        // A parent that is longer would make the disk longer; one that is a disk itself is nobody's to change.
        #expect(next(node("b", "a", hidden: true), node("a", nil, hidden: true, size: 4000)) == nil)
        #expect(next(node("b", "a", hidden: true), node("a", nil, hidden: false)) == nil)
    }
}
