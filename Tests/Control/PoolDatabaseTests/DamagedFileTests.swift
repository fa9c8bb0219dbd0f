import APITypes
import Foundation
import PoolDatabase
import TestSupport
import Testing

/// What becomes of a database whose bytes changed by themselves.
@Suite struct DamagedFileTests {
    /// A file with its log as they are after some transactions, and what the database held after each of them.
    private struct Original {
        let files: [String: Data]
        let states: Set<[String]>
        let last: [String]
    }

    private static func content(_ database: PoolDatabase) -> [String] {
        database.read { reader in
            let rows = ["VDI", "SR"].flatMap { reader.rows(className: $0) }
            return rows.map { "\($0.ref) \($0.record.withSortedSets)" }
                + reader.privateRecords(kind: "move").map { "\($0.key) \($0.value)" }.sorted()
        }
    }

    /// `isClosed`: everything is in the main file; otherwise the half of it is in the log only.
    private static func original(_ path: String, isClosed: Bool) async throws -> Original {
        var database = try await PoolDatabase.open(path: path)
        var states: Set<[String]> = [content(database)]
        func work(_ steps: Range<Int>) async throws {
            for step in steps {
                try await database.transaction { transaction in
                    let repository = transaction.rows(SR.self).first?.typedRef(SR.self) ?? .new()
                    if transaction.row(repository) == nil { transaction.insert(SR.self, ref: repository) { _ in } }
                    transaction.insert(VDI.self, ref: .new()) { row in
                        row[VDI.nameLabel] = "disk \(step)"
                        row[VDI.sr] = repository
                        row[VDI.smConfig] = ["text": String(repeating: "\(step)", count: 300)]
                    }
                    if step % 5 == 4, let first = transaction.rows(VDI.self).first {
                        transaction.delete(first.typedRef(VDI.self))
                    }
                    transaction.setPrivate(kind: "move", key: "\(step % 3)", value: "phase \(step)")
                }
                states.insert(content(database))
            }
        }
        try await work(0..<20)
        try await database.close()
        database = try await PoolDatabase.open(path: path)
        try await work(20..<40)
        let last = content(database)
        if isClosed { try await database.close() }
        var files: [String: Data] = [:]
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
            files[suffix] = try Data(contentsOf: URL(fileURLWithPath: path + suffix))
        }
        if !isClosed { try await database.close() }
        return Original(files: files, states: states, last: last)
    }

    @Test(arguments: [true, false]) func anyDamageIsAnEarlierStateOrAPreciseError(isClosed: Bool) async throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("damage")
        let original = try await Self.original(folder.file("original.db"), isClosed: isClosed)
        #expect(isClosed == (original.files["-wal"]?.isEmpty ?? true))
        var refused = 0
        for round in 0..<90 {
            let path = folder.file("\(round).db")
            var files = original.files
            let suffix = (files["-wal"]?.isEmpty ?? true) || random.next() % 2 == 0 ? "" : "-wal"
            let damage = Self.damage(&files[suffix, default: Data()], &random)
            for (suffix, bytes) in files { try bytes.write(to: URL(fileURLWithPath: path + suffix)) }
            do {
                let database = try await PoolDatabase.open(path: path)
                let content = Self.content(database)
                try await database.close()
                #expect(original.states.contains(content), "round \(round), file '\(suffix)', \(damage)")
            } catch let error as StoreError {
                refused += 1
                #expect(error.kind == .damaged || error.kind == .laterVersion, "round \(round): \(error)")
                #expect(error.description.contains(path), "round \(round): \(error)")
            }
        }
        #expect(refused > 0)
        // Without damage it is the last state.
        let path = folder.file("whole.db")
        for (suffix, bytes) in original.files { try bytes.write(to: URL(fileURLWithPath: path + suffix)) }
        let database = try await PoolDatabase.open(path: path)
        #expect(Self.content(database) == original.last)
        try await database.close()
    }

    /// Flips bits, cuts the end off, or clears a part. Says what it did.
    private static func damage(_ bytes: inout Data, _ random: inout SeededRandom) -> String {
        let place = Int(random.next() % UInt64(max(1, bytes.count)))
        switch random.next() % 4 {
        case 0:
            bytes = bytes.prefix(place)
            return "cut at \(place)"
        case 1:
            let end = min(bytes.count, place + 1 + Int(random.next() % 5000))
            bytes.replaceSubrange(place..<end, with: Data(count: end - place))
            return "cleared \(place)..<\(end)"
        default:
            var places: [Int] = []
            for _ in 0...Int(random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count))
                bytes[place] ^= 1 << UInt8(random.next() % 8)
                places.append(place)
            }
            return "bits at \(places)"
        }
    }

    @Test func filesOfTheFirstVersionAreRead() async throws {
        let folder = try ScratchFolder("database")
        let path = folder.file("pool.db")
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1])
            c.executescript('''
            CREATE TABLE migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL);
            INSERT INTO migrations VALUES (0, 'rows'), (1, 'private-records');
            CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE rows (class TEXT NOT NULL, ref TEXT NOT NULL, fields TEXT NOT NULL,
                created INTEGER NOT NULL, modified INTEGER NOT NULL, PRIMARY KEY (class, ref)) WITHOUT ROWID;
            CREATE TABLE private_records (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
                PRIMARY KEY (kind, key)) WITHOUT ROWID;
            INSERT INTO meta VALUES ('generation', '7000000');
            INSERT INTO rows VALUES ('SR', 'OpaqueRef:s', '{"name_label":"old","uuid":"u"}', 3, 9);
            INSERT INTO rows VALUES ('VDI', 'OpaqueRef:v',
                '{"SR":{"r":"OpaqueRef:s"},"sm_config":{"m":{"a":"b"}},"snapshot_time":{"t":5},"virtual_size":42}', 4, 4);
            INSERT INTO private_records VALUES ('move', '1', 'copying');
            ''')
            c.commit()
            """
        try Tool.check("python3", ["-c", script, path])
        for _ in 0..<2 {
            let database = try await PoolDatabase.open(path: path)
            database.read { reader in
                let disk = reader.row(Ref<VDI>("OpaqueRef:v"))
                #expect(disk?[VDI.virtualSize] == 42 && disk?[VDI.smConfig] == ["a": "b"])
                #expect(disk?[VDI.snapshotTime] == APIDate(seconds: 5) && disk?.created == 4)
                let repository = reader.find(SR.self, uuid: "u")
                #expect(repository?[SR.vdis] == [Ref("OpaqueRef:v")] && repository?.lastModified == 9)
                #expect(reader.privateRecord(kind: "move", key: "1") == "copying")
            }
            #expect(database.generation >= 7_000_000)
            try await database.close()
        }
    }

    @Test func aBackUpOfADatabaseInUseIsADatabase() async throws {
        let folder = try ScratchFolder("database")
        let database = try await PoolDatabase.open(path: folder.file("pool.db"))
        func write(_ count: Int) async throws {
            for index in 0..<count {
                try await database.transaction { $0.insert(VDI.self, ref: .new()) { $0[VDI.nameLabel] = "\(index)" } }
            }
        }
        try await write(100)
        let before = Set(Self.content(database))
        async let more: Void = write(100)
        try await database.backUp(to: folder.file("copy.db"))
        try await more
        let after = Set(Self.content(database))
        try await database.close()
        let copy = try await PoolDatabase.open(path: folder.file("copy.db"))
        let kept = Set(Self.content(copy))
        #expect(kept.isSuperset(of: before) && kept.isSubset(of: after))
        try await copy.close()
        // A place where nothing can be written is an error, and nothing is left there.
        let memory = try await PoolDatabase.open(path: nil)
        await #expect(throws: StoreError.self) { try await memory.backUp(to: folder.file("none.db")) }
        let again = try await PoolDatabase.open(path: folder.file("pool.db"))
        await #expect(throws: StoreError.self) { try await again.backUp(to: folder.file("no/such/folder.db")) }
        try await again.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["copy.db", "pool.db"])
    }
}
