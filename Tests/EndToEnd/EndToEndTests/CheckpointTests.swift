import Foundation
import Glibc
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Checkpoints {
        /// One guest, which checks its own data, is kept with its memory by a toolstack that dies at every step: each time it goes on,
        /// and there is the whole checkpoint or nothing of it. From the checkpoint it goes on where it was, on the disk as it was
        /// then: what its memory knows of the disk is so.
        @Test func aCheckpointIsOfOneMomentOrDoesNotExist() async throws {
            var random = SeededRandom.printed()
            let files = try GuestFiles.make()
            let image = try ScratchFolder("fs")
            let raw = image.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 48 << 20, files: 4, random: &random)
            try await withToolstack { toolstack in
                let disks = try await toolstack.makeRepository("a", formats: "qcow2")
                let memory = try await toolstack.makeRepository("m", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: disks.ref, bytes: 48 << 20, format: "qcow2")
                try await toolstack.session.upload(
                    file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
                let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
                try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(memory.ref))
                let vm = try await Machines.make(toolstack, files, memory: 128 << 20)
                _ = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                let place = "\(toolstack.runDirectory)/guests/\(uuid)/console.sock"
                var console = try ConsoleReader(path: place)
                _ = try await console.waitFor(writes: 3)

                func checkpoint() async throws {
                    try await toolstack.call("VM.checkpoint", .string(vm), .string("c"))
                }
                /// The machine runs, and there are as many checkpoints, each with a disk and an image, and nothing else.
                func expect(_ checkpoints: Int, _ point: String) async throws {
                    #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Running", "\(point)")
                    let found = try await toolstack.call("VM.get_snapshots", .string(vm)).items ?? []
                    #expect(found.count == checkpoints, "\(point)")
                    for each in found {
                        #expect(try await toolstack.text("VM.get_power_state", each) == "Suspended", "\(point)")
                    }
                    var disks = 0
                    for vdi in try await toolstack.call("VDI.get_all").items ?? []
                    where try await toolstack.call("VDI.get_managed", vdi) == .bool(true) { disks += 1 }
                    #expect(disks == 1 + 2 * checkpoints, "\(point)")
                }
                for (point, made) in [
                    ("suspend-standing", 0), ("machine-volume-1", 0), ("checkpoint-taken", 0), ("suspend-held", 0),
                    ("machine-committed", 1),
                ] {
                    await toolstack.stop()
                    try await toolstack.start(failurePoint: point)
                    try await toolstack.dies(at: point, checkpoint)
                    try await toolstack.start()
                    try await expect(made, point)
                    // None without a row; later a clone and a checkpoint's image stand on a third one.
                    #expect(try RunningToolstack.images(memory.path).count == made, "\(point)")
                    _ = try await console.waitFor(moreWrites: 1)
                }
                // The guest has changed its disk since. It goes back to where it was, twice.
                let made = try await toolstack.call("VM.get_snapshots", .string(vm)).items?.first?.text ?? ""
                for round in 1...2 {
                    _ = try await console.waitFor(moreWrites: 2)
                    let before = console.latest?.writes ?? 0
                    try await toolstack.call("VM.revert", .string(made))
                    #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Suspended")
                    try await toolstack.call("VM.resume", .string(vm), .bool(false), .bool(false))
                    console = try ConsoleReader(path: place)
                    let checked = try await console.verify()
                    #expect(checked.isClean && checked.writes < before, "round \(round): \(checked) after \(before)")
                    try await expect(1, "round \(round)")
                }
                let task = try await toolstack.session.call("Async.VM.checkpoint", [.string(vm), .string("c")])
                let ended = try await toolstack.session.waitForTask(task.text ?? "")
                #expect(ended.status == "success")
                let stall = try await toolstack.call("task.get_other_config", task).member("guest_stall")?.text
                print("a guest with 128 MiB stood for its checkpoint: \(stall ?? "?") s")
                #expect(stall != nil)
                try await expect(2, "at last")
                try await toolstack.call("VM.clean_shutdown", .string(vm))
                let final = try await console.waitForFinal()
                #expect(final.isClean && final.verified > 0, "\(final)")
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// QEMU ends while the guest stands and its disks are kept, and when it is to go on: the machine is halted, and nothing is left.
        /// Nor is anything when the caller gives up meanwhile, or there is no room for its memory, and then the guest goes on.
        @Test func aQEMUThatEndsLeavesNoCheckpoint() async throws {
            let files = try GuestFiles.make()
            try await withToolstack { toolstack in
                let memory = try await toolstack.makeRepository("m", formats: "qcow2")
                let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
                try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(memory.ref))
                let vm = try await Machines.make(toolstack, files, memory: 128 << 20)
                let vdi = try await toolstack.makeDisk(in: memory.ref, bytes: 8 << 20, format: "qcow2")
                _ = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                try await toolstack.call("VM.set_PV_args", .string(vm), .string(GuestFiles.arguments(.idle)))
                let failures = toolstack.failures
                var console: ConsoleReader?
                for (point, isCancelled) in [
                    ("suspend-standing", false), ("checkpoint-disks", false), ("checkpoint-taken", false),
                    ("checkpoint-disks", true),
                ] {
                    try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                    console = try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
                    try failures.set(.hold, at: point)
                    let task =
                        try await toolstack.session.call("Async.VM.checkpoint", [.string(vm), .string("c")]).text ?? ""
                    while !failures.isHeld(at: point) { try await Task.sleep(for: .milliseconds(5)) }
                    if isCancelled {
                        try await toolstack.call("task.cancel", .string(task))
                    } else {
                        struct Record: Decodable { var pid: Int32 }
                        let file = URL(fileURLWithPath: "\(toolstack.runDirectory)/guests/\(uuid)/record.json")
                        let record = try JSONDecoder().decode(Record.self, from: Data(contentsOf: file))
                        try #require(record.pid > 1)
                        _ = Glibc.kill(record.pid, SIGKILL)
                    }
                    try failures.release(point)
                    let ended = try await toolstack.session.waitForTask(task)
                    if isCancelled {
                        #expect(ended.status == "cancelled", "\(point)")
                    } else {
                        #expect(ended.errorInfo == ["VM_HALTED", vm], "\(point)")
                    }
                    let state = try await toolstack.text("VM.get_power_state", .string(vm))
                    #expect(state == (isCancelled ? "Running" : "Halted"), "\(point)")
                    #expect(try await toolstack.call("VM.get_snapshots", .string(vm)).items == [], "\(point)")
                    var disks = 0
                    for vdi in try await toolstack.call("VDI.get_all").items ?? []
                    where try await toolstack.call("VDI.get_managed", vdi) == .bool(true) { disks += 1 }
                    #expect(disks == 1, "\(point)")
                }
                // Before it has begun it has hardly any memory.
                _ = try await console?.waitFor(line: "GANTRY READY")
                let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 64)
                defer { loop.remove() }
                let small = try await toolstack.makeRepository("small", formats: "qcow2", folder: loop.mountPoint)
                try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(small.ref))
                try loop.fill(leaving: 8)
                let task = try await toolstack.session.call("Async.VM.checkpoint", [.string(vm), .string("c")])
                let ended = try await toolstack.session.waitForTask(task.text ?? "")
                #expect(ended.errorInfo.first == "SR_BACKEND_FAILURE_44", "\(ended.errorInfo)")
                #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Running")
                #expect(try RunningToolstack.images(small.path).filter { $0 != SmallFileSystem.filler } == [])
                let left = try await toolstack.call("VM.get_snapshots", .string(vm)).items
                #expect(left == [])
                try await toolstack.call("VM.hard_shutdown", .string(vm))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
