import APITypes
import Logging
import PoolDatabase
import StorageMotion

/// What an administrator decides in the place of another pool that is silent.
extension Arrivals {
    /// UUID_INVALID [move, id]; OTHER_OPERATION_IN_PROGRESS while somebody is at it; OPERATION_NOT_ALLOWED [text] for a
    /// decision that there is not.
    func decide(_ id: String, _ decision: PeerMoveDecision) async throws {
        try enter(id)
        defer { busy.remove(id) }
        guard var record = context.database.arrivals().first(where: { $0.id == id }) else {
            throw APIError.uuidInvalid("move", id)
        }
        context.logger.warning(
            "an administrator decides a move from another pool",
            metadata: ["move": "\(id)", "vm": "\(record.uuid)", "decision": "\(decision.rawValue)"])
        switch (decision, record.state.phase) {
        case (.here, .prepared): _ = try await run(&record, .force)
        // Kept until the other side has heard of it, or is forgotten.
        case (.there, .receiving), (.there, .prepared):
            _ = record.state.take(.cancel)
            try await give(up: &record)
        case (.forget, .receiving): try await leave(&record)
        case (.forget, .running), (.forget, .refused):
            if record.state.phase == .refused { try await endAll(&record) }
            _ = record.state.take(.forget)
            let noted = record
            try await context.database.transaction { tx in try tx.store(noted) }
            forgotten.insert(id)
        default:
            throw APIError(
                "OPERATION_NOT_ALLOWED",
                "an arrival that is \(record.state.phase.rawValue) cannot be '\(decision.rawValue)'")
        }
    }

    /// What was being received is let go of and its disks stay, as disks like any other: a database that was restored may take a
    /// machine for one that is still coming whose disks are all that there is of it. It is refused before their data paths end,
    /// which would be lent to the other side again as long as it is not, and clean, so that nobody takes the disks away.
    private func leave(_ record: inout ArrivingMachine) async throws {
        // First who waits for its memory: nobody asks for that one again once the move is over.
        if record.isLive { await guest(record).dismiss() }
        _ = record.state.take(.cancel)
        record.isClean = true
        let noted = record
        try await context.database.transaction { tx in
            for disk in noted.disks where disk.isForeign && tx.row(Ref<VDI>(disk.ref)) != nil {
                guard let offered = noted.offer?.disks.first(where: { $0.vdi == disk.origin }) else { continue }
                try ArrivalRows.complete(disk, offered, in: tx)
            }
            try tx.store(noted)
        }
        if noted.isLive { await guest(noted).noteRefused() }
        await endTurns(noted)
        for disk in noted.disks {
            do { try await context.disks.requireInactive(disk.uuid) } catch {
                context.logger.error(
                    "the data path of a disk whose move was forgotten does not end",
                    metadata: ["move": "\(noted.id)", "vdi": "\(disk.uuid)", "error": "\(error)"])
            }
        }
        await release(noted)
    }
}
