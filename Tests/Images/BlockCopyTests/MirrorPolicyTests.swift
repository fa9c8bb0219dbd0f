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

    @Test func aQuickDestinationIsWrittenAtOnce() {
        var policy = MirrorPolicy()
        for dirty in stride(from: UInt64(1 << 30), to: 0, by: -(1 << 28)) {
            let verdict = policy.decide(sample(dirty: dirty, destination: 150_000), MirrorOptions())
            #expect(verdict == .init(isActive: true, copyShare: 100, isConverging: true))
        }
    }

    @Test func aSlowDestinationIsFilledInTheBackgroundAndFinishedActively() {
        var policy = MirrorPolicy()
        #expect(!policy.decide(sample(dirty: 1 << 30, destination: 20_000_000), MirrorOptions()).isActive)
        #expect(!policy.decide(sample(dirty: 1 << 29, destination: 0), MirrorOptions()).isActive)
        #expect(policy.decide(sample(dirty: 8 << 20, destination: 0), MirrorOptions()).isActive)
    }

    /// What has stopped shrinking comes to its end by delaying the guest, or, where that is forbidden, says that it will not.
    @Test(arguments: [true, false])
    func aGuestThatIsTooFastIsDelayedOrTheMirrorSaysThatItWillNotEnd(mayDelay: Bool) {
        var policy = MirrorPolicy()
        var options = MirrorOptions()
        options.mayDelay = mayDelay
        var verdict = policy.decide(sample(dirty: 1 << 30, destination: 20_000_000), options)
        #expect(!verdict.isActive && verdict.isConverging)
        for _ in 0..<20 { verdict = policy.decide(sample(dirty: 1 << 30, destination: 0), options) }
        #expect(verdict.isActive == mayDelay && verdict.isConverging == mayDelay)
        // Once decided it stays so, however slow the destination is.
        let later = sample(dirty: 1 << 29, destination: mayDelay ? 20_000_000 : 0)
        for _ in 0..<4 { verdict = policy.decide(later, options) }
        #expect(verdict.isActive == mayDelay)
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
