import APITypes
import Foundation
import PoolDatabase
import TestSupport
import Testing

@Suite struct DurabilityTests {
    /// What a database holds, as text that can be compared.
    private func content(_ database: PoolDatabase) -> [String: APIValue] {
        database.read { reader in
            var all: [String: APIValue] = [:]
            for name in ["VDI", "SR", "VBD"] {
                for row in reader.rows(className: name) { all["\(name) \(row.ref)"] = row.record.withSortedSets }
            }
            for (key, value) in reader.privateRecords(kind: "move") { all["private \(key)"] = .string(value) }
            return all
        }
    }

    @Test func everythingCommittedIsThereAfterReopening() async throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("database")
        let path = folder.file("pool.db")
        for _ in 0..<4 {
            let database = try await PoolDatabase.open(path: path)
            for _ in 0..<60 {
                let step = random.next()
                _ = try? await database.transaction { try Self.change($0, step) }
            }
            let before = content(database)
            let generation = database.generation
            try await database.close()
            let again = try await PoolDatabase.open(path: path)
            #expect(content(again) == before)
            #expect(again.generation > generation, "a generation must never be given out twice")
            try await again.close()
        }
    }

    /// One random change; every seventh transaction fails after it changed something.
    private static func change(_ transaction: Transaction, _ step: UInt64) throws {
        var random = SeededRandom(seed: step)
        for _ in 0...Int(random.next() % 4) {
            let refs = transaction.rows(VDI.self).map { $0.typedRef(VDI.self) }
            switch random.next() % 6 {
            case 0:
                transaction.insert(SR.self, ref: .new()) { $0[SR.nameLabel] = "sr \"\\\u{1}ü\(step)" }
            case 1, 2:
                let repository = transaction.rows(SR.self).randomElement(using: &random)?.typedRef(SR.self) ?? .null
                transaction.insert(VDI.self, ref: .new()) { row in
                    row[VDI.sr] = repository
                    row[VDI.virtualSize] = Int64(bitPattern: step)
                    row[VDI.smConfig] = ["image-format": "qcow2", "": "<&>\n"]
                    row[VDI.snapshotTime] = APIDate(seconds: 1_700_000_000)
                    row[VDI.snapshotOf] = refs.first ?? .null
                }
            case 3:
                transaction.insert(VBD.self, ref: .new()) { $0[VBD.vdi] = refs.randomElement(using: &random) ?? .null }
            case 4:
                if let ref = refs.randomElement(using: &random) { transaction.delete(ref) }
            default:
                if let ref = refs.randomElement(using: &random) { try transaction.set(ref, VDI.nameLabel, "\(step)") }
                transaction.setPrivate(kind: "move", key: "\(step % 5)", value: step % 2 == 0 ? nil : "phase \(step)")
            }
        }
        if step % 7 == 0 { throw APIError("VDI_IN_USE") }
    }

    @Test func aFailedTransactionChangesNothing() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let repository = Ref<SR>.new()
        try await database.transaction { transaction in
            transaction.insert(SR.self, ref: repository) { $0[SR.nameLabel] = "before" }
        }
        let before = content(database)
        await #expect(throws: APIError("HANDLE_INVALID", "VDI", "OpaqueRef:none")) {
            try await database.transaction { transaction in
                try transaction.set(repository, SR.nameLabel, "after")
                #expect(transaction.row(repository)?[SR.nameLabel] == "after")
                transaction.insert(VDI.self, ref: .new()) { $0[VDI.sr] = repository }
                transaction.setPrivate(kind: "move", key: "1", value: "copying")
                try transaction.set(Ref<VDI>("OpaqueRef:none"), VDI.nameLabel, "x")
            }
        }
        #expect(content(database) == before)
        let uuid = database.read { $0.row(repository)?.uuid } ?? ""
        await #expect(throws: APIError("DB_UNIQUENESS_CONSTRAINT_VIOLATION", "SR", "uuid", uuid)) {
            try await database.transaction { transaction in
                transaction.insert(SR.self, ref: .new()) { $0[SR.uuid] = uuid }
            }
        }
        #expect(content(database) == before)
    }

    @Test func aDamagedFileIsRefusedAsAWhole() async throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("database")
        let path = folder.file("pool.db")
        let database = try await PoolDatabase.open(path: path)
        try await database.transaction { transaction in
            for index in 0..<500 {
                transaction.insert(VDI.self, ref: .new()) { $0[VDI.nameLabel] = "disk \(index)" }
            }
        }
        try await database.close()
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var zeroed = whole
        let page = 4096 * (2 + Int(random.next() % UInt64(whole.count / 4096 - 2)))
        zeroed.replaceSubrange(page..<page + 4096, with: Data(count: 4096))
        let damaged = [
            Data("not a database, only a text".utf8), whole.prefix(whole.count / 2), whole.prefix(4096), zeroed,
        ]
        for bytes in damaged {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let error = await #expect(throws: StoreError.self) { try await PoolDatabase.open(path: path) }
            #expect(error?.kind == .damaged)
            #expect(error?.description.contains(path) == true)
        }
        try whole.write(to: URL(fileURLWithPath: path))
        let again = try await PoolDatabase.open(path: path)
        #expect(again.read { $0.rows(VDI.self).count } == 500)
    }

    @Test func rowsThatCannotBeReadAndLaterVersionsAreRefused() async throws {
        let folder = try ScratchFolder("database")
        for (statement, kind) in [
            ("UPDATE objects SET fields = x'0102'", StoreError.Kind.damaged),
            ("UPDATE objects SET class = class + 1", .damaged),
            ("UPDATE names SET name = 'no such class' WHERE name = 'SR'", .damaged),
            ("DELETE FROM objects", .damaged),
            ("UPDATE meta SET value = '5 0 0'", .damaged),
            ("INSERT INTO private_records VALUES ('move', '1', 'x')", .damaged),
            ("DROP TABLE private_records", .damaged),
            ("INSERT INTO migrations VALUES (99, 'tomorrow')", .laterVersion),
        ] {
            let path = folder.file("pool.db")
            try? FileManager.default.removeItem(atPath: path)
            let database = try await PoolDatabase.open(path: path)
            try await database.transaction { $0.insert(SR.self, ref: .new()) { _ in } }
            try await database.close()
            let script = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
            try Tool.check("python3", ["-c", script, path, statement])
            let error = await #expect(throws: StoreError.self) { try await PoolDatabase.open(path: path) }
            #expect(error?.kind == kind)
        }
    }

    @Test func oneProcessHoldsTheFile() async throws {
        let folder = try ScratchFolder("database")
        let database = try await PoolDatabase.open(path: folder.file("pool.db"))
        let error = await #expect(throws: StoreError.self) { try await PoolDatabase.open(path: folder.file("pool.db")) }
        #expect(error?.kind == .inUse)
        try await database.close()
    }
}

extension APIValue {
    /// Computed sets have no order worth keeping.
    var withSortedSets: APIValue {
        switch self {
        case .set(let values): .set(values.sorted { "\($0)" < "\($1)" })
        case .record(let members): .record(members.map { APIMember($0.name, $0.value.withSortedSets) })
        default: self
        }
    }
}
