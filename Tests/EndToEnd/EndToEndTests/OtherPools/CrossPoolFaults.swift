/// What becomes of a running machine's move to another pool when something fails at a phase of it: what the tests expect, and
/// what docs/operations.md shows.
enum CrossPoolFaults: FaultTable {
    static let heading = "the move is at"

    enum Phase: String, CaseIterable {
        case offered = "its disks are made there"
        case snapshots = "a snapshot's turn to be copied"
        case snapshotCopied = "a snapshot is copied"
        case copying = "disks copied"
        case comparing = "disks compared"
        case mirrored = "disks in sync"
        case sending = "memory sent"
        case standing = "the guest stands"
        case settled = "its last writes are there"
        case held = "all of it is there"
        case prepared = "the other side is ready"
        case committed
        case runs = "it runs there"
        case removed = "nothing of it is here"

        /// Where the toolstack it leaves is then; nil while snapshots or disks are copied, which a test makes wait otherwise.
        var point: String? {
            switch self {
            case .offered: "departure-after-offer"
            case .snapshots: "departure-snapshot"
            case .snapshotCopied, .copying: nil
            case .comparing: "departure-comparing"
            case .mirrored: "departure-mirrored"
            case .sending: "departure-sending"
            case .standing: "departure-standing"
            case .settled: "departure-settled"
            case .held: "departure-held"
            case .prepared: "departure-after-prepare"
            case .committed: "departure-after-commit"
            case .runs: "departure-after-run"
            case .removed: "departure-after-remove"
            }
        }

        var isCommitted: Bool { [.committed, .runs, .removed].contains(self) }
        /// Its memory goes through a connection that is lost with the move.
        var isSent: Bool { [.sending, .standing, .settled].contains(self) }
        /// All of its memory is there and nowhere else is it needed.
        var isThere: Bool { self == .held || self == .prepared || isCommitted }
        /// Before anything is in sync.
        var isFilling: Bool { [.offered, .snapshots, .snapshotCopied, .copying].contains(self) }
    }

    enum Fault: String, CaseIterable {
        case toolstackHere = "`gantryd` here killed"
        case toolstackThere = "`gantryd` there killed"
        case datapathHere = "data path here killed"
        case datapathThere = "data path there killed"
        case copier = "copying process killed"
        case guestHere = "QEMU here killed"
        case guestThere = "QEMU there killed"
        case interrupted = "connections cut"
        case cut = "link cut for long"
        case outlasted = "comparing takes long"
        case full = "SR there full"
        case cancelled
        case shutDown = "`VM.hard_shutdown`"
    }

    enum Outcome: FaultOutcome {
        /// The guest runs there.
        case goes
        /// It runs here and nothing is left there; the error that the caller gets, if he can get one.
        case stays(String)
        /// The guest has ended, here; nothing is left there.
        case halted

        var text: String {
            switch self {
            case .goes: "goes"
            case .stays(let code): code.isEmpty ? "stays" : "stays: `\(code)`"
            case .halted: "halted: `VM_HALTED`"
            }
        }
    }

    static func outcome(_ phase: Phase, _ fault: Fault) -> Outcome? {
        switch fault {
        case .toolstackHere: return phase.isCommitted ? .goes : .stays("")
        // The memory goes through it.
        case .toolstackThere, .interrupted: return phase.isSent ? .stays("VM_MIGRATE_FAILED") : .goes
        case .datapathHere: return .goes
        case .datapathThere: return phase == .offered || phase == .snapshots ? nil : .goes
        // Disks are copied by their data paths.
        case .copier: return phase == .snapshotCopied ? .goes : nil
        // It goes on here meanwhile, and is handed over anew.
        case .outlasted: return phase == .standing || phase == .held ? .goes : nil
        case .guestHere: return phase == .removed ? nil : phase.isThere ? .goes : .halted
        case .guestThere:
            // What runs there and ends is a guest like any other.
            if phase.isFilling || [.comparing, .mirrored, .runs, .removed].contains(phase) { return nil }
            return .stays("VM_MIGRATE_FAILED")
        case .cut:
            switch phase {
            // The other side is asked whose turn it is, then to fill its disk, then to wait for the guest.
            case .offered, .snapshots, .mirrored: return .stays("CANNOT_CONTACT_HOST")
            case .snapshotCopied, .copying, .comparing, .held: return .stays("MIRROR_FAILED")
            case .sending, .standing, .settled: return .stays("VM_MIGRATE_FAILED")
            case .prepared, .committed, .runs, .removed: return .goes
            }
        case .full: return phase.isFilling ? .stays("SR_BACKEND_FAILURE_44") : nil
        case .cancelled: return phase == .prepared || phase.isCommitted ? .goes : .stays("TASK_CANCELLED")
        case .shutDown: return phase == .removed ? nil : phase.isCommitted ? .goes : .halted
        }
    }
}
