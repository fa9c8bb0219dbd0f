/// A machine that comes from another pool, as the side sees it that is to have it. A value, stored before anything follows
/// from it; the counterpart of `MachineDeparture`, which coordinates.
///
///     receiving ─▶ prepared ─▶ running ─▶ gone
///         └────────────┴───────┴─▶ refused ─▶ gone
///
/// `prepared` decides nothing: only the other side knows whether it has committed. However long it does not say, the machine
/// neither runs here nor goes away, unless an administrator who knows what became of the other side says which.
public struct MachineArrival: Codable, Hashable, Sendable {
    public enum Phase: String, Codable, Sendable, CaseIterable {
        /// Its disks exist, or are being made, and are being filled.
        case receiving
        /// It is complete and durable, and does not run.
        case prepared
        /// It is this side's.
        case running
        /// It never ran here and never will. What was made of it goes, or is gone.
        case refused
        case gone
    }

    public enum Event: Hashable, Sendable, CaseIterable {
        /// Everything that was said to be made durable is.
        case prepare
        case run
        /// Its guest, which was to go on here with its memory, does not, and has not for a moment; the other side has not been told
        /// that it does.
        case neverRan
        case cancel
        case forget
        /// An administrator decides in the other side's place.
        case force
        case restarted
    }

    public enum Answer: String, Codable, Sendable {
        case prepared, ran, refused, forgotten
        /// It cannot be run, or forgotten, as it is.
        case unfinished
    }

    public private(set) var phase: Phase
    /// An administrator has decided, not the other side.
    public private(set) var isForced: Bool

    public init() { (phase, isForced) = (.receiving, false) }

    init(phase: Phase) { (self.phase, isForced) = (phase, false) }

    /// One that was cancelled before it was heard of, and must not be taken when its offer comes after all.
    public static let neverTaken = MachineArrival(phase: .refused)

    /// Whether the machine is this side's.
    public var isHere: Bool { phase == .running }

    /// Something of it is here that is not this side's machine: what is being made, or, unless it `isClean`, is still to go. No other
    /// move of the machine is taken as long.
    public func isOpen(isClean: Bool) -> Bool {
        switch phase {
        case .receiving, .prepared: true
        case .refused: !isClean
        case .running, .gone: false
        }
    }

    /// What the other side is told. What is asked for twice is answered twice and done once.
    public mutating func take(_ event: Event) -> Answer {
        switch (phase, event) {
        case (.receiving, .prepare), (.prepared, .prepare):
            phase = .prepared
            return .prepared
        case (.prepared, .run), (.running, .run):
            phase = .running
            return .ran
        case (.prepared, .force):
            (phase, isForced) = (.running, true)
            return .ran
        // What an administrator has decided stands: the machine is here, without its guest.
        case (.running, .neverRan) where !isForced:
            phase = .refused
            return .refused
        case (.receiving, .cancel), (.prepared, .cancel), (.refused, .cancel):
            phase = .refused
            return .refused
        case (.running, .forget), (.refused, .forget), (.gone, .forget):
            phase = .gone
            return .forgotten
        default: return answer
        }
    }

    /// How it stands, whatever was asked.
    public var answer: Answer {
        switch phase {
        case .receiving: .unfinished
        case .prepared: .prepared
        case .running: .ran
        case .refused: .refused
        case .gone: .forgotten
        }
    }
}
