import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import RPCCodec
import StorageInterface
import StorageManagers
import TestSupport
import Testing

@testable import Toolstack

/// Snapshots, clones and copies of machines that something comes between.
@Suite struct MachineTreeTests {
    private func makeDisk(_ bench: StorageBench, in sr: Ref<SR>, _ format: String) async throws -> Ref<VDI> {
        let made = try await bench.call(
            "VDI.create",
            .record([
                APIMember("SR", .ref(sr.opaque)), APIMember("virtual_size", .int(1 << 20)),
                APIMember("name_label", .string("disk")), APIMember("type", .string("user")),
                APIMember("sm_config", .map(["image-format": .string(format)])),
            ]))
        return try #require(Ref<VDI>(api: made))
    }

    private func images(_ bench: StorageBench) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: bench.folder.file("a")).filter { !$0.hasPrefix(".") }.count
    }

    /// Is cancelled when it hears of the first part.
    private struct CancelledProgress: TaskProgress {
        let cancellation = CancellationFlag()
        func report(_ fraction: Double) { if fraction > 0 { cancellation.cancel() } }
        func annotate(_ entries: [String: String]) {}
    }

    private func work(_ bench: StorageBench) -> MachineDisks {
        MachineDisks(context: bench.context, admission: OperationAdmission(database: bench.database))
    }

    @Test func nothingStaysOfWhatWasCancelledOrFailed() async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let sr = try await bench.makeFolder("a")
        let disks = [try await makeDisk(bench, in: sr, "qcow2"), try await makeDisk(bench, in: sr, "raw")]
        let before = Set(bench.disks().filter { $0[VDI.managed] }.map(\.ref))
        func isAsBefore() throws -> Bool {
            let now = Set(bench.disks().filter { $0[VDI.managed] }.map(\.ref))
            // Hidden bases may have been made below the disks.
            return try now == before && images(bench) == bench.disks().count
                && bench.database.read { MachineDisks.isClean($0) && VolumeDerivation.all($0).isEmpty }
        }
        for kind in [DiskDerivation.Kind.snapshot, .clone] {
            await #expect(throws: CancellationError.self) {
                try await work(bench).derive(kind, disks, progress: CancelledProgress()) { _, _ in }
            }
            #expect(try isAsBefore())
            // The rows cannot be made.
            await #expect(throws: APIError.self) {
                try await work(bench).derive(kind, disks, progress: UnwatchedProgress()) { tx, made in
                    #expect(made.count == 2)
                    throw APIError("INTERNAL_ERROR", "as the test wants")
                }
            }
            #expect(try isAsBefore())
        }
        // The second disk has no image.
        let image = bench.folder.file("a/" + (try bench.context.row(disks[1]))[VDI.location])
        try FileManager.default.moveItem(atPath: image, toPath: bench.folder.file("away"))
        await #expect(throws: APIError.self) {
            try await work(bench).derive(.snapshot, disks, progress: UnwatchedProgress()) { _, _ in }
        }
        try FileManager.default.moveItem(atPath: bench.folder.file("away"), toPath: image)
        // What its driver might have made is looked for by a scan.
        try await bench.call("SR.scan", .ref(sr.opaque))
        await MachineDisks.sweep(bench.context)
        #expect(try isAsBefore())
    }

    @Test func aSweepDestroysWhatIsOnARecordAndInNoDrive() async throws {
        let bench = try await StorageBench([FileStorageManager()])
        let sr = try await bench.makeFolder("a")
        let disks = [try await makeDisk(bench, in: sr, "qcow2"), try await makeDisk(bench, in: sr, "raw")]
        try await bench.database.transaction { tx in
            try MachineDisks.retire(disks, "one", in: tx)
            tx.insert(VBD.self, ref: .new()) { $0[VBD.vdi] = disks[1] }
        }
        bench.context.machinesBeingMade.insert("one")
        await MachineDisks.sweep(bench.context)
        #expect(bench.disks().count == 2)
        bench.context.machinesBeingMade.remove("one")
        await MachineDisks.sweep(bench.context)
        #expect(bench.disks().map(\.ref) == [disks[1].opaque])
        #expect(try bench.database.read { MachineDisks.isClean($0) } && images(bench) == 1)
    }

    @Test func whatASnapshotSaysOfItsMachineIsReadBack() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let vm = Ref<VM>.new()
        try await database.transaction { tx in
            tx.insert(VM.self, ref: vm) { row in
                row[VM.nameLabel] = "it's \\ (so) 'x'\n"
                row[VM.platform] = ["a'b": "c d", "": ""]
                row[VM.tags] = ["(", "')"]
                row[VM.hvmShadowMultiplier] = 1.25
                row[VM.vcpusMax] = 3
                row[VM.blockedOperations] = [.start: "no"]
            }
        }
        let row = try database.read { try $0.require(vm) }
        let text = SnapshotMetadata.text(of: row)
        #expect(text.hasPrefix("(('") && text.contains("('name__label' 'it\\'s \\\\ (so) \\'x\\'\n')"))
        let read = try #require(SnapshotMetadata.values(text))
        #expect(read.uuid == row.uuid && read.fields.count > 60)
        for (name, value) in read.fields {
            if case .set(let values) = value, case .set(let own) = row[field: name] {
                #expect(Set(values) == Set(own), "\(name)")
            } else {
                #expect(value == row[field: name], "\(name)")
            }
        }
        for odd in ["", "x", "(", "(('a'))", "((('a' 'b')))", String(repeating: "(", count: 100_000)] {
            let read = SnapshotMetadata.values(odd)
            #expect(read == nil || read?.fields.isEmpty == true)
        }
    }

    @Test func refusalsHaveTheirExactCodes() async throws {
        let host = try await OperationHost()
        let database = host.database
        let (vm, snapshot, vdi) = (Ref<VM>.new(), Ref<VM>.new(), Ref<VDI>.new())
        try await database.transaction { tx in
            tx.insert(VM.self, ref: vm) { $0[VM.powerState] = .halted }
            tx.insert(VM.self, ref: snapshot) { row in
                (row[VM.isASnapshot], row[VM.isATemplate], row[VM.snapshotOf]) = (true, true, vm)
            }
            tx.insert(VDI.self, ref: vdi) { ($0[VDI.managed], $0[VDI.sharable]) = (true, true) }
            tx.insert(VBD.self, ref: .new()) { ($0[VBD.vm], $0[VBD.vdi], $0[VBD.type]) = (vm, vdi, .disk) }
        }
        let (own, its) = (WireValue.string(vm.opaque), WireValue.string(snapshot.opaque))
        let name = WireValue.string("n")
        #expect(await host.refused("VM.revert", own) == ["REVERT_ONLY_ALLOWED_ON_SNAPSHOT"])
        #expect(
            await host.refused("VM.snapshot", its, name, .array([])) == ["VM_IS_SNAPSHOT", snapshot.opaque, "snapshot"])
        #expect(await host.refused("VM.start", its, .bool(false), .bool(false)).first == "VM_IS_SNAPSHOT")
        #expect(
            await host.refused("VM.set_is_a_template", its, .bool(false))
                == ["VM_IS_SNAPSHOT", snapshot.opaque, "make_into_template"])
        // A disk of no SR can do nothing.
        #expect(await host.refused("VM.snapshot", own, name, .array([])).first == "SR_OPERATION_NOT_SUPPORTED")
        #expect(try await host.operations("VM", snapshot.opaque).contains("revert"))
        #expect(await host.refused("VM.snapshot_with_quiesce", own, name) == ["MESSAGE_REMOVED"])
        #expect(
            await host.refused("VM.checkpoint", own, name)
                == ["VM_BAD_POWER_STATE", vm.opaque, "paused, suspended, running", "halted"])
        // Everything else goes on: without the disk there is nothing in the way.
        let made = try await host.ref("VM.snapshot", own, name, .array([.string(vdi.opaque)]))
        let row = try database.read { try $0.require(Ref<VM>(made)) }
        #expect(row[VM.vbds].isEmpty)
        await host.toolstack.stop()
    }
}
