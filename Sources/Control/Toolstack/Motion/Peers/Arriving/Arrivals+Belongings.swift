import APITypes
import Foundation
import Logging
import MetricArchives
import PoolDatabase
import StorageMotion

/// What a machine brings along besides its disks and its blobs, which come by the API's own calls.
extension Arrivals {
    /// Those that are here already are not added again.
    func takeMessages(_ id: String, _ secret: String, _ body: [UInt8]) async throws -> MoveStanding {
        try enter(id)
        defer { busy.remove(id) }
        let record = try arrived(id, secret)
        guard let offered = try? JSONDecoder().decode(OfferedMessages.self, from: Data(body)) else {
            throw APIError.internalError("the messages about a machine are not understood")
        }
        let count = try await context.database.transaction { tx in
            let machine = try tx.require(Ref<VM>(record.vm))[VM.uuid]
            let snapshots = (record.snapshots ?? [:]).compactMapValues { tx.row(Ref<VM>($0))?[VM.uuid] }
            return offered.insert(machine: machine, snapshots: snapshots, in: tx)
        }
        context.logger.info(
            "messages about a machine of another pool were added",
            metadata: ["move": "\(id)", "vm": "\(record.vm)", "messages": "\(count)"])
        return MoveStanding(answer: record.state.answer.rawValue)
    }

    /// The archive of the machine's numbers, once. What was seen of it here meanwhile is a few looks.
    func takeNumbers(_ id: String, _ secret: String, _ body: [UInt8]) async throws -> MoveStanding {
        try enter(id)
        defer { busy.remove(id) }
        var record = try arrived(id, secret)
        let standing = MoveStanding(answer: record.state.answer.rawValue)
        if record.hasNumbers == true { return standing }
        guard let archive = MetricArchive(encoded: body) else {
            throw APIError.internalError("the numbers of a machine are not understood")
        }
        let uuid = try context.row(Ref<VM>(record.vm))[VM.uuid]
        try await metrics?.adopt(archive, of: .vm(uuid))
        record.hasNumbers = true
        let noted = record
        try await context.database.transaction { tx in try tx.store(noted) }
        return standing
    }

    /// OPERATION_NOT_ALLOWED [text] for a machine that is not this side's yet.
    private func arrived(_ id: String, _ secret: String) throws -> ArrivingMachine {
        guard let record = try record(id, secret) else { throw APIError.uuidInvalid("move", id) }
        guard record.state.phase == .running else {
            throw APIError("OPERATION_NOT_ALLOWED", "the machine of the move \(id) is not here yet")
        }
        return record
    }
}
