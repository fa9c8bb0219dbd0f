import APITypes
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// Volumes that other disks stand on have rows, too, and are never written.
@Suite struct UnmanagedDiskTests {
    @Test func nothingIsImportedOrCopiedIntoAVolumeThatIsNoDisk() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let source = try await host.makeDisk(in: sr)
        let node = try await host.makeDisk(in: sr)
        try await host.database.transaction { tx in try tx.set(Ref<VDI>(node), VDI.managed, false) }
        let null = WireValue.string("OpaqueRef:NULL")
        #expect(
            await host.refused("VDI.copy", .string(source), null, null, .string(node)) == ["VDI_NOT_MANAGED", node])
        let refusal = await #expect(throws: APIError.self) {
            _ = try await host.toolstack.transfers.beginImport(
                DiskTransferRequest(vdi: node, sr: nil, format: "raw", length: 512, base: nil),
                context: CallContext(session: .null, task: .null, progress: UnwatchedProgress()))
        }
        #expect(refusal?.wire == ["VDI_NOT_MANAGED", node])
        // Nothing of the refused import is left that would be in the way of what may be done.
        #expect(try await host.operations("VDI", node, "current_operations") == [])
        await host.toolstack.stop()
    }
}
