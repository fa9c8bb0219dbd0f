import APITypes
import DatapathControl
import Foundation
import PoolDatabase
import RPCCodec
import TestSupport
import Testing

@testable import Toolstack

/// What drivers and data paths are told of disks that are used, and not any more.
@Suite struct DiskUseTests {
    private func make(_ host: OperationHost, type: String) async throws -> String {
        try await host.ref(
            "SR.create", .string(host.host), .structure([]), .string("0"), .string(type), .string(""), .string(type),
            .string("user"), .bool(false), .structure([]))
    }

    private func files(_ host: OperationHost) -> [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: host.folder.file("r/dummy"))) ?? [])
            .filter { $0.hasSuffix(".raw") }
    }

    /// The driver hears of the last user's end, whatever the use was.
    @Test func aDiskIsDetachedAfterItsLastUser() async throws {
        let host = try await OperationHost()
        let dummy = try await make(host, type: "dummy")
        let vdi = try await host.makeDisk(in: dummy)
        let vbd = try await host.makeVBD(vdi, in: host.domain)
        _ = try await host.call("VBD.plug", .string(vbd))
        #expect(files(host).count == 1)
        _ = try await host.call("VBD.unplug", .string(vbd))
        #expect(files(host) == [])
        // A copy reads it, and so attaches it, for as long as that takes.
        let (sr, _) = try await host.makeRepository("a")
        let copy = try await host.ref(
            "VDI.copy", .string(vdi), .string(sr), .string("OpaqueRef:NULL"), .string("OpaqueRef:NULL"))
        #expect(files(host) == [])
        _ = try await host.call("VDI.destroy", .string(copy))
        // What would be forgotten on the way does not move, and nothing is attached for it.
        let refusal = await host.refused("VDI.pool_migrate", .string(vdi), .string(sr), .structure([]))
        #expect(refusal == ["SR_OPERATION_NOT_SUPPORTED", dummy])
        #expect(files(host) == [])
        await host.toolstack.stop()
    }

    /// What an earlier process's guests wrote is gone with the volumes that it has forgotten.
    @Test func filesOfPretendedDisksDoNotOutliveThem() async throws {
        let folder = try ScratchFolder("ops")
        // The first is gone, with its lock, when this returns.
        func first() async throws -> String {
            let host = try await OperationHost(in: folder)
            let dummy = try await make(host, type: "dummy")
            let uuid = try await String(api: host.call("SR.get_uuid", .string(dummy))) ?? ""
            await host.toolstack.stop()
            return uuid
        }
        let uuid = try await first()
        let left = folder.file("r/dummy/\(uuid)")
        try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
        try Data(count: 512).write(to: URL(fileURLWithPath: left + "/\(Fresh.uuid()).raw"))
        let host = try await OperationHost(in: folder)
        #expect(files(host) == [])
        await host.toolstack.stop()
    }

    /// A disk takes what its chain takes, not what its own image does.
    @Test func aDiskWithSnapshotsIsNotMovedWhereItCannotFit() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let vdi = try await host.makeDisk(in: sr, bytes: 16 << 20)
        let image = try String(api: await host.call("VDI.get_location", .string(vdi))) ?? ""
        try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 1 0 8M", host.folder.file("a/" + image)])
        _ = try await host.call("VDI.snapshot", .string(vdi), .structure([]))
        let small = host.folder.file("b")
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: false)
        try Tool.check("mount", ["-t", "tmpfs", "-o", "size=4M", "small", small])
        defer { _ = try? Tool.run("umount", ["-l", small]) }
        let (target, _) = try await host.makeRepository("b")
        let refusal = await host.refused("VDI.pool_migrate", .string(vdi), .string(target), .structure([]))
        #expect(refusal.count == 4 && refusal.first == "SR_BACKEND_FAILURE_44", "\(refusal)")
        let numbers = refusal.dropFirst(2).first?.split(separator: " ").compactMap { Int($0) } ?? []
        #expect(numbers.count == 2 && numbers[0] >= 8 << 20 && numbers[1] <= 4 << 20, "\(refusal)")
        await host.toolstack.stop()
    }

    /// A toolstack that told a data path to pause, and died, may be obeyed after its successor has looked.
    @Test func aPausedDiskThatNobodyHoldsGoesOn() async throws {
        let host = try await OperationHost()
        let (sr, _) = try await host.makeRepository("a")
        let vdi = try await host.makeDisk(in: sr)
        let vbd = try await host.makeVBD(vdi, in: host.domain)
        _ = try await host.call("VBD.plug", .string(vbd))
        let id = try #require(try FileManager.default.contentsOfDirectory(atPath: host.folder.file("r/dp")).first)
        let sockets = try FileManager.default.contentsOfDirectory(atPath: host.folder.file("r/dp/" + id))
        let control = try #require(sockets.first { $0.hasPrefix("control") })
        let client = DatapathClient(socketPath: host.folder.file("r/dp/\(id)/\(control)"))
        _ = try await client.call(.pause)
        while try await client.status().isPaused == true { try await Task.sleep(for: .milliseconds(20)) }
        // It has its image open again.
        let image = try String(api: await host.call("VDI.get_location", .string(vdi))) ?? ""
        #expect(try Tool.run("qemu-io", ["-f", "raw", "-c", "quit", host.folder.file("a/" + image)]).status != 0)
        _ = try await host.call("VBD.unplug", .string(vbd))
        await host.toolstack.stop()
    }
}
