import APITypes
import Foundation
import Logging
import PoolDatabase
import StorageInterface
import Synchronization

/// SRs that SR.create is making: noted before the first effect, and no longer from the transaction on that inserts the
/// rows. What a killed toolstack, or a failure that could not undo itself, left of one is taken away at the next start, or
/// when somebody wants to make an SR at the same place.
enum RepositoryCreations {
    static let kind = "sr-creation"

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

    /// The uuids of the SRs that were not made to their end, or are being made.
    static func all(_ context: StorageContext) -> [String] {
        context.database.privateRecords(kind: kind).keys.sorted()
    }

    /// Undoes what is left at the place of an SR that is to be made. The drivers judge what is there, whatever comes of it.
    static func clear(for repository: StorageRepository, type: String, _ context: StorageContext) async {
        for (uuid, text) in context.database.privateRecords(kind: kind) where uuid != repository.uuid {
            guard let note = read(text), note.type.lowercased() == type.lowercased(),
                note.deviceConfig == repository.deviceConfig, !context.repositoriesBeingMade.all.contains(uuid)
            else { continue }
            await undo(uuid, context)
        }
    }

    /// The drivers know what is the SR's own by its uuid, and take away nothing else. A driver that is somebody's program
    /// is not asked: what it left is only told of, by an alert about the SR, which stays unless it was plugged already.
    static func undo(_ uuid: String, _ context: StorageContext) async {
        guard let text = context.database.privateRecords(kind: kind)[uuid] else { return }
        do {
            if let note = read(text), let manager = context.managers.manager(ofType: note.type) {
                if manager.info.driverFilename.isEmpty {
                    try await manager.undoCreation(StorageRepository(uuid: uuid, deviceConfig: note.deviceConfig))
                } else {
                    return try await leave(uuid, type: note.type, context)
                }
            }
            try await context.database.transaction { tx in end(uuid, in: tx) }
        } catch {
            context.logger.warning(
                "what is left of an SR that was not made to its end cannot be taken away; the next start tries again",
                metadata: ["sr": "\(uuid)", "error": "\(error)"])
        }
    }

    private static func leave(_ uuid: String, type: String, _ context: StorageContext) async throws {
        try await context.database.transaction { tx in
            end(uuid, in: tx)
            guard let sr = tx.find(SR.self, uuid: uuid)?.typedRef(SR.self) else { return }
            let pbds = tx.rows(PBD.self) { $0[PBD.sr] == sr }
            if pbds.contains(where: { $0[PBD.currentlyAttached] }) { return }
            Alerts.post(
                Alerts.Kind(name: "SR_CREATION_CUT_OFF", priority: 3), about: .sr, uuid: uuid,
                body:
                    "The SR was not made to its end. Its driver, '\(type)', may have made it or not: plug its PBD, or "
                    + "destroy or forget the SR.", in: tx)
        }
    }

    /// The type of the SR that a record is about.
    static func type(in text: String) -> String { read(text)?.type ?? "" }

    private static func read(_ text: String) -> Note? {
        try? JSONDecoder().decode(Note.self, from: Data(text.utf8))
    }
}
