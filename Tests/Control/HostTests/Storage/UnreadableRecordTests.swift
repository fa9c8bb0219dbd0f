import PoolDatabase
import StorageMotion
import Testing

@testable import Toolstack

@Suite struct UnreadableRecordTests {
    /// What a later version wrote is named, stays, and is none of those that are gone on with.
    @Test func recordsThatCannotBeReadAreNamedAndKept() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let kinds = [
            MotionStore.kind, DepartingMachine.kind, ArrivingMachine.kind, SuspensionNote.kind, SuspendedGuest.kind,
            VolumeDerivation.kind,
        ]
        try await database.transaction { tx in
            for kind in kinds { tx.setPrivate(kind: kind, key: "k", value: "of a later version") }
        }
        #expect(database.read { UnreadableRecord.all($0) } == kinds.map { UnreadableRecord(kind: $0, key: "k") })
        #expect(MotionStore(database: database).all().isEmpty && database.departures().isEmpty)
        #expect(database.arrivals().isEmpty && database.read { SuspensionNote.all($0).isEmpty })
        #expect(kinds.allSatisfy { database.privateRecords(kind: $0)["k"] != nil })
    }
}
