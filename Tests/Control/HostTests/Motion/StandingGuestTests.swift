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
            try await scene.disks.settle(&compared, within: Self.ample, progress)
        }
        #expect(scene.asked("mirrorVerify") == 1 && scene.asked("mirrorCancel") == 0 && scene.datapath.mirror != nil)
        #expect(outlasted.map { scene.disks.failed($0, progress) } == scene.mirrorFailed)
        let before = scene.asked("mirrorSet")
        try await scene.disks.holdBackAgain(progress)
        #expect(scene.asked("mirrorSet") == before + 1)
        scene.datapath.comparesAtOnce = true
        try await scene.disks.verify(&compared, progress)
        #expect(scene.asked("mirrorVerify") == 2)
        try await scene.disks.settle(&compared, within: .seconds(60), progress)
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
            try await scene.disks.settle(&compared, within: .zero, FickleProgress())
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
}
