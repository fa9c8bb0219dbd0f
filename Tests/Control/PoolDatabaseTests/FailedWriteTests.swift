import APITypes
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import PoolDatabase

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

    /// Whoever answers a client is told of a full disk, and what he waited for goes on.
    @Test func nobodyWhoIsToAnswerWaitsForRoom() async throws {
        let database = try await openFull(try ScratchFolder("database"))
        let told = Mutex(0)
        database.whenLate { _ in told.withLock { $0 += 1 } }
        let (ends, ended) = AsyncStream.makeStream(of: Void.self)
        let error = await #expect(throws: StoreError.self) {
            try await database.answering(within: .milliseconds(100)) {
                try await database.persist { $0.setPrivate(kind: "fails", key: "a", value: "written") }
                // A second step.
                try await database.transaction { $0.setPrivate(kind: "second", key: "a", value: "") }
                ended.yield()
            }
        }
        #expect(error?.kind == .failed && database.read { $0.privateRecords(kind: "fails") } == [:])
        // Three tries and more, and one line.
        #expect(told.withLock { $0 } == 1)
        try await database.persist { $0.setPrivate(kind: "room", key: "", value: "") }
        var seen = ends.makeAsyncIterator()
        await seen.next()
        #expect(database.read { $0.privateRecords(kind: "fails").count + $0.privateRecords(kind: "second").count } == 2)
        // With room nobody is told of anything, however long the work is, and its own errors are his.
        let length = try await database.answering(within: .zero) {
            try await Task.sleep(for: .milliseconds(1))
            return try await database.persist { $0.privateRecords(kind: "fails").count }
        }
        #expect(length == 1)
        await #expect(throws: CancellationError.self) {
            try await database.answering { () async throws -> Void in throw CancellationError() }
        }
        try await database.close()
    }

    /// SQLite's own answers, of a file system that is full while the database is open.
    @Test func aFullFileSystemFailsWritesUntilThereIsRoom() async throws {
        let folder = try ScratchFolder("full")
        let small = folder.file("small")
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: false)
        try Tool.check("mount", ["-t", "tmpfs", "-o", "size=4M", "small", small])
        defer { _ = try? Tool.check("umount", [small]) }
        let database = try await PoolDatabase.open(path: small + "/pool.db")
        try await database.transaction { $0.setPrivate(kind: "k", key: "before", value: "") }
        // All that is left.
        _ = try? Tool.check("dd", ["if=/dev/zero", "of=" + small + "/filler", "bs=4k", "count=4096", "status=none"])
        let long = String(repeating: "x", count: 64 << 10)
        for index in 0..<3 {
            let error = await #expect(throws: StoreError.self) {
                try await database.transaction { $0.setPrivate(kind: "k", key: "\(index)", value: long) }
            }
            #expect(error?.kind == .failed, "\(error?.description ?? "")")
        }
        let (tries, tried) = AsyncStream.makeStream(of: Void.self)
        database.whenLate { _ in tried.yield() }
        async let late: Void = database.persist { $0.setPrivate(kind: "k", key: "late", value: long) }
        var seen = tries.makeAsyncIterator()
        await seen.next()
        try FileManager.default.removeItem(atPath: small + "/filler")
        try await late
        try await database.close()
        let again = try await PoolDatabase.open(path: small + "/pool.db")
        #expect(again.read { Set($0.privateRecords(kind: "k").keys) } == ["before", "late"])
        try await again.close()
    }

    @Test func aFailureIsToldOnceAMinute() {
        var writes = LateWrites()
        let start = ContinuousClock.now
        writes.tell = { _ in }
        #expect(writes.take(at: start) != nil && writes.take(at: start + .seconds(59)) == nil)
        #expect(writes.take(at: start + .seconds(60)) != nil && writes.take(at: start + .seconds(61)) == nil)
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
