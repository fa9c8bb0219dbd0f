/// What may be said about a mirror, at its start and while it runs; what is nil stays as it is.
public struct MirrorSettings: Codable, Hashable, Sendable {
    /// Most bytes that the copier moves in a second; 0: no limit.
    public var bytesPerSecond: UInt64?
    /// Microseconds that a guest write may take on average because of the mirror; 0: as the data path finds right.
    public var latencyBudget: UInt64?
    /// `automatic`, `active` (guest writes reach both images before they are answered) or `background`.
    public var mode: String?
    /// The guest may be held to the destination's speed where the mirror would not end otherwise.
    public var mayDelay: Bool?
    /// Seconds for which a destination that fails is tried again; 0: not at all.
    public var retrySeconds: UInt64?
    public var isPaused: Bool?

    public init(
        bytesPerSecond: UInt64? = nil, latencyBudget: UInt64? = nil, mode: String? = nil, mayDelay: Bool? = nil,
        retrySeconds: UInt64? = nil, isPaused: Bool? = nil
    ) {
        self.bytesPerSecond = bytesPerSecond
        self.latencyBudget = latencyBudget
        self.mode = mode
        self.mayDelay = mayDelay
        self.retrySeconds = retrySeconds
        self.isPaused = isPaused
    }
}

/// More about a mirror than `MirrorStatus` has had from the start.
public struct MirrorDetails: Codable, Hashable, Sendable {
    public var settings: MirrorSettings
    /// Guest writes reach both images before they are answered, now.
    public var isActive: Bool
    /// False: the guest writes faster than the destination takes, and may not be delayed.
    public var isConverging: Bool
    /// Broken, and the destination is being tried again.
    public var isRetrying: Bool
    public var retries: UInt64
    /// Bytes that an earlier process had copied, from whose map this one went on.
    public var resumedBytes: UInt64
    /// Seconds until it is in sync at the present rate; nil when that cannot be said.
    public var remainingSeconds: UInt64?
    /// Guest writes that waited for the destination, the microseconds of all, and of the longest.
    public var delayedWrites: UInt64
    public var delayMicroseconds: UInt64
    public var longestDelayMicroseconds: UInt64
    /// The destination was reached again, or a process before this one wrote to its server: both are compared before it is the
    /// disk, by `mirrorVerify`, or by `pivotPrepare` when nobody has asked for that. Nil from earlier versions.
    public var mustBeCompared: Bool?
    /// Writes of the destination that were not answered in time, so that guests were answered by the source alone; nil from
    /// earlier versions.
    public var lateWrites: UInt64?
    /// Both images were compared and found the same, and what was written since went to both at once. Nil from earlier versions.
    public var isCompared: Bool?
    /// Bytes of the disk that a comparison under way has found the same; nil while there is none.
    public var comparedBytes: UInt64?

    public init(
        settings: MirrorSettings, isActive: Bool, isConverging: Bool, isRetrying: Bool, retries: UInt64,
        resumedBytes: UInt64, remainingSeconds: UInt64?, delayedWrites: UInt64, delayMicroseconds: UInt64,
        longestDelayMicroseconds: UInt64
    ) {
        self.settings = settings
        self.isActive = isActive
        self.isConverging = isConverging
        self.isRetrying = isRetrying
        self.retries = retries
        self.resumedBytes = resumedBytes
        self.remainingSeconds = remainingSeconds
        self.delayedWrites = delayedWrites
        self.delayMicroseconds = delayMicroseconds
        self.longestDelayMicroseconds = longestDelayMicroseconds
    }
}
