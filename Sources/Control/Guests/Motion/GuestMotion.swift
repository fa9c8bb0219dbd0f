/// The passage of one guest as a state machine: orders, what QEMU reports, and what a new daemon finds. Pure.
///
/// Of the two QEMUs that a guest has during a passage at most one runs it. Here that means: the one that it leaves lets it run
/// again only after QEMU has said that the sending failed, or after `run`; the one that it comes to only after `run`.
struct GuestMotion: Sendable, Hashable {
    /// Nil: the guest is on no passage.
    private(set) var passage: GuestPassage?
    /// The guest's processors were held before: they are afterwards.
    private(set) var wasPaused = false
    /// QEMU holds them for the passage.
    private(set) var stands = false
    /// Whose the passage is: a move's id; nil: nobody's, or of whoever suspends or resumes the guest.
    private(set) var owner: String?
    /// Where it was when it was told to run; nil where a record of an earlier version does not say.
    private var before: GuestPassage?

    enum Order: String, Sendable, Hashable, CaseIterable {
        case send, handOver, cancel, receive, run
    }
    /// What a new daemon does about what it finds.
    enum Duty: Sendable, Hashable { case nothing, run }

    init() {}

    init(_ passage: GuestPassage?, wasPaused: Bool = false, stands: Bool = false) {
        self.passage = passage
        self.wasPaused = wasPaused
        self.stands = stands
    }

    /// What is to be believed of a recorded guest until QEMU has been asked.
    init(adopting record: GuestRecord) {
        wasPaused = record.wasPaused ?? false
        owner = record.owner
        before = Self.place(before: record.orderedFrom)
        passage =
            switch record.role {
            case nil: nil
            case .incoming: .waiting
            case .outgoing: .sending
            case .held: .handingOver
            case .ordered: .beginning
            }
    }

    /// What the record says of it.
    var role: GuestRole? {
        switch passage {
        case nil: nil
        case .sending, .atSwitchover, .cancelling, .returning: .outgoing
        case .handingOver, .held: .held
        case .waiting, .loading, .loaded: .incoming
        case .beginning: .ordered
        }
    }

    /// What the record says of where one was that is told to run.
    var orderedFrom: GuestRole? { passage == .beginning ? before.flatMap { GuestMotion($0).role } : nil }

    private static func place(before role: GuestRole?) -> GuestPassage? {
        switch role {
        case .held: .held
        case .incoming: .loaded
        case .outgoing, .ordered, nil: nil
        }
    }

    // MARK: Orders

    /// The same passage, of another owner.
    func owned(by owner: String?) -> GuestMotion {
        var motion = self
        motion.owner = passage == nil ? nil : owner
        return motion
    }

    /// Throws `.refused` for what cannot be done now, and for every order about a passage that is another owner's: whoever has begun
    /// it decides what becomes of the guest.
    mutating func order(_ order: Order, isPaused: Bool = false, of owner: String? = nil) throws(GuestError) {
        guard let next = Self.next(passage, after: order) else { throw Self.refusal(passage, order) }
        guard passage == nil || owner == self.owner else {
            throw GuestError(.refused, "a guest cannot be told to \(order) now: another move has it")
        }
        if order == .send {
            self.owner = owner
            wasPaused = isPaused
            stands = false
        }
        if order == .run, passage != .beginning { before = passage }
        passage = next
    }

    private static func next(_ passage: GuestPassage?, after order: Order) -> GuestPassage? {
        switch (order, passage) {
        case (.send, nil): .sending
        case (.handOver, .atSwitchover): .handingOver
        case (.cancel, .sending), (.cancel, .atSwitchover), (.cancel, .cancelling): .cancelling
        // The connection is cut then, which fails what QEMU does there; `migrate_cancel` can end QEMU at this point.
        case (.cancel, .handingOver): .handingOver
        case (.cancel, .returning): .returning
        case (.receive, .waiting): .loading
        case (.run, .held), (.run, .loaded), (.run, .beginning): .beginning
        default: nil
        }
    }

    private static func refusal(_ passage: GuestPassage?, _ order: Order) -> GuestError {
        let state = passage.map { "it is \($0)" } ?? "it is on no passage"
        return GuestError(.refused, "a guest cannot be told to \(order) now: \(state)")
    }

    /// The order to run was carried out.
    mutating func ran() {
        if passage == .beginning { settle() }
    }

    /// QEMU refuses to let it run: it has not, and may be told anything again.
    mutating func didNotRun() {
        if passage == .beginning, let before { passage = before }
    }

    // MARK: What QEMU says

    /// A status of a migration (MigrationStatus of QEMU's QMP reference).
    mutating func heard(status: String) {
        switch (passage, status) {
        case (.sending, "pre-switchover"): passage = .atSwitchover
        case (.sending, _), (.atSwitchover, _), (.handingOver, _), (.cancelling, _):
            if status == "completed" { passage = .held }
            guard status == "failed" || status == "cancelled" else { return }
            // QEMU lets go on what it holds. Of a guest that was paused it holds nothing.
            if stands, !wasPaused { passage = .returning } else { settle() }
        case (.loading, "completed"): passage = .loaded
        default: break
        }
    }

    mutating func heardStop() { if passage != nil { stands = true } }

    mutating func heardResume() {
        stands = false
        // Of one that is to stay paused nobody has told it.
        if passage == .returning || passage == .beginning && !wasPaused { settle() }
    }

    private mutating func settle() {
        passage = nil
        stands = false
        before = nil
        owner = nil
    }

    // MARK: Adoption

    /// What a new daemon makes of a guest: `migration` is query-migrate's status, nil for none, `run` that of query-status.
    static func found(
        _ role: GuestRole?, wasPaused: Bool, orderedFrom: GuestRole? = nil, migration: String?, run: String
    ) -> (motion: GuestMotion, duty: Duty) {
        switch role {
        case nil: return (GuestMotion(), .nothing)
        case .ordered:
            var motion = GuestMotion(.beginning, wasPaused: wasPaused, stands: run != "running")
            motion.before = place(before: orderedFrom)
            return (motion, .run)
        case .incoming:
            if run != "inmigrate" { return (GuestMotion(.loaded, wasPaused: wasPaused), .nothing) }
            let begun = migration != nil && migration != "none"
            return (GuestMotion(begun ? .loading : .waiting, wasPaused: wasPaused), .nothing)
        case .outgoing?, .held?: return leaving(wasPaused: wasPaused, migration: migration, run: run)
        }
    }

    private static func leaving(
        wasPaused: Bool, migration: String?, run: String
    ) -> (motion: GuestMotion, duty: Duty) {
        let stands = run != "running" && !wasPaused
        func at(_ passage: GuestPassage) -> (motion: GuestMotion, duty: Duty) {
            (GuestMotion(passage, wasPaused: wasPaused, stands: stands), .nothing)
        }
        switch migration {
        case "setup", "active", "wait-unplug": return at(.sending)
        case "pre-switchover": return at(.atSwitchover)
        case "device": return at(.handingOver)
        case "cancelling": return at(.cancelling)
        // Of an earlier passage when the guest runs.
        case "completed" where run == "postmigrate" || run == "finish-migrate": return at(.held)
        case "failed" where run == "finish-migrate" && stands, "cancelled" where run == "finish-migrate" && stands:
            return at(.returning)
        default:
            // It was not sent: it goes on, if QEMU has not seen to that.
            if !stands { return (GuestMotion(), .nothing) }
            return (GuestMotion(.beginning, wasPaused: wasPaused, stands: true), .run)
        }
    }
}
