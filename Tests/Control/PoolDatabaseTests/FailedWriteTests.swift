import APITypes
import PoolDatabase
import TestSupport
import Testing

/// What a write that fails takes with it, and what it does not.
@Suite struct FailedWriteTests {
    /// A database whose file refuses private records of kind `fails`, as a full disk would, while there is none of kind `room`.
    private func openFull(_ folder: ScratchFolder) async throws -> PoolDatabase {
        let path = folder.file("pool.db")
        try await PoolDatabase.open(path: path).close()
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1])
            c.execute(\"\"\"CREATE TRIGGER full BEFORE INSERT ON private_records
                WHEN NEW.kind = 'fails' AND NOT EXISTS (SELECT 1 FROM private_records WHERE kind = 'room')
                BEGIN SELECT RAISE(ABORT, 'the disk is full'); END\"\"\")
            c.commit()
            """
        try Tool.check("python3", ["-c", script, path])
        return try await PoolDatabase.open(path: path)
    }

    @Test func whatLivesInMemoryDoesNotFailWithAnothersWrite() async throws {
        let database = try await openFull(try ScratchFolder("database"))
        let refs = (0..<200).map { _ in Ref<XenTask>.new() }
        let failed = try await withThrowingTaskGroup(of: Bool.self) { group in
            for (index, ref) in refs.enumerated() {
                group.addTask {
                    do {
                        try await database.transaction { $0.setPrivate(kind: "fails", key: "\(index)", value: "") }
                        return false
                    } catch is StoreError {
                        return true
                    }
                }
                group.addTask {
                    try await database.transaction { $0.insert(XenTask.self, ref: ref) { _ in } }
                    #expect(database.read { $0.row(ref) != nil })
                    return false
                }
                // One that only reads is told of nothing that was not kept.
                group.addTask {
                    let seen = try await database.transaction { $0.privateRecords(kind: "fails") }
                    #expect(seen == [:])
                    return false
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failed == refs.count)
        #expect(database.read { $0.count(className: "task") } == refs.count)
        try await database.close()
    }

    @Test func whatMustBeRecordedWaitsForRoom() async throws {
        let database = try await openFull(try ScratchFolder("database"))
        let (tries, tried) = AsyncStream.makeStream(of: Void.self)
        let writer = Task {
            try await database.persist { tx in
                tried.yield()
                tx.setPrivate(kind: "fails", key: "a", value: "written")
                return tx.generation
            }
        }
        var seen = tries.makeAsyncIterator()
        for _ in 0..<2 { await seen.next() }
        // Whoever waits for it may give up; it is not given up.
        writer.cancel()
        await seen.next()
        #expect(database.read { $0.privateRecords(kind: "fails") } == [:])
        // It may share the fate of the other, once.
        try await database.persist { $0.setPrivate(kind: "room", key: "", value: "") }
        _ = try await writer.value
        #expect(database.read { $0.privateRecords(kind: "fails") } == ["a": "written"])
        // The body's own errors are its caller's.
        await #expect(throws: APIError.self) {
            try await database.persist { tx in try tx.set(Ref<VM>("none"), VM.nameLabel, "") }
        }
        try await database.close()
    }

    @Test func nobodyWaitsForADatabaseThatIsClosed() async throws {
        let database = try await openFull(try ScratchFolder("database"))
        let (tries, tried) = AsyncStream.makeStream(of: Void.self)
        let writer = Task {
            try await database.persist { tx in
                tried.yield()
                tx.setPrivate(kind: "fails", key: "a", value: "")
            }
        }
        var seen = tries.makeAsyncIterator()
        await seen.next()
        try await database.close()
        await #expect(throws: StoreError.self) { try await writer.value }
    }
}
