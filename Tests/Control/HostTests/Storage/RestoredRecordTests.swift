import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import StorageInterface
import StorageManagers
import StorageMotion
import TestSupport
import Testing

@testable import Toolstack

/// A dump that was made while work was going on, and is brought back after that has ended well: nothing is destroyed.
@Suite struct RestoredRecordTests {
    /// What the next start opens.
    private func restore(_ dump: [UInt8], to bench: StorageBench) async throws -> PoolDatabase {
        let sink = try DatabaseFiles(database: bench.database).beginRestore(dryRun: false)
        try await sink.write(dump)
        #expect(try await sink.finish() == .void)
        return try await PoolDatabase.open(
            path: bench.folder.file("pool.db.restored"), deriving: AllowedOperations.derivation)
    }

    private func dump(_ format: DatabaseFiles.Format, of bench: StorageBench) async throws -> [UInt8] {
        let source = try await DatabaseFiles(database: bench.database).beginDump(format)
        var all: [UInt8] = []
        while let piece = try await source.next(), !piece.isEmpty { all += piece }
        await source.close()
        return all
    }

    private func alerts(_ database: PoolDatabase) -> [String] {
        database.read { $0.rows(XenMessage.self) }.filter { $0[XenMessage.name] == "RESTORED_WORK_SET_ASIDE" }
            .map { $0[XenMessage.body] }
    }

    @Test(arguments: [DatabaseFiles.Format.xml, .sqlite])
    func aCopyThatHasEndedSinceTheDumpIsNotDestroyed(_ format: DatabaseFiles.Format) async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let sr = try await bench.makeFolder("a")
        let attached = try bench.context.attached(sr)
        let key = Fresh.uuid()
        let volume = try await attached.manager.createVolume(
            attached.repository, NewVolume(uuid: key, size: 1 << 20, format: .raw))
        try await DiskCopy(context: bench.context).note(key, attached, location: volume.location)
        let written = try await dump(format, of: bench)
        // The copy ends here, and somebody writes to it.

        let restored = try await StorageBench(
            [FileStorageManager()], on: restore(written, to: bench), bench.folder)
        let image = bench.folder.file("a/" + volume.location)
        await DiskCopy.sweep(restored.context)
        #expect(FileManager.default.fileExists(atPath: image))
        let alert = try #require(alerts(restored.database).first)
        #expect(alert.contains(key) && alert.contains(volume.location) && alert.contains(attached.uuid))
        // It may be half a disk as well.
        try await restored.call("SR.scan", .ref(sr.opaque))
        #expect(restored.disks().isEmpty)
        try await restored.introduce(sr, uuid: key, location: volume.location)
        try await restored.call("SR.scan", .ref(sr.opaque))
        #expect(restored.disks().map { $0[VDI.uuid] } == [key])
        #expect(restored.database.read { RestoredRecords.held($0).isEmpty })
        try await restored.database.close()
    }

    @Test func noRecordThatDestroysComesBack() async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let sr = try await bench.makeFolder("a")
        func motion(_ id: String, decided: Bool) throws -> DiskMotion {
            var motion = DiskMotion(
                id: id, sourceUUID: "source-" + id, sourceRef: "OpaqueRef:s" + id, sourceSR: sr.opaque,
                sourceLocation: "s.raw", destinationUUID: "destination-" + id, destinationRef: "OpaqueRef:d" + id,
                destinationSR: sr.opaque, format: "raw", size: 1 << 20)
            motion.advance(to: .created)
            motion.advance(to: .mirroring)
            if decided { motion.abandon(because: "the test") }
            return motion
        }
        let (undecided, decided) = (try motion("u", decided: false), try motion("d", decided: true))
        try await MotionStore(database: bench.database).save([undecided, decided])
        let disk = Ref<VDI>.new()
        let making = StorageRepository(uuid: Fresh.uuid(), deviceConfig: ["device": "/dev/secret"])
        try await bench.database.transaction { tx in
            tx.insert(VDI.self, ref: disk) { row in
                row[VDI.uuid] = "unused"
                row[VDI.sr] = sr
            }
            RepositoryCreations.begin(making, type: "ext", in: tx)
            try MachineDisks.retire([disk], "k", in: tx)
            UnfinishedImports.note(disk, in: tx)
            try SuspensionNote(phase: .saving, vm: "vm").write(of: disk, in: tx)
            tx.setPrivate(kind: ArrivingMachine.kind, key: "a", value: "{}")
        }
        var prepared = MachineArrival()
        _ = prepared.take(.prepare)
        let leaving = DepartingMachine(
            id: "leaving", secret: "hidden", place: PeerPlace(host: "far", port: 443, fingerprint: ""), session: "",
            vm: "OpaqueRef:vm", uuid: "traveller", isCopy: false, disks: [], state: MachineDeparture())
        let coming = ArrivingMachine(
            id: "coming", secretDigest: "", offer: nil, vm: "OpaqueRef:new", uuid: "guest", disks: [], state: prepared)
        let received = ReceivedDisk(
            id: "received", ref: "OpaqueRef:r", sr: sr.opaque, location: "r.vhd", format: "vhd", size: 1 << 20, room: 0,
            session: "", lastCall: 0)
        try await bench.database.transaction { tx in
            try tx.store(leaving)
            try tx.store(coming)
            try tx.store(received)
        }
        let database = try await restore(dump(.xml, of: bench), to: bench)
        #expect(MotionStore(database: database).all().map(\.id) == ["d"])
        #expect(database.read { RestoredRecords.held($0) } == ["destination-u", "received"])
        #expect(database.read { $0.receivedDisks() }.isEmpty)
        #expect(database.read { RepositoryMessages.moving($0).contains("destination-u") })
        #expect(database.read { MachineDisks.isClean($0) && SuspensionNote.all($0).isEmpty })
        for kind in [RepositoryCreations.kind, MachineDisks.kind, UnfinishedImports.kind] {
            #expect(database.privateRecords(kind: kind).isEmpty)
        }
        #expect(database.privateRecords(kind: ArrivingMachine.kind)["a"] == "{}")
        // Moves between pools stay, too, and are told of: the other side was not brought back.
        #expect(database.departures() == [leaving] && database.arrivals() == [coming])
        let told = alerts(database)
        #expect(told.count == 8)
        let words = [
            making.uuid, "destination-u", "unused", "The VM vm", "imported",
            "The VM traveller was on its way to the pool at far:443", "The VM guest was coming from another pool",
            "The disk received was coming from another maker's toolstack",
        ]
        for word in words {
            #expect(told.contains { $0.contains(word) }, "\(word)")
        }
        #expect(!told.contains { $0.contains("/dev/secret") || $0.contains("hidden") })
        // The database in use is what it was.
        #expect(MotionStore(database: bench.database).all().count == 2)
        try await database.close()
    }
}

extension StorageBench {
    fileprivate func introduce(_ sr: Ref<SR>, uuid: String, location: String) async throws {
        try await call(
            "VDI.introduce", .string(uuid), .string(""), .string(""), .ref(sr.opaque), .string("user"), .bool(false),
            .bool(false), .map([:]), .string(location), .map([:]), .map([:]), .bool(true), .int(0), .int(0),
            .ref(Ref<Pool>.null.opaque), .bool(false), .datetime(0), .ref(Ref<VDI>.null.opaque))
    }
}
