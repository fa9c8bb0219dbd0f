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

    /// Its rows are there from the first moment on: others see that it is being plugged.
    @Test func anSRThatADriverIsMakingIsLeftAlone() async throws {
        let (begun, isBegun) = AsyncStream.makeStream(of: Void.self)
        let (ended, isEnded) = AsyncStream.makeStream(of: Void.self)
        let manager = GatedManager("driver", writesRows: true) {
            isBegun.yield()
            for await _ in ended { return }
        }
        manager.open()
        let bench = try await StorageBench([manager])
        async let made = bench.create("driver", [:])
        for await _ in begun { break }
        let (sr, pbd) = bench.database.read { reader in
            (reader.rows(SR.self) { $0[SR.type] == "driver" }.first?.ref ?? "", reader.rows(PBD.self).first?.ref ?? "")
        }
        let row = bench.database.read { $0.row(Ref<SR>(sr)) }
        #expect(row?[SR.currentOperations].values.map(\.self) == [.plug])
        for message in ["SR.forget", "SR.destroy", "SR.scan"] {
            #expect(await bench.refused(message, .ref(sr)).first != "accepted", "\(message)")
        }
        #expect(await bench.refused("PBD.destroy", .ref(pbd)).first != "accepted")
        isEnded.yield()
        #expect(try await made.opaque == sr)
        #expect(bench.database.read { $0.row(Ref<SR>(sr))?[SR.currentOperations] } == [:])
        #expect(manager.calls == ["create", "attach"])
    }

    /// It finds out something while it attaches its SR, and waits for the answer with its call.
    @Test func aDriverChangesItsPBDWithinItsCalls() async throws {
        let manager = GatedManager("driver", writesRows: true)
        let bench = try await StorageBench([manager])
        let new: APIValue = try await bench.call(
            "SR.introduce", .string(Fresh.uuid()), .string(""), .string(""), .string("driver"), .string(""),
            .bool(false), .map([:]))
        let pbd = try await bench.call(
            "PBD.create",
            .record([
                APIMember("host", .ref(bench.context.host.opaque)), APIMember("SR", new),
                APIMember("device_config", .map(["a": .string("1")])),
            ]))
        let (own, others) = (Fresh.ref(Session.self), Fresh.ref(Session.self))
        let sr = try #require(Ref<SR>(api: new))
        try await bench.database.transaction { tx in
            for (session, repository) in [(own, sr.opaque), (others, "OpaqueRef:another")] {
                tx.insert(Session.self, ref: session) { row in
                    row[Session.uuid] = Fresh.uuid()
                    row[Session.otherConfig] = [DriverCallbacks.sessionKey: repository]
                }
            }
        }
        func config() -> [String: String] { bench.pbds()[0][PBD.deviceConfig] }
        async let plugged: APIValue = bench.call("PBD.plug", pbd)
        await settled { manager.waiting == 1 }
        await #expect(throws: APIError.self) {
            try await bench.call("PBD.set_device_config", pbd, .map(["a": .string("2")]), session: others)
        }
        try await bench.call("PBD.set_device_config", pbd, .map(["a": .string("3")]), session: own)
        manager.open()
        _ = try await plugged
        #expect(config() == ["a": "3"])
        // After a restart the PBD counts as plugged while the driver attaches the SR anew: it cannot be asked meanwhile.
        let looks = manager.looks
        try await bench.call("PBD.set_device_config", pbd, .map(["a": .string("4")]), session: own)
        #expect(config() == ["a": "4"] && manager.looks == looks)
        try await bench.call("PBD.set_device_config", pbd, .map(["a": .string("5")]), session: others)
        #expect(config() == ["a": "5"] && manager.looks > looks)
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
            context: bench.context, mounts: MountFolder(path: bench.folder.file("mounts")), patience: .seconds(1))
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
