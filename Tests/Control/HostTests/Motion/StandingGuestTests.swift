import APITypes
import CoreTypes
import DatapathControl
import PoolDatabase
import StorageMotion
import Synchronization
import TestSupport
import Testing

@testable import Toolstack

/// How long a guest that goes to another pool is made to stand for what becomes of its disks.
@Suite struct StandingGuestTests {
    private typealias Stage = MirrorEndTests.Stage

    /// Passes as a whole, and a loaded machine comes as far in it as a test wants.
    private static let ample = Duration.seconds(1.5)

    /// Somebody wishes something else of the move each time that is looked at.
    private final class FickleProgress: TaskProgress {
        let cancellation = CancellationFlag()
        private let looks = Atomic<Int>(0)
        var entries: [String: String] {
            ["bytes-per-second": String(1000 + looks.add(1, ordering: .relaxed).newValue)]
        }
        func report(_ fraction: Double) {}
        func annotate(_ entries: [String: String]) {}
    }

    private struct Scene {
        let stage: Stage
        let datapath: FakeDatapath
        var disks: DepartingDisks

        init(isVerified: Bool) async throws {
            stage = try await Stage()
            var machine = stage.departure([.accepted])
            machine.domain = 1
            datapath = try await FakeDatapath(
                of: stage.uuid, on: stage.bench,
                mirror: ImageSpecification(path: "nbd+unix:///disk?socket=/s", format: ImageSpecification.remote))
            disks = DepartingDisks(
                context: stage.bench.context, machine: machine, settings: MirrorSettings(mayDelay: true),
                bytesPerSecond: 1 << 20, isVerified: isVerified)
        }

        var mirrorFailed: APIError { APIError("MIRROR_FAILED", stage.disk.ref) }

        func asked(_ request: String) -> Int { datapath.requests.count { $0 == request } }

        func end() async { await datapath.end() }
    }

