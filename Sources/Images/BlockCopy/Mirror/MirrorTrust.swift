/// How far a mirror may believe that its destination holds what was written to it. A value.
///
/// Two things are known by other means: what a destination had not made durable when it was lost is copied again
/// (`MirrorLog`), and no request of ours is under way when it is reached again. But a server that lives on behind a lost
/// connection, or behind one of a process of ours that was killed, may still hold requests that it received, and do them
/// after those of the new connection: old content over new, in places that are called the same. Nothing tells but to compare.
///
/// So a destination that was reached again must be compared as a whole before it may become the disk, and so must one that
/// somebody wanted compared and that has failed since. What was compared before it was lost counts for nothing.
public struct MirrorTrust: Equatable, Sendable {
    /// Counts how often the destination was reached again.
    public private(set) var generation: UInt64 = 0
    /// Nobody may take the destination for the disk before it was compared.
    public private(set) var mustBeCompared: Bool
    /// Both images were compared and found the same, and every byte that was written since was written to both at once.
    public private(set) var isCompared = false
    /// Counts how often something was left to be copied again while somebody compared, or had.
    public private(set) var copies: UInt64 = 0
    private var wasCompared = false

    /// `isDoubtful`: a process before this one wrote to the same server.
    public init(isDoubtful: Bool = false) { mustBeCompared = isDoubtful }

    /// The destination has failed and is filled again. `isElsewhere`: by another connection; a file of ours that failed is
    /// written by nobody else.
    public mutating func recovered(isElsewhere: Bool) {
        generation += 1
        isCompared = false
        if isElsewhere || wasCompared { mustBeCompared = true }
    }

    /// All of it was compared and found the same, by a comparison that began in `generation`. False when that is over: it
    /// has to begin again. `copies`: up to which what was copied meanwhile was compared, too; what was copied since is not,
    /// and then `isCompared` does not become true.
    public mutating func compared(since generation: UInt64, copies: UInt64) -> Bool {
        if generation != self.generation { return false }
        wasCompared = true
        if copies == self.copies { (isCompared, mustBeCompared) = (true, false) }
        return true
    }

    /// Something is copied again, because the source refused a write or the destination did not answer one in time: not all
    /// of what was copied was compared. Where all was, that is to be made good before the destination is the disk.
    public mutating func copiesAgain() {
        copies += 1
        isCompared = false
        if wasCompared { mustBeCompared = true }
    }
}
