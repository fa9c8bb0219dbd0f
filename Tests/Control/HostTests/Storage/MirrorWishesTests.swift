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
}
