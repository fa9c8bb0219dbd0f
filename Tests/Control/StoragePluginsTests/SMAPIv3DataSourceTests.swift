import Foundation
import Logging
import RPCCodec
import StorageInterface
import TestSupport
import Testing

@testable import StoragePlugins

// What plugins measure.
extension SMAPIv3Tests {
    @Test("what a plugin measures is read while its SR is attached") func dataSources() async throws {
        let folder = scratch.file("metrics")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let sources = "[\"xeno+shm:///own\", \"xeno+shm:///../table\", \"http://x\"]"
        try answer(
            "volume/fake/SR.stat",
            Self.state("Healthy").replacingOccurrences(
                of: "\"datasources\": []", with: "\"datasources\": \(sources)"))
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.detach", "null")
        let host = PluginHost(
            settings: PluginSettings(limits: PluginLimits(time: .seconds(60))), rows: rows,
            table: AttachmentTable(file: scratch.file("table"), logger: quiet), logger: quiet, metricsFolder: folder)
        let plugin = try await plugin(host)
        try await plugin.attach(repository)
        _ = try await plugin.space(repository)
        #expect(host.table.pages(of: repository.uuid) == ["own"])
        // Not there, no file, and one that would make the reader wait.
        #expect(plugin.metrics(repository).isEmpty)
        #expect(unsafe mkfifo(folder + "/own", 0o600) == 0)
        #expect(plugin.metrics(repository).isEmpty)
        try FileManager.default.removeItem(atPath: folder + "/own")
        try Data(MetricPageTests.page()).write(to: URL(fileURLWithPath: folder + "/own"))
        #expect(plugin.metrics(repository).map(\.time) == [1000.5])
        // Another toolstack knows them still.
        let table = AttachmentTable(file: scratch.file("table"), logger: quiet)
        #expect(table.pages(of: repository.uuid) == ["own"])
        try await plugin.detach(repository)
        #expect(plugin.metrics(repository).isEmpty && host.table.pages(of: repository.uuid).isEmpty)
    }

    @Test("a folder or page of somebody else's is not read, and the start makes the folder")
    func foldersOfMetrics() async throws {
        let folder = scratch.file("shm/metrics")
        try answer("volume/fake/Plugin.Query", Self.query)
        let scripts = try #require(ScriptFolder(path: scratch.file("volume/fake")))
        let description = try await PluginFolders.describe("fake", scripts, host().runner)
        func reader(_ folder: String, user: PluginSandbox.Identity? = nil) throws -> SMAPIv3Plugin {
            let host = PluginHost(
                settings: PluginSettings(
                    limits: PluginLimits(time: .seconds(60)), sandbox: PluginSandbox(user: user)), rows: rows,
                table: AttachmentTable(file: scratch.file("table"), logger: quiet), logger: quiet,
                metricsFolder: folder)
            host.makeMetricsFolder()
            try host.table.change { $0.setPages(["own"], of: repository.uuid) }
            return SMAPIv3Plugin(description: description, folder: scripts, host: host)
        }
        let own = try reader(folder)
        let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
        #expect(mode == 0o755)
        try Data(MetricPageTests.page()).write(to: URL(fileURLWithPath: folder + "/own"))
        #expect(own.metrics(repository).count == 1)
        let ofUser = scratch.file("of-user")
        _ = try reader(ofUser, user: PluginSandbox.Identity(user: 54321, group: 54321))
        #expect((try FileManager.default.attributesOfItem(atPath: ofUser))[.ownerAccountID] as? Int == 54321)
        let link = scratch.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder)
        #expect(try reader(link).metrics(repository).isEmpty)
        let stranger = PluginSandbox.Identity(user: 54321, group: 54321)
        for place in [folder, folder + "/own"] {
            try #require(unsafe chown(place, 54321, 54321) == 0)
            #expect(own.metrics(repository).isEmpty, "\(place)")
            #expect(try reader(folder, user: stranger).metrics(repository).count == 1)
            try #require(unsafe chown(place, geteuid(), getegid()) == 0)
        }
        #expect(own.metrics(repository).count == 1)
    }
}
