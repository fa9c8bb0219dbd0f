import APITypes
import CoreTypes
import DatapathControl
import Synchronization
import Testing

@testable import Toolstack

struct MirrorWishesTests {
    /// Images are compared unless the call, else the pool, says otherwise.
    @Test func theCallsWordCountsBeforeThePools() throws {
        for (call, pool, isCompared) in [
            (nil, nil, true), (nil, "false", false), (nil, "0", false), (nil, "perhaps", true), ("false", nil, false),
            ("true", "false", true), ("false", "true", false), ("", "false", false),
        ] as [(String?, String?, Bool)] {
            let entries = call.map { ["verify": $0] } ?? [:]
            let word = pool.map { ["verify-moves": $0] } ?? [:]
            #expect(try MirrorWishes.wantsVerification(entries, pool: word) == isCompared, "\(entries) \(word)")
        }
        let refusal = #expect(throws: APIError.self) {
            try MirrorWishes.wantsVerification(["verify": "perhaps"], pool: [:])
        }
        #expect(refusal == APIError("INVALID_VALUE", "verify", "perhaps"))
        // As XenAPI writes them.
        let words: [(String, Bool?)] = [("False", false), ("off", false), ("ON", true), ("1", true), ("no", nil)]
        for (word, isMeant) in words { #expect(MirrorWishes.boolean(word) == isMeant, "\(word)") }
    }

    /// A comparison's share of a task's progress follows the copy's, and says how long it takes.
    @Test func aComparisonIsAPartOfTheMovesProgress() {
        let seen = Recorder()
        let started = ContinuousClock.now - .seconds(10)
        MotionReport.tell(compared: 0, of: 1000, since: started, isVerified: true, to: seen)
        #expect(seen.fraction == MotionReport.copyShare(isVerified: true) && seen.notes["seconds_left"] == "")
        MotionReport.tell(compared: 500, of: 1000, since: started, isVerified: true, to: seen)
        #expect(seen.notes["phase"] == "verifying" && seen.notes["bytes_compared"] == "500")
        #expect(seen.notes["bytes_to_compare"] == "1000" && seen.notes["seconds_left"] == "10")
        #expect(["49", "50"].contains(seen.notes["bytes_per_second"]))
        MotionReport.tell(compared: 5000, of: 1000, since: started, isVerified: true, to: seen)
        #expect(seen.fraction <= 0.99 && seen.notes["bytes_compared"] == "1000" && seen.notes["seconds_left"] == "0")
        // Of two disks that are compared the longer one counts.
        let sum = SharedProgress.sum([
            ["phase": "verifying", "seconds_left": "7", "bytes_total": "9", "bytes_copied": "9"],
            ["phase": "synchronised", "seconds_left": "0"], ["phase": "verifying", "seconds_left": "3"],
        ])
        #expect(sum["phase"] == "verifying" && sum["seconds_left"] == "7")
    }

    /// The last look may have been before the end; what is done keeps no other disk's time.
    @Test func aComparisonThatIsOverSaysSo() {
        let seen = Recorder()
        MotionReport.tell(compared: 0, of: 1000, since: .now, isVerified: true, to: seen)
        MotionReport.tellCompared(all: 1000, isVerified: true, to: seen)
        #expect(seen.fraction == 0.99 && seen.notes["bytes_compared"] == "1000")
        #expect(seen.notes["phase"] == "synchronised" && seen.notes["seconds_left"] == "0")
    }

