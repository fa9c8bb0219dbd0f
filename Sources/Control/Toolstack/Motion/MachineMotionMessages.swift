import APITypes
import Guests
import PoolDatabase
import StorageMotion

/// VM.migrate_send and the checks before it, within one host and to another pool.
///
/// What is authoritative for each disk at each moment is said at `DiskMotion` and `MotionDriver.run`, where the machine itself
/// is never touched; of a machine that goes to another pool, at `Departures`.
struct MachineMotionMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let guests: GuestHost
    let departures: Departures
    let tokens: MigrationTokens

    func register(in table: inout MessageTable) {
        table.on("VM.assert_can_migrate") { _, arguments in
            try await check(try MachineMove(arguments))
            return .void
        }
        // Options and GPUs have each other's places there.
        table.on("VM.assert_can_migrate_sender") { _, arguments in
            var move = MachineMove(
                vm: try arguments.get(0), destination: try arguments.get(1), disks: try arguments.get(3),
                networks: try arguments.get(4), options: try arguments.get(6), formats: [:])
            move.gpus = try arguments.get(5)
            try await check(move)
            return .void
        }
        table.on("VM.migrate_send", cancellable: true) { call, arguments in
            let move = try MachineMove(arguments)
            if isDeparture(move) { return .ref(try await depart(move, call).opaque) }
            try await run(move, call)
            return .ref(move.vm.opaque)
        }
    }

    private func isDeparture(_ move: MachineMove) -> Bool {
        context.database.read { DepartureSurvey.isMeant(move, $0) }
    }

    private func check(_ move: MachineMove) async throws {
        if isDeparture(move) {
            let surveyed = try await DepartureSurvey(context: context, guests: guests, move: move).run()
            try context.database.read { try Departures.requireFree(surveyed, vm: move.vm, $0) }
        } else {
            let moving = try await survey(move).filter { !$0.decision.stays }
            try DiskMoves.check(move.options)
            try context.database.read { try DiskMoves.requireFree(moving, $0) }
        }
    }

    /// To another pool. The machine is nobody else's from before the other side is asked until it is there, or here again.
    private func depart(_ move: MachineMove, _ call: CallContext) async throws -> Ref<VM> {
        let early = try await DepartureSurvey(context: context, guests: guests, move: move).run()
        let claims = [OperationClaim.vm(move.vm, .migrateSend)] + Departures.claims(early)
        return try await admission.run(claims, task: call.task) {
            // As it is once nobody else changes it.
            let surveyed = try await DepartureSurvey(
                context: context, guests: guests, move: move, isHeld: true
            ).run()
            let owner = MoveCall(call, machine: move.vm, in: context.database)
            return try await departures.run(
                surveyed, vm: move.vm, options: move.options, owner: owner, progress: call.progress)
        }
    }

    private func survey(_ move: MachineMove) async throws -> [SurveyedMove] {
        let wanted = try context.database.read { try move.wanted($0, host: context.host) }
        try await tokens.use(move.destination)
        let surveyed = try await MoveSurvey(context: context, mayBeUnplugged: true).decide(
            wanted, bytesPerSecond: try DiskMoves.rate(move.options))
        try MirrorWishes.checkedVerification(move.options)
        return surveyed
    }

    private func run(_ move: MachineMove, _ call: CallContext) async throws {
        let wanted = try context.database.read { try move.wanted($0, host: context.host) }
        let moving = Set(try await survey(move).filter { !$0.decision.stays }.map(\.vdi))
        let going = wanted.filter { moving.contains($0.vdi) }
        try DiskMoves.check(move.options)
        try await MoveDestinations(context: context, admission: admission).plug(going, task: call.task)
        let claims =
            [OperationClaim.vm(move.vm, .migrateSend)]
            + DiskMoves.claims(going.map { ($0.vdi, $0.destination ?? .null) })
        try await admission.run(claims, task: call.task) {
            _ = try await DiskMoves(context: context, admission: admission).run(
                going, options: move.options, machine: move.vm, call: call)
        }
    }
}
