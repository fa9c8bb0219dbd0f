import APITypes
import PoolDatabase
import Synchronization
import TestSupport
import Testing

/// Fields that follow from other rows.
@Suite struct DerivationTests {
    private struct Refused: Error {}

    @Test func whatFollowsIsSeenWithWhatItFollowsFrom() async throws {
        let calls = Mutex<[[String]]>([])
        let database = try await PoolDatabase.open(
            path: nil,
            deriving: Derivation(classes: ["SR"]) { tx, changed in
                calls.withLock { $0.append(changed.map(\.ref)) }
                for row in changed.map({ Ref<SR>($0.ref) }) {
                    guard let now = tx.row(row) else { continue }
                    if now.nameLabel == "bad" { throw Refused() }
                    let was = tx.before(row)?.nameLabel ?? "new"
                    try tx.set(row, SR.nameDescription, "\(was) -> \(now.nameLabel)")
                }
            })
        let sr = Ref<SR>("OpaqueRef:sr")
        try await database.transaction { tx in tx.insert(SR.self, ref: sr) { $0[SR.nameLabel] = "a" } }
        #expect(database.read { $0.row(sr)?[SR.nameDescription] } == "new -> a")
        // Many changes of a row are one; other classes are none.
        try await database.transaction { tx in
            for label in ["b", "c", "d"] { try tx.set(sr, SR.nameLabel, label) }
            tx.insert(VM.self, ref: .new()) { _ in }
        }
        try await database.transaction { tx in tx.insert(VM.self, ref: .new()) { _ in } }
        #expect(database.read { $0.row(sr)?[SR.nameDescription] } == "a -> d")
        #expect(calls.withLock { $0 } == [[sr.opaque], [sr.opaque]])
        // A failure is the transaction's.
        await #expect(throws: Refused.self) {
            try await database.transaction { tx in try tx.set(sr, SR.nameLabel, "bad") }
        }
        #expect(database.read { $0.row(sr)?.nameLabel } == "d")
        try await database.transaction { tx in tx.delete(sr) }
        #expect(calls.withLock { $0.last } == [sr.opaque])
    }

    /// Nobody sees a row without it, no event tells of it, and it is not written.
    @Test func whatIsNotStoredIsThereFromTheStart() async throws {
        let folder = try ScratchFolder("derived")
        let path = folder.file("pool.db")
        let sr = Ref<SR>("OpaqueRef:sr")
        let first = try await PoolDatabase.open(path: path)
        try await first.transaction { tx in tx.insert(SR.self, ref: sr) { $0[SR.nameLabel] = "a" } }
        let before = first.read { $0.row(sr)?.lastModified }
        try await first.close()
        let derivation = Derivation(
            classes: [],
            begin: { reader, set in
                for row in reader.rows(SR.self) {
                    set(row, "allowed_operations", [StorageOperations.scan, .plug].apiValue)
                }
            }, update: { _, _ in })
        let second = try await PoolDatabase.open(path: path, deriving: derivation)
        let row = try #require(second.read { $0.row(sr) })
        #expect(row[SR.allowedOperations] == [.scan, .plug])
        #expect(row.lastModified == before && second.read { $0.rows(SR.self).first?[SR.allowedOperations].count } == 2)
        try await second.transaction { tx in try tx.set(sr, SR.nameLabel, "b") }
        try await second.close()
        let third = try await PoolDatabase.open(path: path)
        #expect(third.read { $0.row(sr) }.map { $0[SR.allowedOperations].isEmpty && $0.nameLabel == "b" } == true)
        try await third.close()
    }
}
