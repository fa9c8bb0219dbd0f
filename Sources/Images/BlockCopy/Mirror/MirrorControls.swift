import Synchronization

/// What may be said about a running mirror at any time.
public struct MirrorOptions: Equatable, Sendable {
    /// How guest writes reach the destination.
    public enum Mode: String, Sendable {
        /// As `MirrorPolicy` decides.
        case automatic
        /// Before the guest is answered, wherever the copy has been.
        case active
        /// Later, by the copier alone. Such a mirror may never be in sync.
        case background
    }

    public var mode: Mode = .automatic
    /// Bytes per second for the copier; 0: no limit.
    public var bytesPerSecond: UInt64 = 0
    /// Nanoseconds that a guest write may take on average while the mirror copies; above it the copier gives way. 0: no limit.
    public var latencyBudget: UInt64 = 0
    /// Whether the guest may be held to the destination's speed (one write of its own at a time) while something is left to
    /// copy: the last bit, or where the mirror would not come to its end otherwise. If not, an automatic mirror waits for a
    /// moment in which nothing is, and tells when it does not converge (`isConverging`). In sync, until the pivot, every guest
    /// write goes to both images all the same; in the mode `background` only when the pivot is asked for.
    public var mayDelay = true
    /// Nanoseconds for which a destination that fails is tried again; 0: not at all.
    public var retryFor: UInt64 = 0
    /// Nothing is copied; guest writes are noted, or go on to the destination where that is in sync.
    public var isPaused = false

    public init() {}

    /// Nanoseconds that a guest's write waits for a destination that does not answer; then the source alone answers. Twenty
    /// times what a write may take on average, within bounds: a disk that is only slow now and then is not left out for that.
    public var patience: UInt64 {
        latencyBudget == 0
            ? Self.longestPatience
            : min(Self.longestPatience, max(Self.leastPatience, min(latencyBudget, Self.longestPatience) * 20))
    }

    private static let longestPatience: UInt64 = 500_000_000
    private static let leastPatience: UInt64 = 100_000_000
}

/// The options as the threads of a mirror read them, and what its policy has decided.
final class MirrorControls: Sendable {
    private let current: Mutex<MirrorOptions>
    private let active: Atomic<Bool>
    private let paused: Atomic<Bool>
    private let rate: Atomic<UInt64>
    private let waiting: Atomic<UInt64>
    private let percent = Atomic<UInt64>(100)
    private let converges = Atomic<Bool>(true)
    private let urgent = Atomic<Bool>(false)
    private let hasCaughtUp = Atomic<Bool>(false)

    init(_ options: MirrorOptions) {
        current = Mutex(options)
        paused = Atomic(options.isPaused)
        rate = Atomic(options.bytesPerSecond)
        waiting = Atomic(options.patience)
        active = Atomic(options.mode == .active)
    }

    var options: MirrorOptions {
        get { current.withLock { $0 } }
        set {
            current.withLock { $0 = newValue }
            paused.store(newValue.isPaused, ordering: .relaxed)
            rate.store(newValue.bytesPerSecond, ordering: .relaxed)
            waiting.store(newValue.patience, ordering: .relaxed)
            switch newValue.mode {
            case .active: active.store(true, ordering: .releasing)
            case .background: active.store(false, ordering: .releasing)
            case .automatic: break
            }
        }
    }

    var isPaused: Bool { paused.load(ordering: .relaxed) }
    /// As `MirrorOptions`.
    var patience: UInt64 { waiting.load(ordering: .relaxed) }
    var bytesPerSecond: UInt64 { rate.load(ordering: .relaxed) }
    /// Guest writes go to the destination before they are answered.
    var isActive: Bool { active.load(ordering: .acquiring) || urgent.load(ordering: .acquiring) }
    /// Somebody waits for the pivot: nothing becomes dirty any more, whatever the mode.
    func hurry() { urgent.store(true, ordering: .releasing) }
    /// Nobody does any more.
    func relax() { urgent.store(false, ordering: .releasing) }
    /// An automatic mirror with nothing left to copy becomes active at once. True when it was not.
    func stayInSync() -> Bool {
        current.withLock { options in
            guard options.mode == .automatic, !active.exchange(true, ordering: .acquiringAndReleasing) else {
                return false
            }
            hasCaughtUp.store(true, ordering: .releasing)
            return true
        }
    }
    /// Whether it has since this was asked last, for the policy.
    func takeCaughtUp() -> Bool { hasCaughtUp.exchange(false, ordering: .acquiringAndReleasing) }
    /// Percent of their time that the copier's threads may work.
    var copyShare: UInt64 { percent.load(ordering: .relaxed) }
    /// False: the guest writes faster than the destination takes, and may not be delayed.
    var isConverging: Bool { converges.load(ordering: .relaxed) }

    func apply(_ verdict: MirrorPolicy.Verdict) {
        current.withLock { _ in
            // It may have become so since what the verdict is about.
            let isActive = verdict.isActive || hasCaughtUp.load(ordering: .acquiring)
            active.store(isActive, ordering: .releasing)
        }
        percent.store(verdict.copyShare, ordering: .relaxed)
        converges.store(verdict.isConverging, ordering: .relaxed)
    }
}
