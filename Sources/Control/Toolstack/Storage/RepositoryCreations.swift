import APITypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface

/// SRs that SR.create is making: noted before the first effect, and no longer from the transaction on that inserts the
/// rows. What a killed toolstack left of one is taken away at the next start.
enum RepositoryCreations {
    private static let kind = "sr-creation"

    private struct Note: Codable {
        let type: String
        let deviceConfig: [String: String]
    }

    static func begin(_ repository: StorageRepository, type: String, in tx: Transaction) {
        let note = Note(type: type, deviceConfig: repository.deviceConfig)
        // Strings alone can always be written.
        let text = (try? JSONEncoder().encode(note)).map { String(decoding: $0, as: UTF8.self) }
        tx.setPrivate(kind: kind, key: repository.uuid, value: text ?? "{}")
    }

    static func end(_ uuid: String, in tx: Transaction) { tx.setPrivate(kind: kind, key: uuid, value: nil) }

    /// The drivers know what is the SR's own by its uuid, and take away nothing else. A driver that is somebody's program
    /// is not asked: what it left is only told of.
    static func undo(_ context: StorageContext) async {
        for (uuid, text) in context.database.privateRecords(kind: kind) {
            let note = try? JSONDecoder().decode(Note.self, from: Data(text.utf8))
            do {
                if let note, let manager = context.managers.manager(ofType: note.type) {
                    if manager.info.driverFilename.isEmpty {
                        try await manager.destroyRepository(
                            StorageRepository(uuid: uuid, deviceConfig: note.deviceConfig))
                    } else {
                        context.logger.warning(
                            "an SR was not made to its end; its driver may have left something",
                            metadata: ["sr": "\(uuid)", "type": "\(note.type)"])
                    }
                }
                try await context.database.transaction { tx in end(uuid, in: tx) }
            } catch {
                context.logger.warning(
                    "what is left of an SR that was not made to its end cannot be taken away; the next start tries again",
                    metadata: ["sr": "\(uuid)", "error": "\(error)"])
            }
        }
    }
}
