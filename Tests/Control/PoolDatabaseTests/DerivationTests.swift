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
}
