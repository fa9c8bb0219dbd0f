/// Decides, a few times a second, how a mirror reaches its end without holding up the guest more than it must; no I/O.
///
/// A background mirror costs the guest nothing, and comes to its end only where the copier is quicker than the guest. An
/// active one always comes to its end: what is clean stays so, and each guest write to it waits for one write of the
/// destination, which waits for the copier's, because one file takes one write at a time. So: in the background, while that
/// leads somewhere; active when the remainder is small, or when the guest changes most of what is copied, if it may be delayed.
/// That last decision stays until the mirror is in sync. For a guest that may not be delayed it is active only in sync, where a
/// write waits for no copy. docs/adr/0017 has the measurements.
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
        /// Of those, writes that the destination did not answer in time.
        public var lateWrites: UInt64 = 0
        /// At a moment in between nothing was left to copy, and the mirror became active.
        public var hasCaughtUp = false

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

    /// The remainder that is finished actively at once, bytes.
    static let smallRemainder: UInt64 = 16 << 20
    /// How long a background mirror is watched before it is said to lead nowhere.
    static let patience: UInt64 = 1_000_000_000
    /// It leads nowhere when the remainder has shrunk by less than this part of what was copied meanwhile.
    static let leastGain: UInt64 = 4

    private var isActive = false
    private var isForced = false
    /// Nothing was left to copy, and nothing has become dirty since, which in an active mirror is a failure's doing.
    private var isInSync = false
    private var lastDirty: UInt64 = 0
    private var isConverging = true
    private var copyShare: UInt64 = 100
    private var outlook = Outlook.good
    private var isLate = false
    /// Since the last judgement, with what was dirty then; `writes` and `copiedBytes` are sums.
    private var watched: Sample?

    public init() {}

    public mutating func decide(_ sample: Sample, _ options: MirrorOptions) -> Verdict {
        let source = sample.writes > 0 ? sample.sourceNanoseconds / sample.writes : 0
        let destination = sample.mirroredWrites > 0 ? sample.destinationNanoseconds / sample.mirroredWrites : 0
        watch(sample, isPaused: options.isPaused)
        isInSync = sample.dirtyBytes == 0 || sample.hasCaughtUp || (isInSync && sample.dirtyBytes <= lastDirty)
        lastDirty = sample.dirtyBytes
        switch options.mode {
        case .active: isActive = true
        case .background: isActive = false
        case .automatic:
            let isSmall = sample.dirtyBytes <= Self.smallRemainder
            if sample.dirtyBytes == 0 || !options.mayDelay {
                isForced = false
            } else if !isSmall, outlook == .hopeless {
                isForced = true
            }
            isActive = isForced || (options.mayDelay ? isSmall : isInSync)
        }
        // One that does not keep up with active writes is not filled by them either.
        isConverging = outlook == .good || isActive && !isLate
        share(latency: destination + source, options.latencyBudget, hasWrites: sample.writes > 0)
        return Verdict(isActive: isActive, copyShare: copyShare, isConverging: isConverging)
    }

    /// What is to be expected of a mirror in the background.
    private enum Outlook {
        case good
        /// The guest makes dirty what is copied.
        case hopeless
        /// Nothing is copied. Active writes would wait for the same destination.
        case stuck
    }

    /// Judges once in `patience`: of what the copier did, how much did the guest leave?
    private mutating func watch(_ sample: Sample, isPaused: Bool) {
        guard var sum = watched, sample.dirtyBytes > 0, !isPaused else {
            outlook = .good
            isLate = false
            begin(sample)
            return
        }
        sum.nanoseconds += sample.nanoseconds
        sum.copiedBytes = sum.copiedBytes.addingReportingOverflow(sample.copiedBytes).partialValue
        sum.writes += sample.writes
        sum.lateWrites += sample.lateWrites
        watched = sum
        if sum.nanoseconds < Self.patience { return }
        isLate = sum.lateWrites > 0
        let gain = sum.dirtyBytes > sample.dirtyBytes ? sum.dirtyBytes - sample.dirtyBytes : 0
        if sum.writes == 0 || gain > sum.copiedBytes / Self.leastGain {
            outlook = .good
        } else {
            outlook = sum.copiedBytes > 0 ? .hopeless : .stuck
        }
        begin(sample)
    }

    private mutating func begin(_ sample: Sample) {
        watched = Sample(nanoseconds: 0, dirtyBytes: sample.dirtyBytes, copiedBytes: 0)
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
