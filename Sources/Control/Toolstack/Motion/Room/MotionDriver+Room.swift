import APITypes
import CoreTypes
import PoolDatabase
import StorageMotion

/// Moves that were accepted although there is no room for them yet, because others that are under way give some back: those of
/// disks that change their format in their SR, or leave it.
extension MotionDriver {
    /// How often in a row there must be no room and nobody to give any before it is believed: a file system may be slow to count
    /// what was removed from it.
    private static let looks = 3
    /// How often in a row a driver's error is no answer: half a minute.
    private static let mostFailures = 60

    /// Returns when there is room for all moves of the call, beside those that began or came before it; at once where there was when
    /// it was accepted. It has no turn in any line meanwhile, nor has it made anything: nobody waits for it. Its place among
    /// those that wait is in the task's `queue_position`, and what for in `waits_for`. SR_BACKEND_FAILURE_44 when nothing is given back
    /// any more and it does not fit: others have failed, or what they left is shared.
    func awaitRoom(_ motions: inout [DiskMotion], _ progress: any TaskProgress) async throws {
        guard let call = motions.first?.call, motions.contains(where: { $0.waitsForRoom == true }) else { return }
        var needed: [String: UInt64] = [:]
        for motion in motions {
            let (sum, overflow) = (needed[motion.destinationSR] ?? 0).addingReportingOverflow(motion.room ?? 0)
            needed[motion.destinationSR] = overflow ? .max : sum
        }
        var (refused, failed) = (0, 0)
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            let look: (refusal: MoveRefusal?, place: (repository: String, position: Int)?)
            do {
                look = try await self.look(needed, call)
                failed = 0
            } catch {
                // Whoever has waited for hours does not end because a driver failed once.
                failed += 1
                if failed >= Self.mostFailures { throw error }
                try? await Task.sleep(for: .milliseconds(500))
                continue
            }
            if let refusal = look.refusal {
                refused += 1
                if refused >= Self.looks { throw ErrorMapping.api(refusal) }
            } else if let place = look.place {
                refused = 0
                progress.annotate([
                    "phase": "queued", "queue_position": String(place.position),
                    "waits_for": "room in the SR \(place.repository)",
                ])
            } else {
                break
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
        for index in motions.indices { motions[index].waitsForRoom = nil }
        try await store.save(motions)
        progress.annotate(["phase": "starting", "queue_position": "0", "waits_for": ""])
    }

    /// What is in the way; nothing: there is room.
    private func look(
        _ needed: [String: UInt64], _ call: MoveCall
    ) async throws -> (refusal: MoveRefusal?, place: (repository: String, position: Int)?) {
        var place: (repository: String, position: Int)?
        for (sr, bytes) in needed.sorted(by: { $0.key < $1.key }) {
            let facts = try await RoomSurvey(context: context).facts(
                try context.attached(Ref(sr)), withFreed: true)
            guard let free = facts.free else { continue }
            let ahead = facts.claims.ahead(of: call.task, since: call.time)
            switch ahead.verdict(needed: bytes, free: free) {
            case .fits: continue
            case .waits:
                let position = 1 + Set(ahead.all.filter(\.isWaiting).map(\.call)).count
                if position > place?.position ?? 0 { place = (facts.uuid, position) }
            case .full:
                return (.full(repository: facts.uuid, needed: bytes, free: free, reserved: ahead.reserved), nil)
            }
        }
        return (nil, place)
    }
}
