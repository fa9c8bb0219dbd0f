import APITypes
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Moves that were cut off and whose SRs are not there at the next start; moves beside merges.
    @Suite struct InterruptedMoves {
        private func pbd(_ toolstack: RunningToolstack, of sr: String) async throws -> String {
            try await toolstack.call("SR.get_PBDs", .string(sr)).items?.first?.text ?? ""
        }

        /// Power fails during a move, and the destination's SR does not come back: the disk is where it was and waits for
        /// nothing, and what is left of the copy goes when the SR is plugged again, or with the SR when that is forgotten.
        @Test(arguments: GateShare.some(1, of: [false, true], "gone destinations"))
        func aMoveWhoseDestinationIsGoneLeavesTheDiskFree(_ isForgotten: Bool) async throws {
            var random = SeededRandom.printed("gone destination")
            let seed = random.next()
            try await withToolstack { toolstack in
                let disk = try await MovableDisk(toolstack, filled: 6 << 20, seed: seed)
                let (a, b, vdi, plugged, writer) = (disk.a, disk.b, disk.vdi, disk.plugged, disk.writer)
                let task = try await toolstack.startMove(vdi, to: b.ref, format: "qcow2", bytesPerSecond: 1 << 20)
                // One of which nothing is copied yet would wait for the SR, as one in the line does.
                while try await toolstack.call("task.get_other_config", .string(task)).member("phase")
                    != .string("copying")
                {
                    try await Task.sleep(for: .milliseconds(5))
                }
                try await toolstack.cutPower()
                try FileManager.default.moveItem(atPath: b.path, toPath: b.path + ".away")
                try await toolstack.start()
                let (aPBD, bPBD) = (try await pbd(toolstack, of: a.ref), try await pbd(toolstack, of: b.ref))
                #expect(try await toolstack.call("PBD.get_currently_attached", .string(bPBD)) == .bool(false))
                // It is decided at once, and everybody can see that.
                while try await toolstack.call("VDI.get_current_operations", .string(vdi)) != .members([]) {
                    try await Task.sleep(for: .milliseconds(10))
                }
                let snapshot = try await toolstack.text("VDI.snapshot", .string(vdi), .members([]))
                try await toolstack.call("VDI.destroy", .string(snapshot))
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                try await toolstack.call("PBD.unplug", .string(aPBD))
                try await toolstack.call("PBD.plug", .string(aPBD))
                try FileManager.default.moveItem(atPath: b.path + ".away", toPath: b.path)
                if isForgotten {
                    try await toolstack.call("SR.forget", .string(b.ref))
                } else {
                    #expect(try RunningToolstack.images(b.path).count == 1)
                    try await toolstack.call("PBD.plug", .string(bPBD))
                    #expect(try RunningToolstack.images(b.path) == [])
                    // Nothing stands in the way of the next.
                    let moved = try await toolstack.move(vdi, to: b.ref, format: "qcow2")
                    let path = b.path + "/" + (try await toolstack.text("VDI.get_location", .string(moved)))
                    let model = toolstack.folder.file("model")
                    try writer.saveModel(to: model)
                    try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", model, path])
                    #expect(try RunningToolstack.images(a.path) == [])
                }
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// Only the daemon dies, and the destination's SR is not there when it comes back: the mirror goes on, so that the move
        /// waits, and says for what. It ends when the SR is plugged, or is given up when nobody can plug it any more.
        @Test(arguments: GateShare.some(1, of: [false, true], "late destinations"))
        func aMoveThatLivesOnWaitsForItsDestination(_ isGivenUp: Bool) async throws {
            var random = SeededRandom.printed("late destination")
            let seed = random.next()
            try await withToolstack { toolstack in
                let disk = try await MovableDisk(toolstack, filled: 4 << 20, seed: seed)
                let (a, b, vdi, plugged, writer) = (disk.a, disk.b, disk.vdi, disk.plugged, disk.writer)
                let task = try await toolstack.startMove(vdi, to: b.ref, format: "qcow2", bytesPerSecond: 2 << 20)
                while try await toolstack.call("task.get_other_config", .string(task)).member("phase") == nil {
                    try await Task.sleep(for: .milliseconds(5))
                }
                await toolstack.killHard()
                try FileManager.default.moveItem(atPath: b.path, toPath: b.path + ".away")
                try await toolstack.start()
                let bPBD = try await pbd(toolstack, of: b.ref)
                var told = ""
                try await reach("it is told what the move waits for") {
                    for message in try await toolstack.call("message.get_all").items?.compactMap(\.text) ?? [] {
                        let record = try await toolstack.call("message.get_record", .string(message))
                        guard record.member("name")?.text == "VDI_MOVE_WAITS_FOR_SR" else { continue }
                        told = record.member("body")?.text ?? ""
                    }
                    return told.contains("PBD")
                }
                #expect(try await toolstack.call("VDI.get_current_operations", .string(vdi)) != .members([]))
                try FileManager.default.moveItem(atPath: b.path + ".away", toPath: b.path)
                let left = isGivenUp ? a : b
                if isGivenUp {
                    try await toolstack.call("PBD.destroy", .string(bPBD))
                } else {
                    try await toolstack.call("PBD.plug", .string(bPBD))
                }
                var isOver = false
                while !isOver {
                    try await Task.sleep(for: .milliseconds(20))
                    let disks =
                        try await toolstack.call("SR.get_VDIs", .string(left.ref)).items?.compactMap(\.text) ?? []
                    guard let disk = disks.first else { continue }
                    isOver = try await toolstack.call("VDI.get_current_operations", .string(disk)) == .members([])
                }
                #expect(try RunningToolstack.images(a.path).isEmpty == !isGivenUp)
                writer.start(seed: random.next())
                let during = writer.writes
                while writer.writes < during + 5 { try await Task.sleep(for: .milliseconds(2)) }
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let all = try await toolstack.call("VDI.get_all").items?.compactMap(\.text) ?? []
                let location = try await toolstack.text("VDI.get_location", .string(all.first ?? ""))
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                try Tool.check(
                    "qemu-img",
                    ["compare", "-f", "raw", "-F", isGivenUp ? "vpc" : "qcow2", model, left.path + "/" + location])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// A disk whose chain is being merged is moved while it is written: the merge ends for the move, nothing of the tree is
        /// merged during it, and what stays behind, a clone, is merged afterwards. libvhdi reads the same as we.
        @Test func aMoveAndAMergeOfOneTreeWaitForEachOther() async throws {
            var random = SeededRandom.printed("move beside merge")
            let seed = random.next()
            try await withToolstack { toolstack in
                let disk = try await MovableDisk(toolstack, filled: 4 << 20, seed: seed)
                let (a, b, vdi, plugged, writer) = (disk.a, disk.b, disk.vdi, disk.plugged, disk.writer)
                try await toolstack.call(
                    "SR.set_other_config", .string(a.ref),
                    .members([("coalesce-delay", .string("0")), ("coalesce-rate", .string("1MiB"))]))
                var snapshots: [String] = []
                for _ in 0..<2 {
                    snapshots.append(try await toolstack.text("VDI.snapshot", .string(vdi), .members([])))
                    writer.start(seed: random.next())
                    let during = writer.writes
                    while writer.writes < during + 60 { try await Task.sleep(for: .milliseconds(2)) }
                    #expect(writer.pause() == nil)
                }
                try writer.client.flush()
                // Snapshots would move with the disk.
                let kept = try await toolstack.text("VDI.clone", .string(vdi), .members([]))
                let held = writer.model
                for snapshot in snapshots { try await toolstack.call("VDI.destroy", .string(snapshot)) }
                let notes = a.path + "/.gantry-sr-merges"
                while !FileManager.default.fileExists(atPath: notes) { try await Task.sleep(for: .milliseconds(5)) }
                let source = try await toolstack.text("VDI.get_location", .string(vdi))
                writer.start(seed: random.next())
                let task = try await toolstack.startMove(vdi, to: b.ref, format: "qcow2", bytesPerSecond: 64 << 20)
                // The merge has ended by the time that the copy is there.
                while try RunningToolstack.images(b.path).filter({ $0.hasSuffix(".qcow2") }).isEmpty {
                    try await Task.sleep(for: .milliseconds(5))
                }
                let images = try RunningToolstack.images(a.path).sorted()
                let reached = try Data(contentsOf: URL(fileURLWithPath: notes))
                try await toolstack.call(
                    "SR.set_other_config", .string(a.ref), .members([("coalesce-delay", .string("0"))]))
                while true {
                    let status = try await toolstack.text("task.get_status", .string(task))
                    // Looked at first: the move may end in between.
                    let (now, note) = (
                        try RunningToolstack.images(a.path).sorted(), try? Data(contentsOf: URL(fileURLWithPath: notes))
                    )
                    // The move's own end, after its commit.
                    guard status == "pending", now.contains(source) else { break }
                    #expect(now == images && note == reached)
                    try await Task.sleep(for: .milliseconds(20))
                }
                let moved: String = try await toolstack.session.waitForTask(task).value()
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                let path = b.path + "/" + (try await toolstack.text("VDI.get_location", .string(moved)))
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", model, path])
                // The clone is alone now, in one image.
                while try RunningToolstack.images(a.path).count > 1 { try await Task.sleep(for: .milliseconds(20)) }
                let left = a.path + "/" + (try await toolstack.text("VDI.get_location", .string(kept)))
                let read = try LibyalReader.read("vhdi", [left])
                #expect(Bytes.areEqual(read.bytes, held))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
