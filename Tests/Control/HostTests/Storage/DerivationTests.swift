import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import StorageInterface
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// The rows of snapshots that something came between.
@Suite struct DerivationTests {
    private func makeDisk(_ bench: StorageBench, in sr: Ref<SR>) async throws -> Ref<VDI> {
        let made = try await bench.call(
            "VDI.create",
            .record([
                APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(1 << 20)),
                APIMember("name_label", .string("precious")), APIMember("type", .string("user")),
                APIMember("sm_config", .map(["image-format": .string("raw")])),
            ]))
        return try #require(Ref<VDI>(api: made))
    }

    private func row(_ bench: StorageBench, _ vdi: Ref<VDI>) throws -> Row { try bench.context.row(vdi) }

    /// The toolstack died after the driver was done: the scan at the next start knows what it finds.
    @Test func aSnapshotThatWasNotRecordedIsOneAfterTheStart() async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let sr = try await bench.makeFolder("a")
        let disk = try await makeDisk(bench, in: sr)
        let (uuid, gone) = (Fresh.uuid(), Fresh.uuid())
        let new = Fresh.ref(VDI.self)
        let note = VolumeDerivation(
            isSnapshot: true, ref: new.opaque, origin: disk.opaque, repository: sr.opaque, time: 1_700_000_000)
        try await bench.database.transaction { tx in
            try note.begin(uuid, in: tx)
            try note.begin(gone, in: tx)
        }
        let attached = try bench.context.attached(sr)
        _ = try await attached.manager.snapshotVolume(
            attached.repository, StorageContext.volume(try row(bench, disk)), as: NewVolume(uuid: uuid))
        await bench.repositories.adoptDerivations()
        let snapshot = try row(bench, new)
        #expect(snapshot[VDI.uuid] == uuid && snapshot[VDI.nameLabel] == "precious")
        #expect(snapshot[VDI.isASnapshot] && snapshot[VDI.readOnly] && snapshot[VDI.snapshotOf] == disk)
        #expect(snapshot[VDI.snapshotTime].seconds == 1_700_000_000)
        #expect(bench.database.read { VolumeDerivation.all($0).isEmpty })
        let location = try row(bench, disk)[VDI.location]
        #expect(FileManager.default.fileExists(atPath: bench.folder.file("a/" + location)))
    }

    /// What is planned for when a guest stands is made of the disk as it is then.
    @Test func aSnapshotIsMadeOfTheDiskAsItIsThen() async throws {
        let manager = GatedManager()
        manager.open()
        let bench = try await StorageBench([manager])
        let (sr, disk) = (try await bench.create("gated", [:]), Ref<VDI>.new())
        try await bench.database.transaction { tx in
            tx.insert(VDI.self, ref: disk) { row in
                (row[VDI.uuid], row[VDI.sr], row[VDI.location], row[VDI.managed]) = ("d", sr, "d", true)
            }
        }
        let disks = MachineDisks(context: bench.context, admission: OperationAdmission(database: bench.database))
        try await disks.deriving(.snapshot, [disk], progress: UnwatchedProgress()) { made in
            try await bench.call("VDI.snapshot", .ref(disk.opaque), .map([:]))
            try await made.makeVolumes()
            try await made.commit { _, _ in }
        }
        #expect(manager.calls.filter { $0.hasPrefix("snapshot") } == ["snapshot d", "snapshot d+"])
        #expect(try row(bench, disk)[VDI.location] == "d++" && bench.disks().count == 3)
        #expect(bench.database.read { VolumeDerivation.all($0).isEmpty && MachineDisks.isClean($0) })
    }

    /// The rows say where the disk is, and on what, when its snapshot fails, and when a snapshot's own image is frozen.
    @Test func rowsFollowTheImages() async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let sr = try await bench.makeFolder("a")
        let disk = try await makeDisk(bench, in: sr)
        func agree() async throws -> Bool {
            let attached = try bench.context.attached(sr)
            let found = try await attached.manager.scan(attached.repository).volumes
            let rows = bench.disks().map { [$0[VDI.location], $0[VDI.smConfig]["vhd-parent"] ?? ""] }
            return Set(rows) == Set(found.map { [$0.location, $0.parentUUID ?? ""] })
        }
        let made = try await bench.call("VDI.snapshot", .ref(disk.opaque), .map([:]))
        let snapshot = try #require(Ref<VDI>(api: made))
        #expect(try await agree())
        // The snapshot has an image of its own now, as one that was written to through another way.
        let image = bench.folder.file("a/" + (try row(bench, snapshot))[VDI.location])
        let format = image.hasSuffix(".raw") ? "raw" : "qcow2"
        try Tool.check("qemu-io", ["-f", format, "-c", "write -P 9 0 4096", image])
        try await bench.call("VDI.revert", .ref(snapshot.opaque))
        #expect(try await agree())
        #expect(bench.database.read { VolumeDerivation.all($0).isEmpty })
    }
}
