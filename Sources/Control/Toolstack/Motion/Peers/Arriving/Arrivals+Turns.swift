import APITypes
import Foundation
import StorageMotion

/// Disks that come from other pools stand in the lines of the SRs that they go to, with the moves of this pool.
extension Arrivals {
    /// The place in the line of one of the move's disks. UUID_INVALID [move, id], OPERATION_NOT_ALLOWED [text], PERMISSION_DENIED.
    func turn(_ id: String, _ secret: String, _ body: [UInt8]) async throws -> TurnAnswer {
        guard let record = try record(id, secret) else { throw APIError.uuidInvalid("move", id) }
        guard let question = try? JSONDecoder().decode(TurnQuestion.self, from: Data(body)),
            let disk = record.disks.first(where: { $0.origin == question.vdi })
        else { throw APIError("OPERATION_NOT_ALLOWED", "there is no such disk in the move \(id)") }
        let turn = Self.turn(of: disk, record)
        if question.isOver {
            // What it has not written by now it need not have.
            if record.state.phase == .receiving { context.disksArrived.insert(disk.uuid) }
            await context.moves.forget(turn)
            return TurnAnswer(position: 0)
        }
        guard record.state.phase == .receiving else {
            throw APIError("OPERATION_NOT_ALLOWED", "the disks of the move \(id) are not filled any more")
        }
        context.disksArrived.remove(disk.uuid)
        return await context.moves.look([disk.sr], of: turn, isCopying: question.isCopying, database: context.database)
    }

    /// The disks of the move are not filled any more.
    func endTurns(_ record: ArrivingMachine) async {
        for disk in record.disks {
            context.disksArrived.remove(disk.uuid)
            await context.moves.forget(Self.turn(of: disk, record))
        }
    }

    private static func turn(of disk: ArrivingMachine.Disk, _ record: ArrivingMachine) -> String {
        "\(record.id)/\(disk.origin)"
    }
}
