import CoreTypes
import StorageInterface
import StorageManagers
import StorageMotion
import TestSupport
import Testing

/// A manager that declares what a test says, with the file manager's limits.
private struct DeclaredManager: StorageManager {
    private let base = FileStorageManager()
    var formats: [ImageFormat]
    var features: Set<String>
    var preferred: [ImageFormat] = []
    var writesRows = false

    var info: StorageManagerInfo {
        var info = base.info
        info.supportedImageFormats = formats
        info.features = Dictionary(uniqueKeysWithValues: features.map { ($0, 1) })
        info.writesRows = writesRows
        return info
    }
    func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 {
        try base.roundedSize(size, format: format)
    }
    func largestSize(_ format: ImageFormat) -> UInt64 { base.largestSize(format) }
    func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] { preferred }
    private var untold: StorageError { StorageError(.unimplemented, "a rule asked") }
    func createRepository(_ repository: StorageRepository) async throws(StorageError) { throw untold }
    func destroyRepository(_ repository: StorageRepository) async throws(StorageError) { throw untold }
    func attach(_ repository: StorageRepository) async throws(StorageError) { throw untold }
    func detach(_ repository: StorageRepository) async throws(StorageError) { throw untold }
    func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace { throw untold }
    func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan { throw untold }
    func createVolume(
        _ repository: StorageRepository, _ volume: NewVolume
    ) async throws(StorageError) -> Volume { throw untold }
    func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) { throw untold }
    func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume { throw untold }
    func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume { throw untold }
    func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess { throw untold }
}

private let all: Set<String> = ["VDI_CREATE", "VDI_MIRROR"]

private func repositories(
    source: Set<String> = all, destination: Set<String> = all, formats: [ImageFormat] = [.vhd, .raw],
    preferred: [ImageFormat] = [], free: UInt64? = nil, config: [String: String] = [:]
) -> [String: RepositoryFacts] {
    [
        "a": RepositoryFacts(
            uuid: "ua", manager: DeclaredManager(formats: ImageFormat.allCases, features: source), configuration: [:],
            free: free),
        "b": RepositoryFacts(
            uuid: "ub", manager: DeclaredManager(formats: formats, features: destination, preferred: preferred),
            configuration: config, free: free),
    ]
}

private func disk(_ ref: String = "d", to destination: String? = "b", choice: String = "") -> DiskToMove {
    DiskToMove(ref: ref, source: "a", destination: destination, choice: choice, size: 64 << 20, format: .qcow2)
}

