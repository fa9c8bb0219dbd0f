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
        #expect(calls.count { $0 == "Datapath.open" } == 1 && !calls.contains("Datapath.close"))
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
}
