import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Checkpoints {
        /// The disks of the pool, without what they stand on.
        private func countDisks(_ toolstack: RunningToolstack) async throws -> Int {
            var disks = 0
            for vdi in try await toolstack.call("VDI.get_all").items ?? []
            where try await toolstack.call("VDI.get_managed", vdi) == .bool(true) { disks += 1 }
            return disks
        }

        /// One guest, which checks its own data, is kept with its memory by a toolstack that dies at every step: each time it goes on,
        /// and there is the whole checkpoint or nothing of it. From the checkpoint it goes on where it was, on the disk as it was
        /// then: what its memory knows of the disk is so. A snapshot that is made while the memory is saved changes nothing of that.
        @Test func aCheckpointIsOfOneMomentOrDoesNotExist() async throws {
            try await withToolstack { toolstack in
                let guest = try await SavedGuest(toolstack, format: "qcow2", checks: true)
                let vm = WireValue.string(guest.vm)
                var console = try await guest.start()
                _ = try await console.waitFor(writes: 3)

                func checkpoint() async throws { try await toolstack.call("VM.checkpoint", vm, .string("c")) }
                /// The machine runs, and there are as many checkpoints, each with a disk and an image, and nothing else.
                func expect(_ checkpoints: Int, _ point: String) async throws {
                    #expect(try await guest.state == "Running", "\(point)")
                    let found = try await toolstack.call("VM.get_snapshots", vm).items ?? []
                    #expect(found.count == checkpoints, "\(point)")
                    for each in found {
                        #expect(try await toolstack.text("VM.get_power_state", each) == "Suspended", "\(point)")
                    }
                    #expect(try await countDisks(toolstack) == 1 + 2 * checkpoints, "\(point)")
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
                    #expect(try RunningToolstack.images(guest.memory.path).count == made, "\(point)")
                    _ = try await console.waitFor(moreWrites: 1)
                }
                // The guest has changed its disk since. It goes back to where it was, twice.
                let made = try await toolstack.call("VM.get_snapshots", vm).items?.first?.text ?? ""
                for round in 1...2 {
                    _ = try await console.waitFor(moreWrites: 2)
                    let before = console.latest?.writes ?? 0
                    try await toolstack.call("VM.revert", .string(made))
                    #expect(try await guest.state == "Suspended")
                    console = try await guest.resume()
                    // What it says first, however long it goes on until it has checked.
                    let first = try await console.waitForFirst()
                    #expect(first.writes < before, "round \(round): \(first) after \(before)")
                    let checked = try await console.verify()
                    #expect(checked.isClean, "round \(round): \(checked)")
                    try await expect(1, "round \(round)")
                }
                let ended = try await guest.during("VM.checkpoint", [.string("c")], at: ["suspend-standing"]) { task in
                    let snapshot = try await toolstack.text("VM.snapshot", vm, .string("s"))
                    let drive = try await toolstack.call("VM.get_VBDs", .string(snapshot)).items?.first?.text ?? ""
                    let disk = try await toolstack.call("VBD.get_VDI", .string(drive))
                    try await toolstack.call("VM.destroy", .string(snapshot))
                    try await toolstack.call("VDI.destroy", disk)
                }
                let stall = ended.otherConfig["guest_stall"]
                print("a guest with 128 MiB stood for its checkpoint: \(stall ?? "?") s")
                #expect(ended.status == "success" && stall != nil)
                try await expect(2, "at last")
                try await guest.finish(console)
                try await guest.end()
            }
        }

        /// QEMU ends while the guest stands and its disks are kept, and when it is to go on: the machine is halted, and nothing is left.
        /// When it ends later, there is the checkpoint. Nothing is left when the caller gives up meanwhile, or there is no room for its
        /// memory, and then the guest goes on.
        @Test func aQEMUThatEndsLeavesNoCheckpoint() async throws {
            try await withToolstack { toolstack in
                let guest = try await SavedGuest(toolstack, format: "qcow2", checks: false)
                let vm = WireValue.string(guest.vm)
                func expect(_ state: String, snapshots: Int, _ point: String) async throws {
                    #expect(try await guest.state == state, "\(point)")
                    #expect(try await toolstack.call("VM.get_snapshots", vm).items?.count == snapshots, "\(point)")
                    #expect(try await countDisks(toolstack) == 1 + 2 * snapshots, "\(point)")
                }
                for point in ["suspend-standing", "checkpoint-disks", "checkpoint-taken"] {
                    _ = try await guest.start()
                    let ended = try await guest.during("VM.checkpoint", [.string("c")], at: [point]) { _ in
                        try guest.kill()
                    }
                    #expect(ended.errorInfo == ["VM_HALTED", guest.vm], "\(point)")
                    try await expect("Halted", snapshots: 0, point)
                }
                var console = try await guest.start()
                let given = try await guest.during("VM.checkpoint", [.string("c")], at: ["checkpoint-disks"]) { task in
                    try await toolstack.call("task.cancel", .string(task))
                }
                #expect(given.status == "cancelled")
                try await expect("Running", snapshots: 0, "cancelled")
                let whole = try await guest.during("VM.checkpoint", [.string("c")], at: ["suspend-held"]) { _ in
                    try guest.kill()
                }
                #expect(whole.status == "success")
                while try await guest.state != "Halted" { try await Task.sleep(for: .milliseconds(5)) }
                try await expect("Halted", snapshots: 1, "when its memory was there")

                // Before it has begun it has hardly any memory.
                console = try await guest.start()
                _ = try await console.waitFor(line: "GANTRY READY")
                let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 64)
                defer { loop.remove() }
                let small = try await toolstack.makeRepository("small", formats: "qcow2", folder: loop.mountPoint)
                try await toolstack.call("pool.set_suspend_image_SR", .string(guest.pool), .string(small.ref))
                try loop.fill(leaving: 8)
                let task = try await toolstack.session.call("Async.VM.checkpoint", [vm, .string("c")])
                let ended = try await toolstack.session.waitForTask(task.text ?? "")
                #expect(ended.errorInfo.first == "SR_BACKEND_FAILURE_44", "\(ended.errorInfo)")
                #expect(try RunningToolstack.images(small.path).filter { $0 != SmallFileSystem.filler } == [])
                try await expect("Running", snapshots: 1, "without room")
                try await toolstack.call("VM.hard_shutdown", vm)
                try await guest.end()
            }
        }
    }
}
