public import BlockIO

/// A sample of a mirror's progress. Bytes are of virtual disk.
public struct MirrorProgress: Sendable {
    public let phase: MirrorState.Phase
    public let totalBytes: UInt64
    public let copiedBytes: UInt64
    public let dirtyBytes: UInt64
    public let bytesPerSecond: UInt64
    public let error: BlockError?
    /// In `undecided`, the image that refused first.
    public let failedSide: MirrorSide?
    public let options: MirrorOptions
    /// Guest writes reach the destination before they are answered.
    public let isActive: Bool
    /// False: the guest writes faster than the destination takes, and may not be delayed.
    public let isConverging: Bool
    /// In `broken`: the destination is being tried again.
    public let isRetrying: Bool
    /// The destination owes answers that nobody waits for any more, or hangs: guests are answered by the source alone.
    public let isSilent: Bool
    public let retries: UInt64
    /// What an earlier process had copied.
    public let resumedBytes: UInt64
    /// As `MirrorTrust`.
    public let mustBeCompared: Bool
    public let isCompared: Bool
    /// Bytes of the disk that a comparison has found alike; nil while there is none.
    public let comparedBytes: UInt64?
    /// Guest writes that waited for the destination, for how long in all, and the longest.
    public let delayedWrites: UInt64
    public let delayNanoseconds: UInt64
    public let longestDelayNanoseconds: UInt64
    /// Writes of the destination that guests, and the copier where a guest might wait, have not waited for.
    public let lateWrites: UInt64

    /// Seconds until it is in sync at the present rate; nil when that cannot be said.
    public var remainingSeconds: UInt64? {
        if dirtyBytes == 0 { return 0 }
        let left = totalBytes > copiedBytes ? min(dirtyBytes, totalBytes - copiedBytes) : dirtyBytes
        return bytesPerSecond == 0 || !isConverging ? nil : left / bytesPerSecond
    }
}
