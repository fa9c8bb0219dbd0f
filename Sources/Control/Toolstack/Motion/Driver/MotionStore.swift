import Foundation
import PoolDatabase
import StorageMotion

/// The moves in progress, as private records of the database (kind `motion`, key = the motion's id).
struct MotionStore: Sendable {
    static let kind = "motion"
    let database: PoolDatabase

    /// All that can be read (`UnreadableRecord` has the others).
    func all() -> [DiskMotion] { database.privateRecords(kind: Self.kind).values.compactMap(Self.read) }

    static func read(_ text: String) -> DiskMotion? {
        try? JSONDecoder().decode(DiskMotion.self, from: Data(text.utf8))
    }

    func save(_ motion: DiskMotion) async throws { try await save([motion]) }

    /// All or none. `room`: as long as what was decided about it holds; throws `RoomTaken`.
    func save(_ motions: [DiskMotion], room: DecidedRoom? = nil) async throws {
        let texts = try motions.map { (key: $0.id, text: try Self.text($0)) }
        try await database.transaction { tx in
            try room?.require(tx)
            for (key, text) in texts { tx.setPrivate(kind: Self.kind, key: key, value: text) }
        }
    }

    /// As part of a larger transaction.
    static func text(_ motion: DiskMotion) throws -> String {
        String(decoding: try JSONEncoder().encode(motion), as: UTF8.self)
    }

    func forget(_ motion: DiskMotion) async throws {
        try await database.transaction { tx in tx.setPrivate(kind: Self.kind, key: motion.id, value: nil) }
    }
}