@Suite struct MoveRuleTests {
    /// Another host of the pool can do less than this one.
    @Test func onlyWhatThePoolPromisesIsDecidedBy() throws {
        var facts = repositories(formats: [.qcow2, .vhd, .raw])
        facts["b"]?.promised.supportedImageFormats = [.raw]
        #expect(try MoveRules.decide([disk()], repositories: facts).map(\.outcome.format) == [.raw])
        #expect(
            throws: MoveRefusal.format(.unsupported(.vhd), disk: "d", repository: "ub", supported: [.raw])
        ) { try MoveRules.decide([disk(choice: "vhd")], repositories: facts) }
        facts["b"]?.promised.features["VDI_CREATE"] = nil
        #expect(throws: MoveRefusal.repository("b", lacks: ["VDI_CREATE"])) {
            try MoveRules.decide([disk()], repositories: facts)
        }
    }

    @Test func whatSpeaksAgainstAMoveIsSaidInTheOrderOfXenAPI() {
        var bad = disk(to: nil, choice: "qcow2")
        (bad.tracksChanges, bad.isEncrypted, bad.resetsOnBoot, bad.leastBytes) = (true, true, true, 100)
        func refusal(_ repositories: [String: RepositoryFacts]) -> MoveRefusal? {
            do {
                _ = try MoveRules.decide([disk("other"), bad], repositories: repositories)
                return nil
            } catch {
                return error
            }
        }
        let lame = repositories(source: ["VDI_CREATE"], destination: [], free: 99)
        #expect(refusal(lame) == .notInMap(disk: "d"))
        bad.destination = "b"
        #expect(refusal(lame) == .repository("a", lacks: ["VDI_MIRROR"]))
        #expect(
            refusal(repositories(destination: [], free: 99))
                == .repository("b", lacks: ["VDI_CREATE", "VDI_MIRROR_IN"]))
        #expect(refusal(repositories(free: 99)) == .tracksChanges(disk: "d"))
        bad.tracksChanges = false
        #expect(refusal(repositories(free: 99)) == .encrypted(disk: "d"))
        bad.isEncrypted = false
        #expect(refusal(repositories(free: 99)) == .resetsOnBoot(disk: "d"))
        bad.resetsOnBoot = false
        #expect(
            refusal(repositories(free: 99))
                == .format(.unsupported(.qcow2), disk: "d", repository: "ub", supported: [.vhd, .raw]))
        bad.choice = ""
        // What it holds, and the tables of two VHDs of 64 MiB.
        let needed: UInt64 = 100 + 2 * (128 + 2048)
        #expect(refusal(repositories(free: 99)) == .full(repository: "ub", needed: needed, free: 99))
        #expect(refusal(repositories(free: needed)) == nil)
        #expect(refusal(repositories(destination: ["VDI_CREATE", "VDI_MIRROR_IN"])) == nil)
    }

    /// A disk that stays is not asked whether it could move.
    @Test func whatStaysIsLeftAlone() throws {
        var still = disk(to: "a")
        (still.tracksChanges, still.resetsOnBoot, still.leastBytes) = (true, true, 100)
        let facts = repositories(source: [], free: 0)
        #expect(try MoveRules.decide([still], repositories: facts).map(\.stays) == [true])
        still.choice = "qcow2"
        #expect(throws: MoveRefusal.repository("a", lacks: ["VDI_MIRROR"])) {
            try MoveRules.decide([still], repositories: repositories(source: ["VDI_CREATE"]))
        }
        (still.tracksChanges, still.resetsOnBoot) = (false, false)
        #expect(try MoveRules.decide([still], repositories: repositories(free: 0)).map(\.stays) == [true])
        still.choice = "vhd, qcow2"
        #expect(throws: MoveRefusal.full(repository: "ua", needed: 2276, free: 0)) {
            try MoveRules.decide([still], repositories: repositories(free: 0))
        }
        #expect(try MoveRules.decide([still], repositories: repositories(free: 2276)).map(\.outcome.format) == [.vhd])
    }

    /// Whatever is declared, preferred and written: the decision is one that the manager can keep, the earliest word that
    /// it can keep, and case means nothing.
    @Test func everyDecisionCanBeKeptAndIsTheEarliestThatCan() {
        var random = SeededRandom.printed()
        for _ in 0..<3000 {
            let formats = ImageFormat.allCases.filter { _ in random.next() % 2 == 0 }.shuffled(using: &random)
            let preferred = ImageFormat.allCases.filter { _ in random.next() % 3 == 0 }.shuffled(using: &random)
                .filter(formats.contains)
            let chosen = ImageFormat.allCases.filter { _ in random.next() % 3 == 0 }.shuffled(using: &random)
            let size = UInt64(1) << (random.next() % 45)
            var wanted = disk(choice: chosen.map(\.rawValue).joined(separator: " , "))
            wanted.size = size
            wanted.format = random.next() % 4 == 0 ? nil : ImageFormat.allCases.randomElement(using: &random)
            let facts = repositories(formats: formats, preferred: preferred)
            let manager = DeclaredManager(formats: formats, features: all)
            let result = Result { () throws(MoveRefusal) in try MoveRules.decide([wanted], repositories: facts) }
            wanted.choice = wanted.choice.uppercased()
            let upper = Result { () throws(MoveRefusal) in try MoveRules.decide([wanted], repositories: facts) }
            let order = chosen.isEmpty ? preferred + (wanted.format.map { [$0] } ?? []) + formats : chosen
            let fitting = order.filter { formats.contains($0) && size <= manager.largestSize($0) }
            switch result {
            case .success(let decisions):
                let outcome = decisions[0].outcome
                #expect((try? upper.get())?.first?.outcome == outcome)
                if formats.isEmpty {
                    #expect(outcome.format == chosen.first && outcome.size == size)
                } else {
                    #expect(outcome.format == fitting.first && outcome.size >= size)
                    #expect(outcome.size <= manager.largestSize(outcome.format ?? .raw))
                }
                #expect((outcome.reason == .chosen) == !chosen.isEmpty)
            case .failure(.format(.unsupported(let format), _, _, _)):
                #expect(!formats.isEmpty && format == chosen.first && chosen.allSatisfy { !formats.contains($0) })
            case .failure(.format(.tooLarge(let limit), _, _, _)):
                #expect(fitting.isEmpty && limit < size && order.contains { formats.contains($0) })
            case .failure(let other): Issue.record("\(other)")
            }
        }
    }

    @Test func disksOfOneMoveShareTheSpace() {
        var (one, two) = (disk("1"), disk("2"))
        (one.leastBytes, two.leastBytes) = (60, 50)
        #expect(throws: MoveRefusal.full(repository: "ub", needed: 110 + 2 * 2176, free: 4000)) {
            try MoveRules.decide([one, two], repositories: repositories(free: 4000))
        }
        (one.leastBytes, two.leastBytes) = (.max, .max)
        #expect(throws: MoveRefusal.full(repository: "ub", needed: .max, free: 100)) {
            try MoveRules.decide([one, two], repositories: repositories(free: 100))
        }
    }

    /// Storage that gives all at once has to have all; what an image there has allocated says nothing of its content.
    @Test func whatIsCertainDependsOnHowStorageGivesItsPlace() throws {
        var wanted = disk(choice: "raw")
        wanted.leastBytes = 10
        let thick = repositories(free: 64 << 20 - 1, config: ["allocation": "thick"])
        #expect(throws: MoveRefusal.full(repository: "ub", needed: 64 << 20, free: 64 << 20 - 1)) {
            try MoveRules.decide([wanted], repositories: thick)
        }
        #expect(try MoveRules.decide([wanted], repositories: repositories(free: 10)).count == 1)
        // Of our own images only raw ones are made so.
        wanted.choice = "vhd"
        #expect(try MoveRules.decide([wanted], repositories: thick).count == 1)

        #expect(LeastRoom.content(of: 64 << 20, format: .raw, isThin: false) == 0)
        #expect(LeastRoom.content(of: 64 << 20, format: .raw, isThin: true) == 64 << 20)
        // Nothing is certain of what may be tables.
        #expect(LeastRoom.content(of: 1 << 20, format: .qcow2, isThin: true) == 0)
        #expect(LeastRoom.content(of: 64 << 20, format: nil, isThin: true) == 62 << 20)
        // Third parties say how they give place.
        func third(_ features: Set<String>, _ allocation: String?) -> RepositoryFacts {
            var manager = DeclaredManager(formats: [.vhd], features: features)
            manager.writesRows = true
            return RepositoryFacts(
                uuid: "", manager: manager, configuration: [:], smConfig: ["allocation": allocation ?? ""], free: nil)
        }
        #expect(third([], "thick").isThick(.vhd) && !third([], nil).isThick(.vhd))
        #expect(!third([], nil).showsContent(.vhd) && third(["THIN_PROVISIONING"], nil).showsContent(.vhd))
        #expect(!third(["THIN_PROVISIONING"], "thick").showsContent(.vhd))
        for format in ImageFormat.allCases {
            let bytes = LeastRoom.bytes(content: 1 << 30, size: 1 << 40, format: format, isThick: false)
            #expect(bytes >= 1 << 30 && bytes < 1 << 30 + 8 << 20)
            #expect(LeastRoom.bytes(content: .max, size: .max, format: format, isThick: false) == .max)
        }
    }
}

