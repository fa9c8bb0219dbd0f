import CoreTypes
import DatapathControl
import Testing

@testable import Toolstack

struct MirrorWishesTests {
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
}
