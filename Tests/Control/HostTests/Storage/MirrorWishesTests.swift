import CoreTypes
import DatapathControl
import Testing

@testable import Toolstack

struct MirrorWishesTests {
    /// Who takes the wish to pause out of the task's entries is not left with a mirror that stands for ever.
    @Test func aWishToPauseThatIsTakenBackLetsTheMirrorGoOn() {
        let progress = UnwatchedProgress()
        var follower = MirrorFollower(told: MirrorSettings())
        #expect(follower.change([:], progress) == nil)
        #expect(follower.change(["paused": "true"], progress) == MirrorSettings(isPaused: true))
        #expect(follower.change(["paused": "true"], progress) == nil)
        #expect(follower.change([:], progress) == MirrorSettings(isPaused: false))
        #expect(follower.change([:], progress) == nil)
        // What the move was started with is no wish of the entries.
        var started = MirrorFollower(told: MirrorSettings(isPaused: true))
        #expect(started.change([:], progress) == nil)
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
    }
}
