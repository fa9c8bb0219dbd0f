import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// Discs in the drives of machines, as far as rows tell.
@Suite struct DriveTests {
    private func makeDrive(_ host: OperationHost, in vm: String) async throws -> String {
        try await host.ref(
            "VBD.create",
            .structure([
                WireMember("VM", .string(vm)), WireMember("VDI", .string("OpaqueRef:NULL")),
                WireMember("userdevice", .string("autodetect")), WireMember("bootable", .bool(false)),
                WireMember("mode", .string("RO")), WireMember("type", .string("CD")), WireMember("empty", .bool(true)),
                WireMember("other_config", .structure([])), WireMember("qos_algorithm_type", .string("")),
                WireMember("qos_algorithm_params", .structure([])),
            ]))
    }

    /// A toolstack that ended between the two steps of an insertion, and one that had done both.
    @Test func anInterruptedInsertionLeavesWhatTheDriveHolds() async throws {
        let folder = try ScratchFolder("ops")
        let (vdi, begun, done) = try await leaveInsertions(in: folder)
        let host = try await OperationHost(in: folder)
        for (vbd, isEmpty, disc) in [(begun, true, "OpaqueRef:NULL"), (done, false, vdi)] {
            #expect(try await host.call("VBD.get_empty", .string(vbd)) == .bool(isEmpty))
            #expect(try await host.ref("VBD.get_VDI", .string(vbd)) == disc)
            #expect(host.database.read { $0.row(Ref<VBD>(vbd)) }?[VBD.reserved] == false)
        }
        await host.toolstack.stop()
    }

    /// The toolstack, and its hold of the folder, are gone when this returns.
    private func leaveInsertions(in folder: ScratchFolder) async throws -> (vdi: String, begun: String, done: String) {
        let host = try await OperationHost(in: folder)
        let vdi = try await host.makeDisk(in: try await host.makeRepository("a").sr)
        let vm = try await host.makeMachine()
        let (begun, done) = (try await makeDrive(host, in: vm), try await makeDrive(host, in: vm))
        _ = try await host.call("VBD.insert", .string(done), .string(vdi))
        try await host.database.transaction { tx in
            try tx.set(Ref<VBD>(begun), VBD.vdi, Ref<VDI>(vdi))
            for vbd in [begun, done] { try tx.set(Ref<VBD>(vbd), VBD.reserved, true) }
        }
        await host.toolstack.stop()
        return (vdi, begun, done)
    }

    /// Whether a guest that starts gets the disc could not be said.
    @Test func discsWaitForMachinesThatStartOrEnd() async throws {
        let host = try await OperationHost()
        let vdi = try await host.makeDisk(in: try await host.makeRepository("a").sr)
        let vm = try await host.makeMachine()
        let drive = try await makeDrive(host, in: vm)
        let start = try await host.admission.begin([.vm(Ref(vm), .start)], task: Ref("OpaqueRef:t"))
        let busy = ["OTHER_OPERATION_IN_PROGRESS", "VM", vm, "start", "OpaqueRef:t"]
        #expect(await host.refused("VBD.insert", .string(drive), .string(vdi)) == busy)
        await host.admission.end(start)
        _ = try await host.call("VBD.insert", .string(drive), .string(vdi))
        #expect(try await host.operations("VBD", drive) == ["attach", "eject"])
        let stop = try await host.admission.begin([.vm(Ref(vm), .start)], task: Ref("OpaqueRef:t"))
        #expect(await host.refused("VBD.eject", .string(drive)) == busy)
        #expect(try await host.operations("VBD", drive) == ["attach"])
        await host.admission.end(stop)
        #expect(try await host.operations("VBD", drive) == ["attach", "eject"])
        try await host.database.transaction { tx in try tx.set(Ref<VM>(vm), VM.powerState, .suspended) }
        #expect(
            await host.refused("VBD.eject", .string(drive)) == ["VM_BAD_POWER_STATE", vm, "running", "suspended"])
        await host.toolstack.stop()
    }
}
