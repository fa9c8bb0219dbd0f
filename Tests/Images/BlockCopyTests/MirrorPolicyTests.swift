import BlockCopy
import Testing

@Suite struct MirrorPolicyTests {
    private static let tick: UInt64 = 250_000_000

    /// Samples of a guest whose writes take `destination` nanoseconds there and 100 µs in the source.
    private func sample(dirty: UInt64, destination: UInt64, copied: UInt64 = 0, writes: UInt64 = 100)
        -> MirrorPolicy.Sample
    {
        var sample = MirrorPolicy.Sample(nanoseconds: Self.tick, dirtyBytes: dirty, copiedBytes: copied)
        sample.writes = writes
        sample.sourceNanoseconds = writes * 100_000
        sample.mirroredWrites = destination > 0 ? writes : 0
        sample.destinationNanoseconds = writes * destination
        return sample
    }

    /// However quick the destination is: each write to it would wait for the copier's.
    @Test func theGuestIsNotDelayedWhileTheRemainderShrinks() {
        var policy = MirrorPolicy()
        for dirty in stride(from: UInt64(1 << 40), to: 1 << 30, by: -(1 << 31)) {
            // A quarter of what is copied is dirty again.
            let now = sample(dirty: dirty, destination: 0, copied: (1 << 31) / 3 * 4)
            #expect(policy.decide(now, MirrorOptions()) == .init(isActive: false, copyShare: 100, isConverging: true))
        }
        #expect(policy.decide(sample(dirty: 8 << 20, destination: 0, copied: 1 << 30), MirrorOptions()).isActive)
        #expect(policy.decide(sample(dirty: 0, destination: 150_000), MirrorOptions()).isActive)
        // A destination that was lost and begun anew is filled as the first was.
        #expect(!policy.decide(sample(dirty: 1 << 30, destination: 150_000), MirrorOptions()).isActive)
    }

    /// What does not shrink comes to its end by delaying the guest, or, where that is forbidden, says that it will not.
    @Test(arguments: [true, false])
    func aGuestThatIsTooFastIsDelayedOrTheMirrorSaysThatItWillNotEnd(mayDelay: Bool) {
        var policy = MirrorPolicy()
        var options = MirrorOptions()
        options.mayDelay = mayDelay
        var verdict = policy.decide(sample(dirty: 1 << 30, destination: 0, copied: 1 << 28), options)
        #expect(!verdict.isActive && verdict.isConverging)
        for _ in 0..<4 { verdict = policy.decide(sample(dirty: 1 << 30, destination: 0, copied: 1 << 28), options) }
        #expect(verdict.isActive == mayDelay && verdict.isConverging == mayDelay)
        // Once decided it stays so, however slow the destination is.
        let later = sample(dirty: 1 << 29, destination: mayDelay ? 20_000_000 : 0, copied: 0)
        for _ in 0..<4 { verdict = policy.decide(later, options) }
        #expect(verdict.isActive == mayDelay)
    }

    /// One whose destination does not answer active writes in time is told not to end either, until it answers.
    @Test func aMirrorThatCannotKeepUpWithItsGuestSaysSo() {
        var policy = MirrorPolicy()
        var late = sample(dirty: 1 << 30, destination: 500_000_000, copied: 1 << 28)
        late.lateWrites = 2
        var verdict = policy.decide(late, MirrorOptions())
        for _ in 0..<8 { verdict = policy.decide(late, MirrorOptions()) }
        #expect(verdict.isActive && !verdict.isConverging)
        for _ in 0..<8 {
            verdict = policy.decide(sample(dirty: 1 << 30, destination: 1_000_000, copied: 1 << 28), MirrorOptions())
        }
        #expect(verdict.isActive && verdict.isConverging)
    }

