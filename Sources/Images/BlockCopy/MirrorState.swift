/// One of the two images of a mirror.
public enum MirrorSide: String, Sendable {
    case source
    case destination
}

/// The phases of a live mirror and what may follow what; no I/O, no threads. `MirrorDevice` drives it.
///
///     copying ──caughtUp──▶ synchronised ──prepare──▶ dual ──commit──▶ finished(destination)
///        ▲◀─────fellBehind───────┤                      │
///        └──destinationFailed────┴──▶ broken            ├──cancel──▶ finished(source)
///        └──cancel──▶ finished(source) ◀── broken       └──oneSideFailed──▶ undecided ──commit / cancel──▶ finished
///
/// Which image is authoritative: the source in every state but `finished(destination)`. In `dual` and `undecided` the
/// caller may have recorded a commit that we have not heard of yet; therefore `dual` keeps both images identical and
/// answers the guest only when both have a write, and `undecided` answers nobody until `commit` or `cancel` tells.
public struct MirrorState: Equatable, Sendable {
    public enum Phase: Equatable, Sendable {
        case copying
        case synchronised
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
        /// The pivot's first half: drained and flushed, from here on both.
        case prepare
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
        case (.synchronised, .fellBehind): phase = .copying
        case (.copying, .destinationFailed), (.synchronised, .destinationFailed): phase = .broken
        case (.synchronised, .prepare): phase = .dual
        case (.dual, .oneSideFailed): phase = .undecided
        case (.dual, .commit), (.undecided, .commit): phase = .finished(useDestination: true)
        case (.copying, .cancel), (.synchronised, .cancel), (.dual, .cancel), (.undecided, .cancel),
            (.broken, .cancel):
            phase = .finished(useDestination: false)
        default: return false
        }
        return true
    }
}
