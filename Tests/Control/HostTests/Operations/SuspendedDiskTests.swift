import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// The memory of a suspended guest knows what its disks hold: nobody gives them other content.
@Suite struct SuspendedDiskTests {
    @Test func theDiskOfASuspendedMachineStaysAsItWas() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let source = try await host.makeDisk(in: sr)
        let disk = try await host.makeDisk(in: sr)
        let snapshot = try await host.ref("VDI.snapshot", .string(disk), .structure([]))
        let vm = Ref<VM>(try await host.makeMachine())
        _ = try await host.makeVBD(disk, in: vm.opaque)
        try await host.database.transaction { tx in try tx.set(vm, VM.powerState, .suspended) }

        let null = WireValue.string("OpaqueRef:NULL")
        let inUse = { (operation: String) in ["VDI_IN_USE", disk, operation] }
        #expect(await host.refused("VDI.copy", .string(source), null, null, .string(disk)) == inUse("update"))
        #expect(await host.refused("VDI.revert", .string(snapshot)) == inUse("revert_from"))
        #expect(await host.refused("VDI.forget", .string(disk)) == inUse("forget"))
        #expect(await host.refused("VDI.set_on_boot", .string(disk), .string("reset")) == inUse("set_on_boot"))
        #expect(await host.refused("VDI.set_read_only", .string(disk), .bool(true)) == inUse("set_read_only"))
        #expect(await host.refused("VDI.set_sharable", .string(disk), .bool(true)) == inUse("set_sharable"))
        let request = DiskTransferRequest(vdi: disk, sr: nil, format: "raw", length: 512, base: nil)
        let refusal = await #expect(throws: APIError.self) {
            _ = try await host.toolstack.transfers.beginImport(
                request, context: CallContext(session: .null, task: .null, progress: UnwatchedProgress()))
        }
        #expect(refusal?.wire == inUse("update"))
        #expect(try await host.operations("VDI", disk, "current_operations") == [])
        // What only looks at it goes on.
        #expect(await host.refused("VDI.update", .string(disk)) == ["accepted"])
        #expect(await host.refused("VDI.copy", .string(disk), .string(sr), null, null) == ["accepted"])

        try await host.database.transaction { tx in try tx.set(vm, VM.powerState, .halted) }
        #expect(await host.refused("VDI.revert", .string(snapshot)) == ["accepted"])
        await host.toolstack.stop()
    }

    /// What is to be destroyed after a VM's revert is found under the name that a move has given it.
    @Test func aRecordOfDisksThatAreToGoFollowsAMove() async throws {
        let database = try await PoolDatabase.open(path: nil)
        let (old, new, other) = (Ref<VDI>.new(), Ref<VDI>.new(), Ref<VDI>.new())
        try await database.transaction { tx in try MachineDisks.retire([other, old], "k", in: tx) }
        try await database.transaction { tx in try MovedDisk.repoint(from: old, to: new, in: tx) }
        let text = try #require(database.privateRecords(kind: "machine")["k"])
        #expect(text.contains(new.opaque) && text.contains(other.opaque) && !text.contains(old.opaque))
    }
}