@Suite struct MoveLineTests {
    @Test func anSRTakesPartInAsManyMovesAsItsLimitSaysAndTheOthersWaitInOrder() {
        var line = MoveLine()
        let limits = ["a": 2, "b": 1, "c": 0]
        func advance() -> [Int] { line.advance { limits[$0] ?? 1 } }
        let first = line.join(["a", "b"])
        let second = line.join(["a", "b"])
        let third = line.join(["a"])
        let fourth = line.join(["c"])
        // The third could begin, but the second came before it and waits for the same SR.
        #expect(advance() == [first, fourth])
        #expect(line.position(of: second) == 1 && line.position(of: third) == 2 && line.position(of: first) == nil)
        line.leave(first)
        #expect(advance() == [second, third])
        line.leave(second)
        line.leave(third)
        line.leave(fourth)
        #expect(line.isEmpty && advance() == [])
    }

    /// Whoever joins late because more had to be found out has the place of its call; others stay where they are.
    @Test func whoCalledFirstComesFirst() {
        var line = MoveLine()
        let begun = line.join(["a"], called: 4)
        #expect(line.advance { _ in 1 } == [begun])
        // From another pool, or of an earlier toolstack: it is there, whenever it was called.
        let (kept, third, first) = (line.join(["a"]), line.join(["a"], called: 3), line.join(["a"], called: 1))
        let (second, same) = (line.join(["a"], called: 2), line.join(["a"], called: 2))
        #expect([kept, first, second, same, third].map { line.position(of: $0) } == [1, 2, 3, 4, 5])
    }

