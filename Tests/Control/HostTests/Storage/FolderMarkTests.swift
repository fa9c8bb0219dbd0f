import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import StorageInterface
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// Folders of file SRs, and what shows in their stead when their file system is not mounted.
@Suite struct FolderMarkTests {
    private let bench: StorageBench
    private let sr: Ref<SR>
    private let uuid: String

    init() async throws {
        bench = try await StorageBench([FileStorageManager()])
        let made = try await bench.makeFolder("a")
        sr = made
        uuid = try #require(bench.database.read { $0.row(made) }?.uuid)
    }

    private func introduce(_ uuid: String) async throws -> Ref<SR> {
        let new = try await bench.call(
            "SR.introduce", .string(uuid), .string(""), .string(""), .string("file"), .string(""), .bool(false),
            .map([:]))
        return try #require(Ref<SR>(api: new))
    }

    /// Of the folder.
    private func makePBD(_ sr: Ref<SR>) async throws -> APIValue {
        try await bench.call(
            "PBD.create",
            .record([
                APIMember("host", .ref(bench.context.host.opaque)), APIMember("SR", .ref(sr.opaque)),
                APIMember("device_config", .map(["location": .string(bench.folder.file("a"))])),
            ]))
    }

    private func start() async {
        await StorageStart(context: bench.context, mounts: MountFolder(path: bench.folder.file("mounts"))).run()
    }

    private func makeDisk(_ format: String = "raw") async throws -> Ref<VDI> {
        let made = try await bench.call(
            "VDI.create",
            .record([
                APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(4 << 20)),
                APIMember("sm_config", .map(["image-format": .string(format)])),
            ]))
        return try #require(Ref<VDI>(api: made))
    }

    private func unmount() throws {
        try FileManager.default.moveItem(atPath: bench.folder.file("a"), toPath: bench.folder.file("away"))
        try FileManager.default.createDirectory(
            atPath: bench.folder.file("a"), withIntermediateDirectories: false)
    }

    private func mount() throws {
        try FileManager.default.removeItem(atPath: bench.folder.file("a"))
        try FileManager.default.moveItem(atPath: bench.folder.file("away"), toPath: bench.folder.file("a"))
    }

    private var below: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: bench.folder.file("a")) }
    }

    @Test func aFolderWhoseFileSystemIsNotMountedIsNotTakenForTheSR() async throws {
        let disk = try await makeDisk()
        let pbd = bench.pbds()[0]
        try unmount()
        await start()
        #expect(bench.pbds().map { $0[PBD.currentlyAttached] } == [false])
        let refused = await bench.refused("PBD.plug", .ref(pbd.ref))
        #expect(refused.first == "SR_BACKEND_FAILURE_47" && refused.dropFirst(2).first?.contains("mount") == true)
        #expect(try below == [] && bench.disks().map(\.ref) == [disk.opaque])
        try mount()
        try await bench.call("PBD.plug", .ref(pbd.ref))
        #expect(bench.disks().map(\.ref) == [disk.opaque])
        // While the toolstack runs, too.
        try await bench.call("PBD.unplug", .ref(pbd.ref))
        try unmount()
        #expect(await bench.refused("PBD.plug", .ref(pbd.ref)).first == "SR_BACKEND_FAILURE_47")
        #expect(try below == [] && bench.disks().count == 1)
    }

    /// It was attached there, and so it has a mark.
    @Test func anSRWithoutDisksIsNotBegunAnewAtAStart() async throws {
        try unmount()
        await start()
        #expect(bench.pbds().map { $0[PBD.currentlyAttached] } == [false])
        #expect(try below == [])
        try mount()
        try await bench.call("PBD.plug", .ref(bench.pbds()[0].ref))
    }

    /// Neither by hand, nor by another PBD, nor after a restart: only a forgotten SR may have another folder.
    @Test(arguments: [false, true]) func anSRWithoutDisksIsNotBegunAnewByHand(_ isOfOlderDatabase: Bool) async throws {
        let pbd = bench.pbds()[0]
        if isOfOlderDatabase { try await bench.database.transaction { tx in RepositoryPlaces.forget(uuid, in: tx) } }
        try unmount()
        await start()
        let refused = await bench.refused("PBD.plug", .ref(pbd.ref))
        #expect(refused.first == "SR_BACKEND_FAILURE_47")
        let why = try #require(refused.dropFirst(2).first)
        for part in [uuid, bench.folder.file("a"), "mount what holds it"] { #expect(why.contains(part)) }
        try await bench.call("PBD.destroy", .ref(pbd.ref))
        let other = try await makePBD(sr)
        #expect(await bench.refused("PBD.plug", other).first == "SR_BACKEND_FAILURE_47")
        #expect(try below == [])
        try mount()
        try await bench.call("PBD.plug", other)
        try await bench.call("PBD.unplug", other)
        // An unplugged row of an older database: it told its size once.
        if isOfOlderDatabase { try await bench.database.transaction { tx in RepositoryPlaces.forget(uuid, in: tx) } }
        try unmount()
        await start()
        #expect(await bench.refused("PBD.plug", other).first == "SR_BACKEND_FAILURE_47")
        #expect(try below == [])
        try await bench.call("SR.forget", .ref(sr.opaque))
        try await bench.call("PBD.plug", try await makePBD(try await introduce(uuid)))
        #expect(try below == [".gantry-sr"])
    }

    @Test func anIntroducedSRTakesAFolderThatNobodyMarked() async throws {
        _ = try await makeDisk()
        let pbd = bench.pbds()[0]
        try await bench.call("PBD.unplug", .ref(pbd.ref))
        try await bench.call("SR.forget", .ref(sr.opaque))
        try FileManager.default.removeItem(atPath: bench.folder.file("a/.gantry-sr"))
        let uuid = Fresh.uuid()
        try await bench.call("PBD.plug", try await makePBD(try await introduce(uuid)))
        #expect(bench.disks().count == 1)
        #expect(try String(contentsOfFile: bench.folder.file("a/.gantry-sr"), encoding: .utf8) == uuid + "\n")
    }

    /// It depends on the file system, and clients read in SR.sm_config what becomes of a raw disk.
    @Test func whatASnapshotMakesOfARawDiskIsSaidBeforehand() async throws {
        let stated = try #require(bench.database.read { $0.row(sr) }?[SR.smConfig]["raw-snapshot-format"])
        let disk = try await makeDisk()
        try await bench.call("VDI.snapshot", .ref(disk.opaque), .map([:]))
        let formats = bench.disks().filter { $0[VDI.managed] }.map { $0[VDI.smConfig]["image-format"] }
        #expect(formats == [stated, stated])
    }
}
