/// Decides, a few times a second, how a mirror reaches its end without holding up the guest more than it must; no I/O.
///
/// An active mirror always comes to its end: what is clean stays so, and each guest write to it waits for one write of the
/// destination. A background mirror costs the guest nothing and comes to its end only if the copier is quicker than the
/// guest. So: active while the destination is quick; in the background when it is not; active again when the remainder is
/// small, or has stopped shrinking and the guest may be delayed. That last decision stays until the mirror is in sync.
public struct MirrorPolicy: Sendable {
    /// What happened since the last call.
    public struct Sample: Sendable {
        public var nanoseconds: UInt64
        public var dirtyBytes: UInt64
        /// Moved by the copier.
        public var copiedBytes: UInt64
        /// Guest writes, and the nanoseconds that they took in the source and in the destination.
        public var writes: UInt64 = 0
        public var sourceNanoseconds: UInt64 = 0
        public var mirroredWrites: UInt64 = 0
        public var destinationNanoseconds: UInt64 = 0

        public init(nanoseconds: UInt64, dirtyBytes: UInt64, copiedBytes: UInt64) {
            self.nanoseconds = nanoseconds
            self.dirtyBytes = dirtyBytes
            self.copiedBytes = copiedBytes
        }
    }

    public struct Verdict: Equatable, Sendable {
        public var isActive: Bool
        /// 1 to 100.
        public var copyShare: UInt64
        public var isConverging: Bool

        public init(isActive: Bool, copyShare: UInt64, isConverging: Bool) {
            self.isActive = isActive
            self.copyShare = copyShare
            self.isConverging = isConverging
        }
    }

    /// A destination that answers sooner is quick, whatever the source does.
    static let quickEnough: UInt64 = 2_000_000
    /// One that takes more than this many times as long as the source is not.
    static let slowFactor: UInt64 = 8
    /// The remainder that is finished actively at once, bytes.
    static let smallRemainder: UInt64 = 16 << 20
    /// For how long the remainder must not have shrunk by a twentieth.
    static let patience: UInt64 = 3_000_000_000

    private var isActive = true
    private var isForced = false
    private var isConverging = true
    private var copyShare: UInt64 = 100
    private var leastDirty = UInt64.max
    private var sinceLeast: UInt64 = 0

    public init() {}

    public mutating func decide(_ sample: Sample, _ options: MirrorOptions) -> Verdict {
        let source = sample.writes > 0 ? sample.sourceNanoseconds / sample.writes : 0
        let destination = sample.mirroredWrites > 0 ? sample.destinationNanoseconds / sample.mirroredWrites : 0
        watch(sample)
        let limit = options.latencyBudget > 0 ? options.latencyBudget : max(Self.quickEnough, source * Self.slowFactor)
        switch options.mode {
        case .active: isActive = true
        case .background: isActive = false
        case .automatic:
            if sample.dirtyBytes == 0 { isForced = false }
            if isActive, !isForced, destination > limit, sample.dirtyBytes > Self.smallRemainder {
                isActive = false
                restart(sample)
            } else if !isActive, sample.dirtyBytes <= Self.smallRemainder, options.mayDelay || destination <= limit {
                isActive = true
            } else if !isActive, isStalled, options.mayDelay {
                isActive = true
                isForced = true
            }
        }
        // What has stopped shrinking in the background, with writes to blame, is not going to end.
        isConverging = isActive || !isStalled || sample.writes == 0 || options.isPaused
        share(latency: destination + source, options.latencyBudget, hasWrites: sample.writes > 0)
        return Verdict(isActive: isActive, copyShare: copyShare, isConverging: isConverging)
    }

    private var isStalled: Bool { sinceLeast >= Self.patience }

    private mutating func restart(_ sample: Sample) {
        leastDirty = sample.dirtyBytes
        sinceLeast = 0
    }

    private mutating func watch(_ sample: Sample) {
        if sample.dirtyBytes <= leastDirty - leastDirty / 20 || sample.dirtyBytes == 0 {
            restart(sample)
        } else {
            sinceLeast += sample.nanoseconds
        }
    }

    /// With a budget: the copier gives way while guest writes take longer, and takes more again when they do not.
    private mutating func share(latency: UInt64, _ budget: UInt64, hasWrites: Bool) {
        if budget == 0 || !hasWrites {
            copyShare = 100
        } else if latency > budget {
            copyShare = max(5, copyShare / 2)
        } else if latency < budget - budget / 4 {
            copyShare = min(100, copyShare + 10)
        }
    }
}
