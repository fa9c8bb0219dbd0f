import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import StorageInterface
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// SRs whose storage takes its time, and what others do meanwhile.
@Suite struct RepositoryMessageTests {
    private func settled(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    @Test func othersDoNotComeBetweenAnSRAndItsPlugging() async throws {
        let manager = GatedManager()
        let bench = try await StorageBench([manager])
        async let made = bench.create("gated", [:])
        await settled { manager.waiting == 1 }
        let pbd = bench.pbds()[0]
        let (ref, sr) = (APIValue.ref(pbd.ref), pbd[PBD.sr])
        for (message, value) in [
            ("SR.forget", APIValue.ref(sr.opaque)), ("SR.destroy", .ref(sr.opaque)), ("PBD.destroy", ref),
        ] {
            #expect(await bench.refused(message, value).first == "OTHER_OPERATION_IN_PROGRESS")
        }
        #expect(
            await bench.refused("PBD.set_device_config", ref, .map(["a": .string("b")])).first
                == "OTHER_OPERATION_IN_PROGRESS")
        // Another who plugs it waits for its turn, and finds it plugged.
        async let other: APIValue = bench.call("PBD.plug", ref)
        await Task.yield()
        manager.open()
        #expect(try await made == sr)
        _ = try await other
        #expect(manager.calls == ["create", "attach"])
        #expect(try bench.context.row(pbd.typedRef(PBD.self))[PBD.currentlyAttached])
        #expect(bench.database.read { $0.row(sr)?[SR.currentOperations] } == [:])
        try await bench.call("PBD.unplug", ref)
        try await bench.call("SR.destroy", .ref(sr.opaque))
        #expect(manager.calls == ["create", "attach", "detach", "destroy"])
    }

    /// Nobody finds an SR that could not be made.
    @Test func anSRThatCannotBePluggedIsTakenBack() async throws {
        let manager = GatedManager()
        let bench = try await StorageBench([manager])
        manager.failNext()
        let made = Task { try await bench.create("gated", [:]) }
        await settled { manager.waiting == 1 }
        let pbd = bench.pbds()[0]
        async let other = bench.refused("PBD.plug", .ref(pbd.ref))
        manager.open()
        await #expect(throws: APIError.self) { try await made.value }
        #expect(await other == ["HANDLE_INVALID", "PBD", pbd.ref])
        #expect(manager.calls == ["create", "attach", "detach", "destroy"])
        #expect(bench.database.read { $0.rows(SR.self) }.isEmpty && RepositoryCreations.all(bench.context) == [])
    }

    /// A start is not held up by storage that does not answer: its PBD is plugged when it does.
    @Test func aStartDoesNotWaitForStorageThatIsNotThere() async throws {
        let (slow, quick) = (GatedManager("slow"), GatedManager("quick"))
        let bench = try await StorageBench([slow, quick])
        for manager in [slow, quick] {
            manager.open()
            _ = try await bench.create(manager.type, [:])
        }
        slow.close()
        let start = StorageStart(
            context: bench.context, mounts: MountFolder(path: bench.folder.file("mounts")), patience: .milliseconds(50))
        await start.run()
        func plugged() -> [String] {
            bench.database.read { reader in
                bench.pbds().filter { $0[PBD.currentlyAttached] }.compactMap { reader.row($0[PBD.sr])?[SR.type] }
            }
        }
        #expect(plugged() == ["quick"])
        // Whoever plugs it meanwhile waits for the same.
        let pbd = bench.pbds().first { !$0[PBD.currentlyAttached] }?.ref ?? ""
        async let asked: APIValue = bench.call("PBD.plug", .ref(pbd))
        slow.open()
        _ = try await asked
        #expect(plugged().sorted() == ["quick", "slow"])
        #expect(slow.calls == ["create", "attach", "attach"])
    }

    @Test func aStartThatFindsNoStorageUnplugsIt() async throws {
        let manager = GatedManager()
        let bench = try await StorageBench([manager])
        manager.open()
        _ = try await bench.create("gated", [:])
        manager.failNext()
        await StorageStart(context: bench.context, mounts: MountFolder(path: bench.folder.file("mounts"))).run()
        #expect(bench.pbds().map { $0[PBD.currentlyAttached] } == [false])
    }

    /// What a killed SR.create left on a device does not stand in the way of the next.
    @Test func anSRCanBeMadeWhereOneWasBegun() async throws {
        let folder = try ScratchFolder("half")
        try Tool.check("truncate", ["-s", "16M", folder.file("device")])
        let device = try Tool.check("losetup", ["--find", "--show", folder.file("device")])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let mounts = MountFolder(path: folder.file("mounts"))
        let bench = try await StorageBench([DeviceStorageManager.ext(mounts: mounts)])
        defer {
            for name in mounts.names { _ = try? Tool.run("umount", [folder.file("mounts/" + name)]) }
            _ = try? Tool.run("losetup", ["--detach", device])
        }
        let (begun, others) = (Fresh.uuid(), Fresh.uuid())
        let config = ["device": device]
        try Tool.check("mkfs.ext4", ["-q", "-U", begun, device])
        func note(_ uuid: String) async throws {
            try await bench.database.transaction { tx in
                RepositoryCreations.begin(StorageRepository(uuid: uuid, deviceConfig: config), type: "ext", in: tx)
            }
        }
        try await note(others)
        await #expect(throws: APIError.self) { try await bench.create("ext", config) }
        try await note(begun)
        let sr = try await bench.create("ext", config)
        #expect(RepositoryCreations.all(bench.context) == [])
        #expect(bench.database.read { $0.row(sr) } != nil)
    }
}
