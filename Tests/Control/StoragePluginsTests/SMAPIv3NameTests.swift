import Foundation
import Logging
import RPCCodec
import StorageInterface
import Synchronization
import TestSupport
import Testing

@testable import StoragePlugins

private final class Word: Sendable {
    let text = Mutex("old")
}

// What is told to plugins of names and keys.
extension SMAPIv3Tests {
    @Test("an SR's name goes to its plugin, and with the next scan again") func namesOfRepositories() async throws {
        let names = ["SR.set_name", "SR.set_description"]
        for name in names { try answer("volume/fake/\(name)", "null") }
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.stat", Self.state("Healthy"))
        try answer("volume/fake/SR.detach", "null")
        try answer("volume/fake/SR.ls", "[]")
        let plugin = try await plugin(host())
        try await plugin.attach(repository)
        try await plugin.renameRepository(repository) { ("new", "text") }
        #expect(try asked["sr"] == .string("the sr") && asked["new_description"] == .string("text"))
        _ = try await plugin.scan(repository)
        #expect(calls.filter(names.contains) == names + names)
        #expect(try asked["new_description"] == .string("told"))
        // It answers otherwise, and is not told of the same again and again; nor of a name that nobody gave.
        _ = try await plugin.scan(repository)
        try await plugin.renameRepository(repository) { nil }
        #expect(calls.filter(names.contains).count == 4)
        try await plugin.detach(repository)
        let nameless = PluginHost(
            settings: PluginSettings(limits: PluginLimits(time: .seconds(60))),
            rows: RowsInMemory(name: "", description: ""),
            table: AttachmentTable(file: scratch.file("nameless"), logger: quiet), logger: quiet)
        let introduced = try await self.plugin(nameless)
        try await introduced.attach(repository)
        _ = try await introduced.scan(repository)
        #expect(calls.filter(names.contains).count == 4)
        try await plugin.attach(repository)
        let same = Self.state("Healthy").replacingOccurrences(
            of: "\"name\": \"n\", \"description\": \"\"",
            with: "\"name\": \"the name\", \"description\": \"told\"")
        try answer("volume/fake/SR.stat", same)
        _ = try await plugin.scan(repository)
        #expect(calls.filter(names.contains).count == 4)
    }

    @Test("a name that a scan has made up is not told to the plugin") func madeUpNames() async throws {
        for method in ["set_name", "set_description"] { try answer("volume/fake/Volume.\(method)", "null") }
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.stat", Self.state("Healthy"))
        try answer("volume/fake/SR.ls", "[\(Self.volumeText)]")
        let plugin = try await plugin(host())
        try await plugin.attach(repository)
        for (name, isTold) in [(UnfinishedVolume(.clone, name: "d").title, false), ("mine", true)] {
            rows.state.withLock {
                $0.rows = [VolumeRow(uuid: "vdi-uuid", key: "key-1", name: name, description: "", isManaged: true)]
            }
            _ = try await plugin.scan(repository)
            #expect(calls.contains("Volume.set_name") == isTold, "\(name)")
        }
    }

    @Test("what a disk's sm_config says is asked for in the SR's turn") func configurationInTurn() async throws {
        for method in ["set", "unset"] { try answer("volume/fake/Volume.\(method)", "null") }
        try answer("volume/fake/SR.attach", "\"the sr\"")
        let host = host()
        let plugin = try await plugin(host)
        try await plugin.attach(repository)
        let value = Word()
        let isReady = AsyncStream.makeStream(of: Void.self)
        async let held: Void = host.inTurn(repository.uuid) { () async throws(StorageError) in
            isReady.continuation.finish()
            // The other has got in line, or gets there later: the value is what it is in its turn.
            await Task.yield()
            value.text.withLock { $0 = "new" }
        }
        for await _ in isReady.stream {}
        try await plugin.storeConfiguration(repository, volume) { ["k": value.text.withLock { $0 }] }
        try await held
        #expect(try asked["v"] == .string("new") && asked["k"] == .string("_sm_config_k"))
        try await plugin.storeConfiguration(repository, volume) { [:] }
        #expect(calls.count { $0 == "Volume.set" } == 1)
    }
}
