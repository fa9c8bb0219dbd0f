import APITypes
import Foundation
import Guests
import PoolDatabase
import StorageMotion

/// The guest of a machine that comes from another pool while it runs.
extension Arrivals {
    func guest(_ record: ArrivingMachine) -> ArrivingGuest {
        ArrivingGuest(context: context, guests: guests, lifecycle: lifecycle, machine: record)
    }

    /// A QEMU waits for the guest from when this returns. Once it does, another word to do so changes nothing, unless it is of a later
    /// try: then the guest runs at the other side again, and what was read of it here is worth nothing.
    func expect(_ id: String, _ secret: String, _ body: [UInt8]) async throws -> MachineArrival.Answer {
        try enter(id)
        defer { busy.remove(id) }
        guard let record = try record(id, secret) else { throw APIError.uuidInvalid("move", id) }
        guard let expected = try? JSONDecoder().decode(ExpectedGuest.self, from: Data(body)) else {
            throw APIError.internalError("what the other pool says of a guest is not understood")
        }
        guard record.isLive, record.state.phase == .receiving else {
            throw APIError("OPERATION_NOT_ALLOWED", "no guest comes with the move \(id)")
        }
        if let attempt = expected.attempt, attempt > attempts[id, default: 1] {
            guard await guest(record).dismiss() else { throw Self.leftOver(id) }
            attempts[id] = attempt
        }
        try await guest(record).expect(try GuestDocument.decode(expected.passport))
        await FailurePoint.wait("arrival-after-expect")
        return record.state.answer
    }

    /// A socket for the memory of a guest that is waited for, once. The caller closes it. Throws PERMISSION_DENIED,
    /// UUID_INVALID, OPERATION_NOT_ALLOWED.
    public func connectMemory(id: String, secret: String) async throws -> Int32 {
        guard let record = try record(id, secret) else { throw APIError.uuidInvalid("move", id) }
        guard record.isLive, record.state.phase == .receiving else {
            throw APIError("OPERATION_NOT_ALLOWED", "no guest comes with the move \(id)")
        }
        return try await guest(record).connect()
    }
}