    /// Nor at the end: until a moment comes in which nothing is left to copy, the copier alone writes to the destination.
    @Test func aGuestThatMayNotBeDelayedIsNotWhenLittleIsLeft() {
        var policy = MirrorPolicy()
        var options = MirrorOptions()
        options.mayDelay = false
        for dirty in stride(from: UInt64(16 << 20), to: 0, by: -(1 << 20)) {
            let verdict = policy.decide(sample(dirty: dirty, destination: 0, copied: 2 << 20), options)
            #expect(!verdict.isActive && verdict.isConverging)
        }
        var verdict = policy.decide(sample(dirty: 1 << 20, destination: 0, copied: 8 << 20), options)
        for _ in 0..<8 { verdict = policy.decide(sample(dirty: 1 << 20, destination: 0, copied: 8 << 20), options) }
        #expect(!verdict.isActive && !verdict.isConverging)
        // Between two looks it has caught up; writes that had begun before are still to be copied.
        var now = sample(dirty: 1 << 20, destination: 20_000_000)
        now.hasCaughtUp = true
        #expect(policy.decide(now, options) == .init(isActive: true, copyShare: 100, isConverging: true))
        for dirty in [UInt64(1 << 20), 64 << 10, 0, 0] {
            #expect(policy.decide(sample(dirty: dirty, destination: 20_000_000), options).isActive)
        }
        // A failure of either side has left something to copy.
        #expect(!policy.decide(sample(dirty: 64 << 10, destination: 0), options).isActive)
    }

    /// The wish counts from when it is said, in either direction.
    @Test func theGuestIsLetGoWhenItMayNotBeDelayedAnyMore() {
        var policy = MirrorPolicy()
        var options = MirrorOptions()
        let busy = sample(dirty: 1 << 30, destination: 0, copied: 1 << 28)
        for _ in 0..<5 { _ = policy.decide(busy, options) }
        #expect(policy.decide(busy, options).isActive)
        options.mayDelay = false
        #expect(!policy.decide(busy, options).isActive)
        #expect(!policy.decide(sample(dirty: 8 << 20, destination: 0, copied: 1 << 28), options).isActive)
        options.mayDelay = true
        #expect(policy.decide(sample(dirty: 8 << 20, destination: 0, copied: 1 << 28), options).isActive)
    }

    /// Nothing arrives there: the guest's writes would not either.
    @Test func aDestinationThatTakesNothingDoesNotGetTheGuestsWrites() {
        var policy = MirrorPolicy()
        var verdict = policy.decide(sample(dirty: 1 << 30, destination: 0), MirrorOptions())
        for _ in 0..<40 { verdict = policy.decide(sample(dirty: 1 << 30, destination: 0), MirrorOptions()) }
        #expect(verdict == .init(isActive: false, copyShare: 100, isConverging: false))
        // It was only paused, or nobody writes.
        var options = MirrorOptions()
        options.isPaused = true
        #expect(policy.decide(sample(dirty: 1 << 30, destination: 0), options).isConverging)
        for _ in 0..<8 { verdict = policy.decide(sample(dirty: 1 << 30, destination: 0, writes: 0), MirrorOptions()) }
        #expect(verdict.isConverging && !verdict.isActive)
    }

    @Test func theCopierGivesWayWhileTheGuestIsOverItsBudget() {
        var policy = MirrorPolicy()
        var options = MirrorOptions()
        options.latencyBudget = 1_000_000
        options.mode = .active
        var verdict = policy.decide(sample(dirty: 1 << 30, destination: 3_000_000), options)
        #expect(verdict.copyShare == 50)
        for _ in 0..<10 { verdict = policy.decide(sample(dirty: 1 << 30, destination: 3_000_000), options) }
        #expect(verdict.copyShare == 5)
        for _ in 0..<12 { verdict = policy.decide(sample(dirty: 1 << 30, destination: 200_000), options) }
        #expect(verdict.copyShare == 100)
    }

    @Test func aModeThatIsAskedForIsKept() {
        var policy = MirrorPolicy()
        var options = MirrorOptions()
        options.mode = .background
        #expect(!policy.decide(sample(dirty: 0, destination: 0), options).isActive)
        options.mode = .active
        #expect(policy.decide(sample(dirty: 1 << 30, destination: 1 << 40), options).isActive)
    }
}
