import Foundation
import PoolDatabase
import StorageMotion

/// The moves in progress, as private records of the database (kind `motion`, key = the motion's id).
struct MotionStore: Sendable {
    static let kind = "motion"
    let database: PoolDatabase

    /// Unreadable records are left out here and reported by recovery through `damaged`.
    func all() -> [DiskMotion] {
        database.privateRecords(kind: Self.kind).values.compactMap {
            try? JSONDecoder().decode(DiskMotion.self, from: Data($0.utf8))
        }
    }

    func save(_ motion: DiskMotion) async throws {
        let text = try Self.text(motion)
        try await database.transaction { tx in tx.setPrivate(kind: Self.kind, key: motion.id, value: text) }
    }

    /// As part of a larger transaction.
    static func text(_ motion: DiskMotion) throws -> String {
        String(decoding: try JSONEncoder().encode(motion), as: UTF8.self)
    }

    func forget(_ motion: DiskMotion) async throws {
        try await database.transaction { tx in tx.setPrivate(kind: Self.kind, key: motion.id, value: nil) }
    }
}
