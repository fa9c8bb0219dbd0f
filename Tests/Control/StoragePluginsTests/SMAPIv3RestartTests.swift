import Foundation
import RPCCodec
import StorageInterface
import Synchronization
import TestSupport
import Testing

@testable import StoragePlugins

// What calls wait for after a restart, and what must not wait for them.
extension SMAPIv3Tests {
    @Test("an SR that is on its way is waited for before anybody takes its turn, which its attachment needs")
    func anSROnItsWayIsAwaitedOutsideOfItsTurn() async throws {
        let other = Self.volumeText.replacingOccurrences(of: "key-1", with: "key-2")
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.stat", Self.state("Healthy"))
        try answer("volume/fake/SR.ls", "[\(Self.volumeText)]")
        try answer("volume/fake/Volume.stat", Self.volumeText)
        try answer("volume/fake/Volume.create", Self.volumeText)
        for method in ["snapshot", "clone"] { try answer("volume/fake/Volume.\(method)", other) }
        for method in ["SR.set_name", "Volume.destroy", "Volume.resize", "Volume.revert", "Volume.set"] {
            try answer("volume/fake/\(method)", "null")
        }
        let plugin = try await plugin(host())
        rows.state.withLock { state in
            state.whileAway = { [repository] ref in
                #expect(ref == repository.ref)
                guard !plugin.host.queue(repository.uuid).isTaken else {
                    Issue.record("the SR's turn is taken by a call that waits for its attachment")
                    return
                }
                _ = try? await plugin.attach(repository)
            }
        }
        let new = NewVolume(uuid: "u", size: 4096)
        let calls: [(String, () async throws -> Void)] = [
            ("create", { _ = try await plugin.createVolume(repository, new) }),
            ("destroy", { try await plugin.destroyVolume(repository, volume) }),
            ("resize", { _ = try await plugin.resizeVolume(repository, volume, size: 4096) }),
            ("snapshot", { _ = try await plugin.snapshotVolume(repository, volume, as: new) }),
            ("clone", { _ = try await plugin.cloneVolume(repository, volume, as: new) }),
            ("revert", { _ = try await plugin.revertVolume(repository, volume, to: volume) }),
            (
                "introduce",
                { _ = try await plugin.introduceVolume(repository, uuid: "u", location: "key-1", smConfig: [:]) }
            ),
            ("scan", { _ = try await plugin.scan(repository) }),
            ("begin", { try await plugin.beginEpoch(repository, volume) }),
            ("end", { try await plugin.endEpoch(repository, volume) }),
            ("keys", { try await plugin.storeConfiguration(repository, volume) { ["k": "v"] } }),
            ("name", { try await plugin.renameRepository(repository) { ("n", "d") } }),
        ]
        for (name, call) in calls {
            try plugin.host.table.change { $0.repositories = [:] }
            rows.state.withLock { $0.rows = [] }
            let error = await failure(call)
            #expect(error == nil, "\(name)")
        }
        #expect(self.calls.count { $0 == "SR.attach" } == calls.count)
    }

    @Test("no script but a question is run before what an earlier toolstack's runs were doing is over")
    func scriptsWaitForTheRunsOfAKilledToolstack() async throws {
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/Volume.stat", Self.volumeText)
        for method in ["attach", "detach"] { try answer("datapath/one/Datapath.\(method)", "{}") }
        let log = scratch.file("calls")
        rows.state.withLock { state in
            state.whileLeft = {
                let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                #expect((try? (text + "waited\n").write(toFile: log, atomically: false, encoding: .utf8)) != nil)
            }
        }
        let plugin = try await plugin(host())
        #expect(calls == ["Plugin.Query"])
        try await plugin.attach(repository)
        #expect(calls == ["Plugin.Query", "waited", "SR.attach"])
        _ = await failure { _ = try await plugin.attachVolume(repository, volume, writable: true) }
        #expect(calls.dropFirst(3).prefix(4) == ["waited", "Volume.stat", "waited", "Datapath.attach"])
    }

    @Test("a plugin or datapath that fails to say what it is stays what it was, and is asked again")
    func aPluginThatFailsToSayWhatItIsIsAskedAgain() async throws {
        let (good, once) = (scratch.file("good"), scratch.file("once"))
        let query = scratch.file("query")
        try Self.query.write(toFile: query, atomically: true, encoding: .utf8)
        try "{\"features\": [\"NONPERSISTENT\"]}".write(
            toFile: scratch.file("datapath-query"), atomically: true, encoding: .utf8)
        let datapathBody = "[ -e \(good) ] && cat \(scratch.file("datapath-query"))"
        // Fails at the first question only.
        try script("volume/fake/Plugin.Query", "[ -e \(once) ] && cat \(query); touch \(once)")
        try script("datapath/one/Plugin.Query", datapathBody)
        let host = host()
        let folders = PluginFolders(root: scratch.path, host: host, firstDelay: .zero)
        #expect(await folders.look().found.map(\.info.type) == ["fake"])
        #expect(host.datapath("one") == nil)
        // What is changed cannot be used yet.
        try script("volume/fake/Plugin.Query", "[ -e \(good) ] && cat \(query)")
        try answer("volume/fake/SR.ls", "[]")
        #expect(await folders.look().isEmpty)
        try "".write(toFile: good, atomically: true, encoding: .utf8)
        #expect(await folders.look().found.first?.info.features["SR_SCAN"] == 1)
        #expect(await folders.look().isEmpty)
        #expect(host.datapath("one")?.features == ["NONPERSISTENT"])
        try FileManager.default.removeItem(atPath: good)
        try script("datapath/one/Plugin.Query", datapathBody + " || exit 1")
        _ = await folders.look()
        #expect(host.datapath("one")?.features == ["NONPERSISTENT"])
        try FileManager.default.removeItem(atPath: scratch.file("volume/fake"))
        try FileManager.default.removeItem(atPath: scratch.file("datapath/one"))
        #expect(await folders.look().lost == ["fake"])
        #expect(host.datapath("one") == nil)
    }
}
