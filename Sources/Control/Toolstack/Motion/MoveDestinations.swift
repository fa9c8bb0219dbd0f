import APITypes
import PoolDatabase
import StorageMotion

/// Plugs what a move needs, as XenAPI has it: the SRs that disks go to are plugged on this host before anything is made,
/// once nothing else speaks against the move. They stay plugged whatever becomes of it. The SR that a disk is in must be
/// plugged already.
struct MoveDestinations: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    /// Throws what speaks against the move, and what keeps an SR from being plugged: the driver's own error,
    /// SR_HAS_NO_PBDS where this host does not know how to reach it.
    func plug(_ wanted: [WantedMove], task: Ref<XenTask>) async throws {
        let unplugged = Set(wanted.compactMap(\.destination)).filter(context.isUnplugged)
        if unplugged.isEmpty { return }
        let survey = MoveSurvey(context: context, mayBeUnplugged: true)
        let going = Set(try await survey.decide(wanted).filter { !$0.decision.stays }.map(\.decision.destination))
        for sr in unplugged.sorted(by: { $0.opaque < $1.opaque }) where going.contains(sr.opaque) {
            guard let pbd = context.pbd(of: sr) else { throw APIError("SR_HAS_NO_PBDS", sr.opaque) }
            let repositories = RepositoryMessages(context: context, admission: admission)
            try await repositories.plug(pbd.typedRef(PBD.self), task: task)
        }
    }
}
