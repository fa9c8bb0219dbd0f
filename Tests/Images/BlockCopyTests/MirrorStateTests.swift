import BlockCopy
import Testing

@Suite struct MirrorStateTests {
    private func state(_ events: MirrorState.Event...) -> MirrorState {
        var state = MirrorState()
        for event in events {
            let legal = state.handle(event)
            #expect(legal, "\(event)")
        }
        return state
    }

    private func refuses(_ state: MirrorState, _ event: MirrorState.Event) -> Bool {
        var copy = state
        return !copy.handle(event) && copy == state
    }

    @Test func theStraightWayEndsOnTheDestination() {
        #expect(state(.caughtUp, .join, .prepare, .commit).phase == .finished(useDestination: true))
    }

    @Test func noCommitWithoutPreparing() {
        let copying = state()
        #expect(refuses(copying, .commit) && refuses(copying, .prepare) && refuses(copying, .join))
        let synchronised = state(.caughtUp)
        #expect(refuses(synchronised, .commit) && refuses(synchronised, .prepare))
        let fallenBehind = state(.caughtUp, .fellBehind)
        #expect(refuses(fallenBehind, .prepare))
    }

    @Test func aBrokenDestinationCanOnlyBeGivenUpOrFilledAgain() {
        var broken = state(.caughtUp, .destinationFailed)
        for event in [MirrorState.Event.caughtUp, .join, .prepare, .commit] { #expect(refuses(broken, event)) }
        _ = broken.handle(.cancel)
        #expect(broken.phase == .finished(useDestination: false))
    }

    /// Until the destination is durable nobody has been told that it is the disk: it may drop out.
    @Test func aDestinationThatFailsBeforeItIsDurableIsBroken() {
        #expect(state(.caughtUp, .join, .destinationFailed).phase == .broken)
        #expect(state(.caughtUp, .join, .fellBehind).phase == .copying)
        #expect(state(.caughtUp, .destinationFailed, .recovered).phase == .copying)
        let joining = state(.caughtUp, .join)
        #expect(refuses(joining, .commit))
    }

    @Test func afterAFailureInTheDualPhaseEitherSideMayWin() {
        #expect(state(.caughtUp, .join, .prepare, .oneSideFailed, .commit).phase == .finished(useDestination: true))
        #expect(state(.caughtUp, .join, .prepare, .oneSideFailed, .cancel).phase == .finished(useDestination: false))
    }

    @Test func nothingFollowsTheEnd() {
        for end in [state(.cancel), state(.caughtUp, .join, .prepare, .commit)] {
            for event in [
                MirrorState.Event.caughtUp, .fellBehind, .destinationFailed, .prepare, .oneSideFailed, .commit, .cancel,
            ] {
                #expect(refuses(end, event))
            }
        }
    }
}