    @Test func whatIsNoLimitIsPassedOverAndNamed() {
        func limit(_ words: String...) -> MoveLimit {
            MoveLimit(words.map { (MoveLimit.Place(object: "SR", uuid: "u", key: "disk-moves"), $0) })
        }
        #expect(limit().count == 3 && limit("5", "7").count == 5 && limit("1").passedOver.isEmpty)
        for wrong in ["0", "-1", "abc", "", "1.5", " 2", "99999999999999999999"] {
            #expect(limit(wrong).count == 3 && limit(wrong, "7").count == 7, "\(wrong)")
            #expect(limit(wrong, "7").passedOver.map(\.word) == [wrong])
        }
        #expect(
            limit("abc").notes == [
                "SR u, other_config:disk-moves is 'abc', no number of 1 or more: 3 moves at once count instead"
            ])
    }

    /// The copies of an SR share its rate evenly, those of an earlier toolstack too; who takes part in two has the least.
    @Test func theRateOfAnSRIsSharedEvenly() {
        var line = MoveLine()
        let (first, second) = (line.join(["a", "b"]), line.resume(["a"]))
        #expect(line.advance { _ in 3 } == [first])
        #expect(line.share(of: first) { $0 == "a" ? 100 : nil } == 50)
        #expect(line.share(of: second) { ["a": 100, "b": 10][$0] } == 50)
        #expect(line.share(of: first) { ["a": 100, "b": 10][$0] } == 10)
        line.leave(second)
        #expect(line.share(of: first) { $0 == "a" ? 100 : nil } == 100)
        #expect(line.share(of: second) { _ in 100 } == nil)
    }

    /// No limit is ever passed, and everybody's turn comes.
    @Test func everybodyBeginsAndNoLimitIsPassed() {
        var random = SeededRandom.printed()
        for _ in 0..<200 {
            var line = MoveLine()
            var (waiting, copying): ([Int: Set<String>], [Int: Set<String>]) = ([:], [:])
            let limit = { (name: String) in Int(name) ?? 1 }
            for _ in 0..<30 {
                let mine = Set((0..<2).map { _ in String(1 + random.next() % 4) })
                waiting[line.join(mine)] = mine
                if random.next() % 2 == 0, let done = copying.keys.min() {
                    copying[done] = nil
                    line.leave(done)
                }
                for id in line.advance(limit: limit) { copying[id] = waiting.removeValue(forKey: id) }
                for name in ["1", "2", "3", "4"] {
                    #expect(copying.values.count { $0.contains(name) } <= limit(name))
                }
            }
            while !waiting.isEmpty || !copying.isEmpty {
                guard let done = copying.keys.min() else {
                    Issue.record("nobody copies and \(waiting.count) wait")
                    break
                }
                copying[done] = nil
                line.leave(done)
                for id in line.advance(limit: limit) { copying[id] = waiting.removeValue(forKey: id) }
            }
            #expect(line.isEmpty)
        }
    }
}

@Suite struct SnapshotTreeTests {
    private func node(_ uuid: String, _ time: Int64, _ images: [String], size: UInt64 = 10) -> SnapshotTree.Node {
        SnapshotTree.Node(uuid: uuid, time: time, size: size, images: images)
    }

    @Test func eachSnapshotStandsOnItsNearestRelative() {
        // s1 ← s2 ← (the disk), and s3 taken after a return to s1.
        let tree = SnapshotTree(
            node("d", 0, ["d", "b3", "b1"]),
            snapshots: [
                node("s3", 3, ["s3", "b3", "b1"]), node("s1", 1, ["s1", "b1"]), node("s2", 2, ["s2", "b2", "b1"]),
            ])
        #expect(tree.steps.map(\.node.uuid) == ["s1", "s2", "s3", "d"])
        // s2 shares as much with s3 as s1 does, and has more that s3 has not.
        #expect(tree.steps.map(\.base) == [nil, "s1", "s1", "s3"])
    }

    /// Whatever they are called: scripts take several in a second, which is what their times are told in.
    @Test(arguments: [["s1", "s2", "s3"], ["s3", "s2", "s1"], ["s2", "s3", "s1"], ["s3", "s1", "s2"]])
    func snapshotsOfOneSecondStandOnEachOtherAsTheyWereTaken(_ names: [String]) {
        let tree = SnapshotTree(
            node("d", 0, ["d", "b3", "b2", "b1"]),
            snapshots: [
                node(names[2], 1, ["c", "b3", "b2", "b1"]), node(names[0], 1, ["a", "b1"]),
                node(names[1], 1, ["b", "b2", "b1"]),
            ])
        #expect(tree.steps.map(\.node.uuid) == names + ["d"])
        #expect(tree.steps.map(\.base) == [nil, names[0], names[1], names[2]])
    }

    @Test func nothingStandsOnWhatIsLarger() {
        let tree = SnapshotTree(
            node("d", 0, ["d", "b1"], size: 8),
            snapshots: [node("s1", 1, ["s1", "b1"]), node("s2", 2, ["s2"], size: 4)])
        #expect(tree.steps.map(\.base) == [nil, nil, "s2"])
    }
}
