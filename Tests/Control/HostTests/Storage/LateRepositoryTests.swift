import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import StorageMotion
import TestSupport
import Testing

@testable import Toolstack

/// Moves that waited in the line when the toolstack ended, and whose SR is not there when it starts again.
@Suite struct LateRepositoryTests {
    private struct Left {
        var disks: [String]
        var tasks: [String]
        var sr: String
        var pbd: String
    }

    /// The toolstack, and its hold of the folder, are gone when this returns: two moves wait, and their SR is away.
    private func leaveMoves(in folder: ScratchFolder) async throws -> Left {
        let host = try await OperationHost(in: folder)
        let (a, _) = try await host.makeRepository("a")
        let (b, pbd) = try await host.makeRepository("b")
        var left = Left(disks: [], tasks: [], sr: b, pbd: pbd)
        for index in 0..<2 {
            let vdi = try await host.makeDisk(in: a)
            let row = try #require(host.database.read { $0.row(Ref<VDI>(vdi)) })
            var motion = DiskMotion(
                id: Fresh.uuid(), sourceUUID: row[VDI.uuid], sourceRef: vdi, sourceSR: a,
                sourceLocation: row[VDI.location], destinationUUID: Fresh.uuid(),
                destinationRef: Fresh.ref(VDI.self).opaque, destinationSR: b, format: "qcow2", size: 1 << 20)
            let task = Fresh.ref(XenTask.self).opaque
            motion.call = MoveCall(
                task: task, taskUUID: Fresh.uuid(), name: "Async.VDI.pool_migrate", owner: "", time: Int64(index),
                machine: nil)
            try await MotionStore(database: host.database).save(motion)
            left.disks.append(vdi)
            left.tasks.append(task)
        }
        await host.toolstack.stop()
        try FileManager.default.moveItem(atPath: folder.file("b"), toPath: folder.file("away"))
        return left
    }

    @Test func movesThatWaitInTheLineWaitForAnSRThatComesLate() async throws {
        let folder = try ScratchFolder("ops")
        let left = try await leaveMoves(in: folder)
        let host = try await OperationHost(in: folder)
        func task(_ index: Int) throws -> Row {
            try #require(host.database.read { $0.row(Ref<XenTask>(left.tasks[index])) })
        }
        func end(of index: Int) async throws -> TaskStatusType {
            while true {
                let generation = host.database.generation
                let status = try task(index)[XenTask.status]
                if status != .pending, status != .cancelling { return status }
                await host.database.waitForChange(after: generation, timeout: .seconds(1))
            }
        }
        #expect(try await host.call("PBD.get_currently_attached", .string(left.pbd)) == .bool(false))
        for (index, vdi) in left.disks.enumerated() {
            while try task(index)[XenTask.otherConfig]["phase"] != "waiting for an SR" {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(try await host.operations("VDI", vdi, "current_operations") == ["mirror"])
        }
        // Who does not want to wait any more has the disk.
        _ = try await host.call("task.cancel", .string(left.tasks[0]))
        #expect(try await end(of: 0) == .cancelled)
        #expect(try await host.operations("VDI", left.disks[0], "current_operations") == [])

        try FileManager.default.moveItem(atPath: folder.file("away"), toPath: folder.file("b"))
        _ = try await host.call("PBD.plug", .string(left.pbd))
        #expect(try await end(of: 1) == .success)
        let disks = host.database.read { reader in reader.rows(VDI.self) { $0[VDI.sr].opaque == left.sr }.count }
        #expect(disks == 1 && MotionStore(database: host.database).all().isEmpty)
        #expect(host.database.read { $0.row(Ref<VDI>(left.disks[0])) != nil && $0.row(Ref<VDI>(left.disks[1])) == nil })
        await host.toolstack.stop()
    }
}
