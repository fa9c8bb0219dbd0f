import Foundation
import Logging
import PoolDatabase
import StorageMotion

/// The toolstack's own records of work on disks and machines that this version cannot read, as after a downgrade. They are
/// kept, and nobody goes on with what they say.
struct UnreadableRecord: Hashable, Sendable {
    let kind: String
    let key: String

    static func all(_ reader: any DatabaseReader) -> [UnreadableRecord] {
        func unread<Record: Decodable>(_ kind: String, _: Record.Type) -> [UnreadableRecord] {
            reader.privateRecords(kind: kind).filter { _, text in
                (try? JSONDecoder().decode(Record.self, from: Data(text.utf8))) == nil
            }.keys.sorted().map { UnreadableRecord(kind: kind, key: $0) }
        }
        return unread(MotionStore.kind, DiskMotion.self) + unread(DepartingMachine.kind, DepartingMachine.self)
            + unread(ArrivingMachine.kind, ArrivingMachine.self) + unread(SuspensionNote.kind, SuspensionNote.self)
            + unread(SuspendedGuest.kind, SuspendedGuest.self) + unread(VolumeDerivation.kind, VolumeDerivation.self)
            + unread(ReceivedDisk.kind, ReceivedDisk.self)
    }

    /// At a start, before anything is taken up.
    static func tell(_ database: PoolDatabase, _ logger: Logger) {
        for record in database.read({ all($0) }) {
            logger.error(
                "a record of work on disks or machines cannot be read; it is kept, and nobody goes on with it: was it written by a later version?",
                metadata: ["kind": "\(record.kind)", "key": "\(record.key)"])
        }
    }
}