    /// What a process has copied of a snapshot counts as bytes, and what it compares then as work.
    @Test func whatIsComparedOfASnapshotIsNotCopied() {
        for share in [CopiedShare(copied: 0.5), CopiedShare(copied: 1, compared: 0.25)] {
            #expect(CopiedShare(line: share.line) == share)
        }
        for line in ["", "MIRROR", "1 ", " 1", "1 2 3", "1 x"] { #expect(CopiedShare(line: line) == nil, "\(line)") }
        let (part, disk) = (Recorder(), Recorder())
        let progress = SnapshotProgress(part, of: disk, bytes: 1000)
        progress.report(CopiedShare(copied: 1, compared: 0))
        #expect(part.notes["bytes_copied"] == "1000" && part.fraction == 0.7)
        progress.report(CopiedShare(copied: 1, compared: 1))
        #expect(part.notes["bytes_copied"] == "1000" && part.fraction == 1)
    }

    /// What is told last.
    private final class Recorder: TaskProgress {
        private let state = Mutex<(Double, [String: String])>((0, [:]))
        let cancellation = CancellationFlag()
        var fraction: Double { state.withLock { $0.0 } }
        var notes: [String: String] { state.withLock { $0.1 } }
        var entries: [String: String] { [:] }
        func report(_ fraction: Double) { state.withLock { $0.0 = fraction } }
        func annotate(_ entries: [String: String]) { state.withLock { $0.1.merge(entries) { $1 } } }
        func passPointOfNoReturn() {}
    }

    /// Who takes the wish to pause out of the task's entries is not left with a mirror that stands for ever.
    @Test func aWishToPauseThatIsTakenBackLetsTheMirrorGoOn() {
        let progress = UnwatchedProgress()
        var follower = MirrorFollower(told: MirrorSettings())
        func told(_ entries: [String: String]) -> MirrorSettings? { follower.change(entries, progress)?.told }
        #expect(told([:]) == nil)
        #expect(told(["paused": "true"]) == MirrorSettings(isPaused: true))
        #expect(told(["paused": "true"]) == nil)
        #expect(told([:]) == MirrorSettings(isPaused: false))
        #expect(told([:]) == nil)
        // What the move was started with is no wish of the entries.
        var started = MirrorFollower(told: MirrorSettings(isPaused: true))
        #expect(started.change([:], progress) == nil)
        // One that stood there when the mirror began is.
        var begun = MirrorFollower(told: MirrorSettings(isPaused: true), entries: ["paused": "true"])
        #expect(begun.change(["paused": "true"], progress) == nil)
        #expect(begun.change([:], progress)?.told == MirrorSettings(isPaused: false))
    }

    /// The least of what the move may and what its SRs leave to it; what they leave is no wish of the move.
    @Test func theRateOfAnSRIsSharedByItsCopies() {
        let progress = UnwatchedProgress()
        var follower = MirrorFollower(told: MirrorSettings(bytesPerSecond: 50))
        #expect(follower.change([:], progress) == nil)
        let limited = follower.change([:], share: 20, progress)
        #expect(limited == MirrorFollower.Change(told: MirrorSettings(bytesPerSecond: 20), wished: MirrorSettings()))
        #expect(follower.change([:], share: 20, progress) == nil)
        #expect(follower.change([:], share: 90, progress)?.told == MirrorSettings(bytesPerSecond: 50))
        let own = follower.change(["bytes-per-second": "0"], share: 90, progress)
        #expect(own?.told == MirrorSettings(bytesPerSecond: 90) && own?.wished == MirrorSettings(bytesPerSecond: 0))
        #expect(follower.change(["bytes-per-second": "0"], progress)?.told == MirrorSettings(bytesPerSecond: 0))
    }

    /// Behind every connection that was given up there may be a server that lives and still writes.
    @Test(arguments: [ImageSpecification.remote, ImageSpecification.nbd, "raw"], [0, 1] as [UInt64])
    func anExportThatWasReachedAgainIsCompared(format: String, retries: UInt64) {
        let details = MirrorDetails(
            settings: MirrorSettings(), isActive: false, isConverging: true, isRetrying: false, retries: retries,
            resumedBytes: 0, remainingSeconds: 0, delayedWrites: 0, delayMicroseconds: 0, longestDelayMicroseconds: 0)
        let status = MirrorStatus(
            phase: .synchronised, destination: ImageSpecification(path: "place", format: format), totalBytes: 1,
            copiedBytes: 1, dirtyBytes: 0, bytesPerSecond: 1, error: nil, failedSide: nil, details: details)
        #expect(status.isReconnected == (retries > 0 && format != "raw"))
        // A data path that knows more says it itself.
        for known in [false, true] {
            var told = status
            told.details?.mustBeCompared = known
            #expect(told.isReconnected == known)
        }
    }

    /// Of a mirror that is in sync nothing is left to copy, however much its source was thought to have.
    @Test func allIsCopiedOfAMirrorInSync() {
        let cases: [(MirrorPhase, String)] = [
            (.copying, "9"), (.broken, "9"), (.synchronised, "7"), (.dual, "7"),
        ]
        for (phase, total) in cases {
            let status = MirrorStatus(
                phase: phase, destination: ImageSpecification(path: "place", format: "raw"), totalBytes: 9,
                copiedBytes: 7, dirtyBytes: 0, bytesPerSecond: 1, error: nil, failedSide: nil, details: nil)
            #expect(status.notes["bytes_total"] == total && status.notes["bytes_copied"] == "7", "\(phase)")
        }
    }

    /// The copy of a snapshot is held back by the same words as a mirror. What was wished holds for what follows; a pause is asked for
    /// again.
    @Test func whatIsWishedOfAMoveHoldsForItsSnapshots() async {
        let task = WishedProgress()
        let kept = Mutex<[MirrorSettings]>([])
        let limits = CopyLimits(MirrorSettings(bytesPerSecond: 50), bytesPerSecond: 0) { wishes in
            kept.withLock { $0.append(wishes) }
        } share: {
            task.share
        }
        #expect(await limits.atStart(task) == MirrorSettings(bytesPerSecond: 50, isPaused: false))
        #expect(await limits.change(task) == nil)
        task.set(["paused": "true"], share: 20)
        #expect(await limits.change(task) == MirrorSettings(bytesPerSecond: 20, isPaused: true))
        #expect(limits.wishes == MirrorSettings())
        task.set(["bytes-per-second": "80"], share: 90)
        #expect(await limits.change(task) == MirrorSettings(bytesPerSecond: 80, isPaused: false))
        #expect(limits.wishes == MirrorSettings(bytesPerSecond: 80, isPaused: false))
        #expect(task.notes["mirror_paused"] == "false")
        // Each is kept when it is wished, for a toolstack that is started meanwhile.
        #expect(
            kept.withLock { $0 } == [
                MirrorSettings(isPaused: true), MirrorSettings(bytesPerSecond: 80, isPaused: false),
            ])
        // One that begins where others have a part of the rate already.
        task.set(["paused": "1"], share: 30)
        let next = CopyLimits(MirrorSettings(), bytesPerSecond: 40) { task.share }
        #expect(await next.atStart(task) == MirrorSettings(bytesPerSecond: 30, isPaused: true))
    }

