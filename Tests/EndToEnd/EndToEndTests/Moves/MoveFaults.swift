/// What becomes of a disk's move when something fails at a phase of it: what the tests expect, and what docs/operations.md
/// shows.
enum MoveFaults: FaultTable {
    static let heading = "the move is"

    enum Phase: String, CaseIterable {
        case planned = "planned, waits for its turn"
        case snapshotCopied = "a snapshot is copied"
        case snapshotsCopied = "snapshots copied"
        case copying
        case inSync = "in sync"
        case comparing = "comparing both images"
        case verified
        case preparing = "preparing the pivot"
        case pivoted = "pivoted: both are written"
        case committed
        case sourceDestroyed = "source destroyed"
        case forgotten = "forgotten"

        /// Where the toolstack is then; nil while a snapshot is copied, which a test makes wait otherwise.
        var point: String? {
            switch self {
            case .planned: "planned"
            case .snapshotCopied: nil
            case .snapshotsCopied: "snapshots-copied"
            case .copying: "copying"
            case .inSync: "in-sync"
            case .comparing: "comparing"
            case .verified: "verified"
            case .preparing: "preparing"
            case .pivoted: "after-preparePivot"
            case .committed: "after-commit"
            case .sourceDestroyed: "after-destroySource"
            case .forgotten: "after-forget"
            }
        }

        var isCommitted: Bool { [.committed, .sourceDestroyed, .forgotten].contains(self) }
    }

    enum Fault: String, CaseIterable {
        case toolstack = "`gantryd` killed"
        case datapath = "data path killed"
        case copier = "copying process killed"
        case server = "destination's server killed"
        case guest = "QEMU killed"
        case full = "destination full"
        case cancelled = "cancelled"
        case driver = "a driver's error"
    }

    enum Outcome: FaultOutcome {
        /// The move goes on, under its task, to its end.
        case goesOn
        /// It was decided: the disk has moved, whatever is left to do.
        case isDone
        /// Nothing of it is left; the error that its caller gets.
        case undone(String)

        var text: String {
            switch self {
            case .goesOn: "goes on"
            case .isDone: "is done"
            case .undone(let code): "undone: `\(code)`"
            }
        }
    }

    static func outcome(_ phase: Phase, _ fault: Fault) -> Outcome? {
        switch fault {
        case .toolstack, .guest: return phase.isCommitted ? .isDone : .goesOn
        case .datapath:
            switch phase {
            // Nobody may open the source again before the decision, and there is none without the data path.
            case .preparing: return .undone("MIRROR_FAILED")
            case .pivoted, .committed, .sourceDestroyed, .forgotten: return .isDone
            default: return .goesOn
            }
        // Before and after there is none.
        case .copier: return phase == .snapshotCopied ? .goesOn : nil
        case .server:
            switch phase {
            case .planned, .snapshotsCopied: return nil
            case .snapshotCopied: return .undone("SR_BACKEND_FAILURE_46")
            // The last look before the commit finds it out, also when nobody writes.
            case .copying, .inSync, .comparing, .verified, .preparing, .pivoted: return .undone("MIRROR_FAILED")
            default: return .isDone
            }
        case .full:
            // From the pivot on it is a disk in a full SR.
            return phase.isCommitted || phase == .pivoted ? .isDone : .undone("SR_BACKEND_FAILURE_44")
        case .cancelled:
            return phase.isCommitted || phase == .pivoted || phase == .preparing ? .isDone : .undone("TASK_CANCELLED")
        case .driver:
            // While a snapshot is copied none is asked.
            if phase == .forgotten || phase == .snapshotCopied { return nil }
            // What could not be destroyed is destroyed later.
            return phase.isCommitted ? .isDone : .undone("SR_BACKEND_FAILURE_46")
        }
    }
}