    /// What must be compared is, for a moment; then the guest goes on, and the mirror with it. What was compared while it ran is not
    /// again.
    @Test func aGuestDoesNotStandForAComparison() async throws {
        let scene = try await Scene(isVerified: true)
        let progress = UnwatchedProgress()
        var compared = ComparedMirrors()
        let outlasted = await #expect(throws: DepartingDisks.Outlasted.self) {
            try await scene.disks.settle(&compared, within: Self.ample, isLast: true, progress)
        }
        #expect(scene.asked("mirrorVerify") == 1 && scene.asked("mirrorCancel") == 0 && scene.datapath.mirror != nil)
        #expect(outlasted.map { scene.disks.failed($0, progress) } == scene.mirrorFailed)
        let before = scene.asked("mirrorSet")
        try await scene.disks.holdBackAgain(progress)
        #expect(scene.asked("mirrorSet") == before + 1)
        scene.datapath.comparesAtOnce = true
        try await scene.disks.verify(&compared, progress)
        #expect(scene.asked("mirrorVerify") == 2)
        try await scene.disks.settle(&compared, within: .seconds(60), isLast: true, progress)
        #expect(scene.asked("mirrorVerify") == 2)
        await scene.end()
    }

    /// A mirror that is not in sync is told nothing that is wished of the copy: nothing holds back who stands, and a data path that
    /// hangs over it keeps him no longer.
    @Test func aGuestThatStandsIsHeldBackByNoWish() async throws {
        var scene = try await Scene(isVerified: false)
        scene.datapath.phase = .copying
        scene.disks.patience = Self.ample
        var compared = ComparedMirrors()
        await #expect(throws: DepartingDisks.Outlasted.self) {
            try await scene.disks.settle(&compared, within: .zero, isLast: false, FickleProgress())
        }
        #expect(scene.asked("mirrorSet") == 0 && scene.asked("status") > 1)
        await scene.end()
    }

    /// The last look before the other side is told to make ready has its end, too.
    @Test func aDataPathThatHangsAtTheLastLookEndsTheMove() async throws {
        var scene = try await Scene(isVerified: false)
        scene.disks.patience = Self.ample
        scene.datapath.hangsWhenPrepared = true
        let error = await #expect(throws: APIError.self) {
            try await scene.disks.drain(ComparedMirrors(), UnwatchedProgress())
        }
        #expect(error == scene.mirrorFailed && scene.asked("pivotPrepare") == 1)
        await scene.end()
    }

    /// A connection that was lost while nobody wrote is found before anything is made durable by it, and then compared; a data path
    /// of before there were probes is not asked twice.
    @Test func aLostConnectionIsFoundBeforeTheGuestStands() async throws {
        let scene = try await Scene(isVerified: false)
        scene.datapath.comparesAtOnce = true
        var compared = ComparedMirrors()
        scene.datapath.probes = ["unsupported"]
        try await scene.disks.verify(&compared, UnwatchedProgress())
        #expect(scene.asked("mirrorProbe") == 1 && scene.asked("mirrorVerify") == 0)
        // It says nothing for a moment, and is there.
        scene.datapath.probes = ["busy", "busy"]
        try await scene.disks.verify(&compared, UnwatchedProgress())
        #expect(scene.asked("mirrorProbe") == 4 && scene.asked("mirrorVerify") == 0)
        scene.datapath.probes = ["disconnected"]
        try await scene.disks.verify(&compared, UnwatchedProgress())
        #expect(scene.asked("mirrorProbe") == 6 && scene.asked("mirrorVerify") == 1)
        #expect(scene.asked("pivotPrepare") == 0)
        await scene.end()
    }

    /// One who stands does not wait for an answer, but goes on.
    @Test func aSilentConnectionLetsTheGuestGoOn() async throws {
        let scene = try await Scene(isVerified: false)
        scene.datapath.probes = ["hangs"]
        var compared = ComparedMirrors()
        await #expect(throws: DepartingDisks.Outlasted.self) {
            try await scene.disks.settle(&compared, within: Self.ample, isLast: true, UnwatchedProgress())
        }
        #expect(scene.asked("mirrorProbe") == 1 && scene.datapath.mirror != nil)
        // Before that it is not asked.
        scene.datapath.probes = ["hangs"]
        try await scene.disks.settle(&compared, within: .seconds(60), isLast: false, UnwatchedProgress())
        scene.datapath.losesMirror()
        await scene.end()
    }

    /// While its memory is sent its disks are looked after, and what was found is known when it stands.
    @Test func mirrorsAreKeptAlikeWhileTheMemoryIsSent() async throws {
        var scene = try await Scene(isVerified: false)
        scene.disks.lookPeriod = .milliseconds(10)
        scene.datapath.comparesAtOnce = true
        scene.datapath.probes = ["disconnected"]
        let (disks, datapath) = (scene.disks, scene.datapath)
        let kept = Task { await disks.keepAlike(ComparedMirrors(), UnwatchedProgress()) }
        // Lost, there, and there again.
        try await reach("the lost connection was compared") { datapath.requests.count { $0 == "mirrorProbe" } > 2 }
        kept.cancel()
        let found = await kept.value
        var compared = found.compared
        #expect(found.failure == nil)
        try await disks.settle(&compared, within: .seconds(60), isLast: true, UnwatchedProgress())
        #expect(scene.asked("mirrorVerify") == 1)
        // What cannot be mended is told.
        datapath.phase = .broken
        let broken = await disks.keepAlike(compared, UnwatchedProgress())
        #expect(broken.failure as? APIError == scene.mirrorFailed)
        await scene.end()
    }

    /// A mirror that has ended with its data path is begun again within the time that the guest may stand; one that begins when nobody
    /// waits for it any more is found.
    @Test func aMirrorThatBeginsLateIsFound() async throws {
        let scene = try await Scene(isVerified: false)
        scene.datapath.losesMirror()
        scene.datapath.starts = ["hangs", "busy"]
        let (disks, datapath, progress) = (scene.disks, scene.datapath, UnwatchedProgress())
        let standing = Task {
            var compared = ComparedMirrors()
            try await disks.settle(&compared, within: .seconds(60), isLast: true, progress)
        }
        try await reach("it is being begun") { datapath.requests.contains("mirrorStart") }
        progress.cancellation.cancel()
        await #expect(throws: CancellationError.self) { try await standing.value }
        #expect(datapath.mirror == nil)
        await #expect(throws: DepartingDisks.Outlasted.self) {
            try await disks.start(0, UnwatchedProgress(), resume: true, until: .now - .seconds(1))
        }
        // The guest goes on, and whoever begins it finds that another has.
        datapath.starts = []
        try await reach("it has begun") { datapath.mirror != nil }
        datapath.starts = ["busy"]
        try await disks.start(0, UnwatchedProgress(), resume: true)
        await scene.end()
    }

    /// One that was given up before it began does not begin when the machine stays.
    @Test func aMirrorThatIsAboutToBeginIsEndedToo() async throws {
        let scene = try await Scene(isVerified: false)
        scene.datapath.losesMirror()
        #expect(await scene.disks.release())
        #expect(scene.asked("mirrorCancel") == 1)
        await scene.end()
    }

    /// How often a mirror is begun.
    @Test func aMirrorIsBegunForAsLongAsItsOtherSideIsTriedAgain() {
        let now = ContinuousClock.now
        func failure(_ code: String) -> DatapathClient.Failure { DatapathClient.Failure(code: code, message: "") }
        var start = MirrorStart(resumes: false)
        #expect(start.failed(failure("busy"), at: now, patience: .seconds(60)) == .over)
        #expect(start.failed(failure("io"), at: now, patience: .seconds(60)) == .over)
        #expect(start.failed(failure("disconnected"), at: now, patience: .zero) == .over)
        #expect(
            start.failed(failure("disconnected"), at: now, patience: .seconds(60)) == .again(after: .milliseconds(500)))
        #expect(
            start.failed(failure("disconnected"), at: now + .milliseconds(59_900), patience: .seconds(60))
                == .again(after: .milliseconds(100)))
        #expect(start.failed(failure("disconnected"), at: now + .seconds(60), patience: .seconds(60)) == .over)
        var resumed = MirrorStart(resumes: true)
        #expect(resumed.failed(failure("busy"), at: now, patience: .zero) == .begun)
        for _ in 0..<MirrorStart.mostEnds {
            #expect(
                resumed.failed(failure("unreachable"), at: now, patience: .zero) == .again(after: .milliseconds(100)))
        }
        #expect(resumed.failed(failure("unreachable"), at: now, patience: .zero) == .over)
    }
}
