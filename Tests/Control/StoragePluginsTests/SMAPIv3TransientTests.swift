import Foundation
import Logging
import RPCCodec
import StorageInterface
import TestSupport
import Testing

@testable import StoragePlugins

// Disks of guests that do not keep them, with datapaths that keep writes apart.
extension SMAPIv3Tests {
    @Test("a datapath that keeps writes apart is opened once for a guest that does not keep them")
    func transients() async throws {
        let methods = ["open", "attach", "activate", "deactivate", "detach", "close"]
        for method in methods { try answer("datapath/one/Datapath.\(method)", "null") }
        try script(
            "datapath/one/Datapath.open", "cp \(scratch.file("asked")) \(scratch.file("opened")); echo null")
        try answer(
            "datapath/one/Datapath.attach", "{\"implementations\": [[\"File\", {\"path\": \"\(scratch.path)\"}]]}")
        try answer("datapath/one/Plugin.Query", "{\"features\": [\"NONPERSISTENT\"]}")
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/SR.stat", Self.state("Healthy"))
        try answer("volume/fake/SR.detach", "null")
        try answer("volume/fake/Volume.stat", Self.volumeText)
        let first = try await plugin(host())
        try await first.attach(repository)
        try await first.beginEpoch(repository, volume)
        let opened = try JSONText.decode(try String(contentsOfFile: scratch.file("opened"), encoding: .utf8))
        #expect(opened["persistent"] == .bool(false) && opened["uri"] == .string("one://x"))
        var present = volume
        present.isInEpoch = true
        _ = try await first.attachVolume(repository, present, writable: true)
        try await first.activateVolume(repository, present, writable: true)
        // Its data path starts anew, and then the toolstack: the guest still has what it wrote.
        try await first.detachVolume(repository, present)
        let second = try await plugin(host())
        try await second.attach(repository)
        _ = try await second.attachVolume(repository, present, writable: true)
        let openings = calls.filter { $0 == "Datapath.open" || $0 == "Datapath.close" }
        #expect(openings == ["Datapath.close", "Datapath.open"])
        // Nobody else gets the disk, or makes it another.
        #expect(
            await failure { _ = try await second.attachVolume(repository, volume, writable: false) }?.fault
                == .volumeInUse)
        #expect(
            await failure { _ = try await second.growAttachedVolume(repository, volume, size: 8192) }?.fault
                == .volumeInUse)
        try await second.endEpoch(repository, volume)
        let datapathCalls = calls.filter { $0.hasPrefix("Datapath.") }
        #expect(datapathCalls.suffix(2) == ["Datapath.detach", "Datapath.close"])
        #expect(second.host.table.transients(in: repository.uuid).isEmpty)
        // In the guest's stead nobody opens it; a new guest has it opened again, once what was left is closed.
        #expect(await failure { _ = try await second.attachVolume(repository, present, writable: true) } != nil)
        try await second.beginEpoch(repository, volume)
        try await second.beginEpoch(repository, volume)
        #expect(
            calls.filter { $0 == "Datapath.open" || $0 == "Datapath.close" }.suffix(3) == [
                "Datapath.open", "Datapath.close", "Datapath.open",
            ])
        try await second.detach(repository)
        #expect(calls.suffix(2) == ["Datapath.close", "SR.detach"])
        // An open that fails opens nothing.
        try await second.attach(repository)
        try script("datapath/one/Datapath.open", "exit 1")
        #expect(await failure { try await second.beginEpoch(repository, volume) } != nil)
        #expect(calls.last == "Datapath.close" && second.host.table.transients(in: repository.uuid).isEmpty)
    }

    @Test("what is open for a guest is closed, too, when the host has started anew and when nobody knows of it")
    func forgottenTransients() async throws {
        for method in ["open", "close"] { try answer("datapath/one/Datapath.\(method)", "null") }
        try answer("datapath/one/Plugin.Query", "{\"features\": [\"NONPERSISTENT\"]}")
        try answer("volume/fake/SR.attach", "\"the sr\"")
        try answer("volume/fake/Volume.stat", Self.volumeText)
        func datapathCalls() -> [String] { calls.filter { $0.hasPrefix("Datapath.") } }
        let first = try await plugin(host())
        try await first.attach(repository)
        try await first.beginEpoch(repository, volume)
        // Another run of the host's kernel: nothing is attached, but what is open is known.
        let file = scratch.file("table")
        var content = try JSONDecoder().decode(
            AttachmentTable.Content.self, from: try Data(contentsOf: URL(fileURLWithPath: file)))
        content.boot = "another"
        try JSONEncoder().encode(content).write(to: URL(fileURLWithPath: file))
        let second = try await plugin(host())
        #expect(second.host.table.repository(repository.uuid) == nil)
        #expect(second.host.table.transients(in: repository.uuid).keys.sorted() == ["key-1"])
        // The table is lost.
        try FileManager.default.removeItem(atPath: file)
        let third = try await plugin(host())
        try await third.attach(repository)
        let count = datapathCalls().count
        try await third.endEpoch(repository, volume)
        #expect(datapathCalls().dropFirst(count) == ["Datapath.close"])
        #expect(try asked["uri"] == .string("one://x"))
        try await third.beginEpoch(repository, volume)
        #expect(datapathCalls().dropFirst(count + 1) == ["Datapath.close", "Datapath.open"])
    }
}