    /// Two disks, one with two snapshots: each counts what there is to copy of it, from the beginning to the end.
    @Test func snapshotsCountAmongWhatIsCopied() {
        let task = WishedProgress()
        let shares = DiskShares([[100, 200, 300], [400]], of: task)
        let (first, second) = (shares.share(0), shares.share(1))
        first.disk.annotate(["phase": "snapshots"])
        #expect(task.notes["bytes_total"] == "1000" && task.notes["bytes_copied"] == "0")
        first.snapshots[0].finish()
        first.snapshots[1].report(0.5, at: .now + .seconds(1))
        #expect(task.notes["bytes_copied"] == "200" && task.notes["phase"] == "snapshots")
        #expect(abs(task.fraction - 0.2) < 0.001)
        let rate = task.notes["bytes_per_second"].flatMap { Int($0) } ?? 0
        // A busy machine may take a while between the two.
        #expect(rate > 5 && rate <= 100)
        first.snapshots[1].finish()
        for (part, bytes) in [(first.disk, 310), (second.disk, 390)] {
            part.annotate([
                "phase": "synchronised", "bytes_total": String(bytes), "bytes_copied": String(bytes),
                "bytes_per_second": "0",
            ])
        }
        #expect(task.notes["bytes_copied"] == "1000" && task.notes["bytes_total"] == "1000")
        // Who is looked at again says nothing of itself alone.
        SilentProgress(shares.disk(1), task).annotate(["bytes_total": "390", "bytes_copied": "390"])
        #expect(task.notes["bytes_copied"] == "1000" && task.notes["phase"] == "synchronised")
    }
}

/// A task whose entries and notes are at hand.
private final class WishedProgress: TaskProgress {
    private struct State {
        var entries: [String: String] = [:]
        var share: UInt64?
        var notes: [String: String] = [:]
        var fraction = 0.0
    }

    private let state = Mutex(State())
    let cancellation = CancellationFlag()
    var entries: [String: String] { state.withLock { $0.entries } }
    var share: UInt64? { state.withLock { $0.share } }
    var notes: [String: String] { state.withLock { $0.notes } }
    var fraction: Double { state.withLock { $0.fraction } }

    func set(_ entries: [String: String], share: UInt64?) {
        state.withLock { ($0.entries, $0.share) = (entries, share) }
    }

    func report(_ fraction: Double) { state.withLock { $0.fraction = fraction } }
    func annotate(_ entries: [String: String]) { state.withLock { $0.notes.merge(entries) { $1 } } }
}
