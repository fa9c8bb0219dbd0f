import APITypes
import PoolDatabase
import RPCCodec
import StorageInterface
import StorageManagers
import Testing

@testable import StoragePlugins
@testable import Toolstack

/// What a scan says of volumes that nobody knew, when a plugin was to make some and nobody heard of the end.
@Suite("Volumes that plugins made unheard") struct PluginMakingTests {
    private let bench: StorageBench
    private let rows: PluginRows
    private let sr: Ref<SR>

    init() async throws {
        bench = try await StorageBench([FileStorageManager()])
        rows = PluginRows(
            database: bench.database, home: DriverHome(database: bench.database, host: bench.context.host))
        sr = try await bench.makeFolder("a")
    }

    private func volume(_ key: String, name: String? = nil) throws -> PluginVolume {
        try PluginVolume(
            try JSONText.decode(
                """
                {"key": "\(key)", "name": "\(name ?? "name of \(key)")", "description": "", "read_write": true, "sharable": false,
                 "virtual_size": 4096, "physical_utilisation": 0, "uri": [], "keys": {}}
                """))
    }

    private func begin(_ kind: UnfinishedVolume.Kind, _ name: String) async throws {
        try await rows.begin(UnfinishedVolume(kind, name: name), repository: sr.opaque)
    }

    /// The names after a scan that finds these.
    private func names(_ keys: String...) async throws -> [String] {
        try await rows.reconcile(try keys.map { try volume($0) }, repository: sr.opaque)
        return bench.disks().map { $0[VDI.nameLabel] }.sorted()
    }

    private func alerts() -> [Row] {
        bench.database.read { $0.rows(XenMessage.self) }.filter { $0[XenMessage.name] == "VDI_CREATION_CUT_OFF" }
    }

    @Test("what may be one of them is told, and called so when its name does not say whose it is")
    func oneIsTold() async throws {
        try await begin(.snapshot, "d")
        #expect(try await names("k1") == ["name of k1"])
        let alert = try #require(alerts().first)
        #expect(alert[XenMessage.cls] == .vdi && alert[XenMessage.body].contains("'name of k1'"))
        #expect(alert[XenMessage.body].contains("unfinished snapshot of d"))
        #expect(alert[XenMessage.objUUID] == bench.disks().first?[VDI.uuid])
        // That settles it: what comes later is somebody else's.
        #expect(try await names("k1", "k2") == ["name of k1", "name of k2"])
        #expect(alerts().count == 1)
        for (number, name) in ["d", ""].enumerated() {
            try await begin(.snapshot, "d")
            try await rows.reconcile([try volume("k", name: name)], repository: sr.opaque)
            #expect(bench.disks().map { $0[VDI.nameLabel] } == ["unfinished snapshot of d"])
            #expect(alerts().count == 2 + number)
            _ = try await names()
        }
    }

    @Test("when more have appeared than were to be made, all keep their names")
    func manyKeepTheirNames() async throws {
        try await begin(.clone, "d")
        // Of another name: none of them is one of these.
        for _ in 0..<3 { try await begin(.disk, "new") }
        #expect(try await names("k1", "k2", "k3") == ["name of k1", "name of k2", "name of k3"])
        let alert = try #require(alerts().first)
        #expect(alerts().count == 1 && alert[XenMessage.cls] == .sr)
        #expect(alert[XenMessage.body].contains("3 have appeared"))
        #expect(bench.disks().allSatisfy { alert[XenMessage.body].contains($0[VDI.uuid]) })
        #expect(alert[XenMessage.body].contains("unfinished clone of d"))
    }

    @Test("a new disk is known by its name, and what nobody was cut off at is not told of")
    func strangersStayAsTheyAre() async throws {
        try await begin(.disk, "new")
        #expect(try await names("k1") == ["name of k1"])
        let done = UnfinishedVolume(.clone, name: "d")
        try await rows.begin(done, repository: sr.opaque)
        try await rows.end(done)
        #expect(try await names("k1", "k2") == ["name of k1", "name of k2"])
        try await begin(.disk, "name of k3")
        #expect(try await names("k1", "k2", "k3").contains("unfinished disk name of k3"))
        #expect(alerts().count == 1)
    }

    @Test("a plugin that never says what it made does not fill the database")
    func notesAreBounded() async throws {
        let name = String(repeating: "d", count: 100_000)
        try await bench.database.transaction { tx in
            for _ in 0..<256 { try PluginMakings.begin(UnfinishedVolume(.clone, name: name), sr, in: tx) }
        }
        await #expect(throws: StorageError.self) { try await begin(.clone, "d") }
        let notes = bench.database.read { $0.privateRecords(kind: "plugin-making") }
        #expect(notes.count == 256 && notes.values.allSatisfy { $0.utf8.count < 1024 })
        _ = try await names()
        #expect(bench.database.read { $0.privateRecords(kind: "plugin-making") }.isEmpty)
        try await begin(.clone, "d")
    }
}
