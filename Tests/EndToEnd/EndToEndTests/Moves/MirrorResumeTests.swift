import APITypes
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct MirrorResumes {
        /// kill -9 of the data path in the middle of a move: the move goes on from where it was, at the rate that the task is
        /// told meanwhile, and ends with the right disk, verified.
        @Test func aMoveGoesOnAfterItsDataPathDied() async throws {
            var random = SeededRandom.printed()
            let seed = random.next()
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "vhd")
                let b = try await toolstack.makeRepository("b", formats: "raw")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 48 << 20, format: "vhd")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 24 << 20, seed: seed)
                try writer.client.close()
                let task = try await toolstack.text(
                    "Async.VDI.pool_migrate", .string(vdi), .string(b.ref),
                    .members([
                        ("dest-img-format", .string("raw")), ("bytes-per-second", .string("6MiB")),
                        ("verify", .string("true")),
                    ]))
                while Int(try await note("bytes_copied", of: task, toolstack)) ?? 0 < 8 << 20 {
                    try await Task.sleep(for: .milliseconds(50))
                }
                try Tool.check("pkill", ["-KILL", "-f", "gantry-datapath serve.*\(toolstack.folder.path)"])
                try await toolstack.call(
                    "task.add_to_other_config", .string(task), .string("bytes-per-second"), .string("sideways"))
                while try await note("mirror_refused", of: task, toolstack) != "bytes-per-second=sideways" {
                    try await Task.sleep(for: .milliseconds(50))
                }
                try await toolstack.call(
                    "task.remove_from_other_config", .string(task), .string("bytes-per-second"))
                try await toolstack.call(
                    "task.add_to_other_config", .string(task), .string("bytes-per-second"), .string("0"))
                let moved: String = try await toolstack.session.waitForTask(task).value()
                #expect(try await note("mirror_restarts", of: task, toolstack) == "1")
                #expect(Int(try await note("bytes_resumed", of: task, toolstack)) ?? 0 >= 2 << 20)
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let location = try await toolstack.text("VDI.get_location", .string(moved))
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "raw", model, b.path + "/" + location])
                #expect(try RunningToolstack.images(a.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        private func note(_ key: String, of task: String, _ toolstack: RunningToolstack) async throws -> String {
            try await toolstack.call("task.get_other_config", .string(task)).member(key)?.text ?? ""
        }
    }
}
