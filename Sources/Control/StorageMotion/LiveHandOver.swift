/// How the guest of a running machine gets to the other side, as the side sees it that has it now. A value, which lasts no
/// longer than the call: whoever starts after a crash has `MachineDeparture`, and QEMU's word for where the guest is.
///
///     mirrored ─▶ awaited ─▶ sending ─▶ standing ─▶ settled ─▶ held ─▶ compared ─▶ (the commit of MachineDeparture)
///         ▲                                 └───────────────────┘
///         └────────────────── again ──────────────────┘
///
/// Up to `sending` the guest runs and notices nothing. From `standing` on it does not, and in `held` QEMU does not let it go on
/// by itself any more, whatever breaks. Only then are the mirrors told to make both images alike for good: until they are told
/// to end again, reads of the disks come from the other side. So a guest that stays goes on before its mirrors end as long as
/// QEMU may let it go on anyway, and after they have ended when it was held.
///
/// In `standing` and `held` it may turn out that a mirror lost its connection since its images were compared: they must be compared
/// once more, which may take hours, and a guest stands for seconds. Then it goes on here, they are compared while it runs, and all
/// begins `again` with a new QEMU at the other side. No mirror has been told to make images alike for good until then, so that a
/// guest that was held goes on before they end.
public struct LiveHandOver: Hashable, Sendable {
    public enum Phase: String, Sendable, CaseIterable {
        /// All disks are alike on both sides and written on both.
        case mirrored
        /// A QEMU waits for the guest at the other side.
        case awaited
        /// Its memory is under way.
        case sending
        /// The guest stands, and its disks are flushed.
        case standing
        /// What it wrote last is at the other side, too.
        case settled
        /// The other side has all of its memory.
        case held
        /// Both images of each disk are known to be alike, by the connections that there are now.
        case compared
    }

    public enum Step: String, Sendable, CaseIterable {
        case announce, send, stand, settle, handOver, compare
        /// The move as a whole goes on.
        case finish
    }

    /// What QEMU does with the guest here.
    public enum Guest: Sendable, CaseIterable {
        case runs
        /// It stands, and goes on by itself when its memory cannot be sent.
        case stands
        /// It stands until it is told to go on.
        case isHeld
    }

    public enum Undoing: Sendable { case letGoOn, endMirrors }

    public private(set) var phase: Phase
    /// The present try, from 1 on.
    public private(set) var attempt = 1
    private let mostAttempts: Int

    /// So often at most the guest is made to stand.
    public static let mostAttempts = 3

    /// `mayBeginAgain`: the other side lets a new QEMU wait in the place of one that has, or had, the guest's memory.
    public init(phase: Phase = .mirrored, mayBeginAgain: Bool = false) {
        self.phase = phase
        mostAttempts = mayBeginAgain ? Self.mostAttempts : 1
    }

    /// It is not the last try.
    public var mayBeginAgain: Bool { attempt < mostAttempts }

    /// How long a guest that stands is made to wait for a comparison: for a moment where it may as well run meanwhile.
    public var comparisonPatience: Duration { mayBeginAgain ? .seconds(2) : .seconds(10) }

    /// Takes note that the guest, which stood, goes on here, and that its images were compared since. False, and nothing changes,
    /// where it is not to be begun again.
    public mutating func beginAgain() -> Bool {
        guard mayBeginAgain, phase == .standing || phase == .held else { return false }
        (phase, attempt) = (.mirrored, attempt + 1)
        return true
    }

    public var step: Step {
        switch phase {
        case .mirrored: .announce
        case .awaited: .send
        case .sending: .stand
        case .standing: .settle
        case .settled: .handOver
        case .held: .compare
        case .compared: .finish
        }
    }

    /// The step was taken.
    public mutating func done() {
        phase =
            switch phase {
            case .mirrored: .awaited
            case .awaited: .sending
            case .sending: .standing
            case .standing: .settled
            case .settled: .held
            case .held, .compared: .compared
            }
    }

    public var guest: Guest {
        switch phase {
        case .mirrored, .awaited, .sending: .runs
        case .standing, .settled: .stands
        case .held, .compared: .isHeld
        }
    }

    /// What is done, in this order, when the machine stays. `isHeld`: QEMU's word, also after a restart.
    public static func undoing(isHeld: Bool) -> [Undoing] {
        isHeld ? [.endMirrors, .letGoOn] : [.letGoOn, .endMirrors]
    }
}

/// What becomes of a running machine's guest at one side, by what that side has noted.
public enum GuestFate: Sendable, Hashable, CaseIterable {
    /// Whoever moves the machine has it in hand.
    case isInHand
    /// It stands until the other side has answered.
    case waits
    case runs
    /// Its QEMU ends.
    case ends
}

extension MachineDeparture {
    public var guest: GuestFate {
        switch phase {
        case .planned, .copying, .preparing: .isInHand
        case .committed: .waits
        case .delivered, .removed: .ends
        case .abandoned, .retracted: .runs
        case .gone: isHere ? .runs : .ends
        }
    }
}

extension MachineArrival {
    public var guest: GuestFate {
        switch phase {
        case .receiving, .prepared: .waits
        case .running: .runs
        case .refused, .gone: .ends
        }
    }

    /// What to make of the other side's word to run it: without its memory, which is lost with the QEMU that has it, a
    /// running machine does not run here and never will, and goes on where it comes from.
    public static func event(toRun hasMemory: Bool) -> Event { hasMemory ? .run : .cancel }
}
