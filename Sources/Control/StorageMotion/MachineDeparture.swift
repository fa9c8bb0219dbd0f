/// A machine that goes to another pool, as the side sees it that has it now: how far it is, and what comes next. A value,
/// stored before each step is taken, so that after any crash it alone tells what to do.
///
///     planned ─▶ copying ─▶ preparing ─▶ committed ─▶ delivered ─▶ removed ─▶ gone
///        └──────────┴───────────┴─▶ abandoned ─▶ retracted ─▶ gone
///
/// This side coordinates. Up to `preparing` the machine is here, whatever the other side has. From `committed` on it never
/// runs here again, unless the other side answers, durably, that it never ran there and never will (`refused`). The other
/// side runs it only when it is told to, which happens in `committed` only. So one side has it at every moment, and one side
/// only: see `MachineArrival`, and the test that walks through all states of both.
public struct MachineDeparture: Codable, Hashable, Sendable {
    public enum Phase: String, Codable, Sendable, CaseIterable {
        /// The other side may have been asked to take it.
        case planned
        /// The other side has made its disks, which are being filled.
        case copying
        /// All disks are the same on both sides and written by nobody; the other side has been told to make ready.
        case preparing
        /// The machine belongs to the other side, which is told to run it.
        case committed
        /// The other side has it. What is left of it here is to go.
        case delivered
        /// Nothing is left of it here; the other side may forget the move.
        case removed
        /// The machine stays. The other side is to give up what it has made.
        case abandoned
        /// The other side has given up, and may forget the move.
        case retracted
        case gone
    }

    public enum Event: Hashable, Sendable {
        /// The other side has taken the offer.
        case accepted
        case synchronised
        /// The other side has everything, durably, and does not run it.
        case prepared
        /// This side gives up, for this reason.
        case failed(String)
        /// This side begins again after it was killed.
        case restarted
        /// The other side has the machine.
        case ran
        /// The machine never ran at the other side and never will.
        case refused
        case removed
        /// The other side knows nothing of the move any more.
        case forgotten
    }

    public enum Step: Hashable, Sendable {
        case offer, copy, prepare, run, remove, cancel, forget, nothing
    }

    public private(set) var phase: Phase
    /// Why it stays.
    public private(set) var failure: String?

    public init() { phase = .planned }

    init(phase: Phase) { self.phase = phase }

    /// Whether the machine is this side's: it runs here or may be started here. While a step is under way it may be held.
    public var isHere: Bool {
        switch phase {
        case .planned, .copying, .preparing, .abandoned, .retracted: true
        case .committed, .delivered, .removed: false
        // Whoever forgets a move remembers its end.
        case .gone: failure != nil
        }
    }

    /// Somebody is to go on with it, also after a restart, until the other side has answered.
    public var isDecided: Bool {
        switch phase {
        case .planned, .copying, .preparing: false
        case .committed, .delivered, .removed, .abandoned, .retracted, .gone: true
        }
    }

    /// It stays, and somebody is still to let its guest go on and end its mirrors; `isFree`: that was done, which is noted, so that
    /// nothing which is begun with the machine later is undone by it.
    public func isToBeFreed(isFree: Bool) -> Bool { isDecided && isHere && phase != .gone && !isFree }

    public var step: Step {
        switch phase {
        case .planned: .offer
        case .copying: .copy
        case .preparing: .prepare
        case .committed: .run
        case .delivered: .remove
        case .abandoned: .cancel
        case .removed, .retracted: .forget
        case .gone: .nothing
        }
    }

    /// Takes note of what has happened. An event that means nothing in the phase changes nothing: answers may come late,
    /// and twice.
    public mutating func take(_ event: Event) {
        switch (phase, event) {
        case (.planned, .accepted): phase = .copying
        case (.copying, .synchronised): phase = .preparing
        case (.preparing, .prepared): phase = .committed
        case (.planned, .failed(let reason)), (.copying, .failed(let reason)), (.preparing, .failed(let reason)):
            (phase, failure) = (.abandoned, reason)
        case (.planned, .restarted), (.copying, .restarted), (.preparing, .restarted):
            (phase, failure) = (.abandoned, "the toolstack was restarted before the move was committed")
        // An administrator has told the other side to run it, while it was held here.
        case (.preparing, .ran), (.committed, .ran): phase = .delivered
        case (.preparing, .refused), (.committed, .refused):
            (phase, failure) = (.retracted, failure ?? "the other side has given the machine up")
        case (.planned, .refused), (.copying, .refused):
            (phase, failure) = (.retracted, "the other side has given the machine up")
        case (.abandoned, .refused): phase = .retracted
        // An administrator has told the other side to run it, and it may have run here since: both are kept.
        case (.abandoned, .ran): phase = .retracted
        case (.delivered, .removed): phase = .removed
        case (.removed, .forgotten), (.retracted, .forgotten): phase = .gone
        default: break
        }
    }
}
