/// One of the two images of a mirror.
public enum MirrorSide: String, Sendable {
    case source
    case destination
}

/// The phases of a live mirror and what may follow what; no I/O, no threads. `MirrorDevice` drives it.
///
///     copying ──caughtUp──▶ synchronised ──join──▶ joining ──prepare──▶ dual ──commit──▶ finished(destination)
///      ▲   ▲◀────fellBehind──────┤                    │                   │
///      │   └──destinationFailed──┴──▶ broken ◀────────┘ (or fellBehind)   ├──cancel──▶ finished(source)
///      └────────recovered─────────────┘ └──cancel──▶ finished(source)     └──oneSideFailed──▶ undecided ──▶ finished
///
/// `joining` is the flush before `dual`: everything goes to both images already, flushes too, but nobody has been told, so
/// the destination may still drop out unnoticed.
///
/// Which image is authoritative: the source in every state but `finished(destination)`. In `dual` and `undecided` the
/// caller may have recorded a commit that we have not heard of yet; therefore `dual` keeps both images identical and
/// answers the guest only when both have a write, and `undecided` answers nobody until `commit` or `cancel` tells.
public struct MirrorState: Equatable, Sendable {
    public enum Phase: Equatable, Sendable {
        case copying
        case synchronised
        case joining
        case dual
        case undecided
        case broken
        case finished(useDestination: Bool)
    }

    public enum Event: Equatable, Sendable {
        /// No granule is dirty any more.
        case caughtUp
        /// A granule became dirty again.
        case fellBehind
        /// A read or write of the destination failed outside `dual`.
        case destinationFailed
        /// Drained and nothing dirty: from here on both get everything.
        case join
        /// Both are flushed as well: from here on either may be said to be the disk.
        case prepare
        /// A broken destination can be written again.
        case recovered
        /// In `dual`, one of the two images refused a write or flush.
        case oneSideFailed
        case commit
        case cancel
    }

    public private(set) var phase: Phase = .copying

    public init() {}

    /// Takes the event; false, and no change, when it is not legal in this phase.
    public mutating func handle(_ event: Event) -> Bool {
        switch (phase, event) {
        case (.copying, .caughtUp): phase = .synchronised
        case (.synchronised, .fellBehind), (.joining, .fellBehind): phase = .copying
        case (.copying, .destinationFailed), (.synchronised, .destinationFailed), (.joining, .destinationFailed):
            phase = .broken
        case (.broken, .recovered): phase = .copying
        case (.synchronised, .join): phase = .joining
        case (.joining, .prepare): phase = .dual
        case (.dual, .oneSideFailed): phase = .undecided
        case (.dual, .commit), (.undecided, .commit): phase = .finished(useDestination: true)
        case (.copying, .cancel), (.synchronised, .cancel), (.joining, .cancel), (.dual, .cancel),
            (.undecided, .cancel), (.broken, .cancel):
            phase = .finished(useDestination: false)
        default: return false
        }
        return true
    }
}
