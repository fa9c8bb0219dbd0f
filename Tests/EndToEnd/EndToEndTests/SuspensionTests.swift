import Foundation
import Glibc
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Suspensions {
        /// QEMU ends while the memory is written, when all of it is, and when the guest is told to run again: the machine is Halted or
        /// Suspended as a whole, its disk is free, and nothing is left over.
        @Test func aQEMUThatEndsLeavesAMachineThatIsHaltedOrSuspended() async throws {
            let files = try GuestFiles.make()
            try await withToolstack { toolstack in
                let memory = try await toolstack.makeRepository("m", formats: "qcow2")
                let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""
                try await toolstack.call("pool.set_suspend_image_SR", .string(pool), .string(memory.ref))
                let vm = try await Machines.make(toolstack, files, memory: 128 << 20)
                let vdi = try await toolstack.makeDisk(in: memory.ref, bytes: 8 << 20, format: "raw")
                let vbd = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                let failures = toolstack.failures

                func kill() throws {
                    struct Record: Decodable { var pid: Int32 }
                    let file = URL(fileURLWithPath: "\(toolstack.runDirectory)/guests/\(uuid)/record.json")
                    let record = try JSONDecoder().decode(Record.self, from: Data(contentsOf: file))
                    try #require(record.pid > 1)
                    _ = Glibc.kill(record.pid, SIGKILL)
                }
                func expect(_ state: String, _ when: String) async throws {
                    #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == state, "\(when)")
                    let isAttached = try await toolstack.call("VBD.get_currently_attached", .string(vbd))
                    #expect(isAttached == .bool(false), "\(when)")
                    let disks = try await toolstack.call("VDI.get_all")
                    #expect(disks.items?.count == (state == "Suspended" ? 2 : 1), "\(when)")
                }
                /// How `message` ends when QEMU is killed while it is held at `points`, one after the other.
                func end(at points: [String], of message: String, _ more: WireValue...) async throws -> String {
                    try failures.set(.hold, at: points[0])
                    let task = try await toolstack.session.call("Async." + message, [.string(vm)] + more).text ?? ""
                    for (index, point) in points.enumerated() {
                        while !failures.isHeld(at: point) { try await Task.sleep(for: .milliseconds(5)) }
                        if index + 1 < points.count {
                            try failures.set(.hold, at: points[index + 1])
                        } else {
                            try kill()
                        }
                        try failures.release(point)
                    }
                    let ended = try await toolstack.session.waitForTask(task)
                    return ended.status == "success" ? "success" : ended.errorInfo.first ?? ""
                }

                // A guest that has only just begun has so little memory that all of it is on its way by the first piece.
                try await toolstack.call("VM.set_PV_args", .string(vm), .string(GuestFiles.arguments(.idle)))
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let console = try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
                _ = try await console.waitFor(line: "GANTRY READY")
                #expect(try await end(at: ["suspend-standing", "suspend-piece"], of: "VM.suspend") == "VM_HALTED")
                try await expect("Halted", "while it was written")

                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                #expect(try await end(at: ["suspend-held"], of: "VM.suspend") == "success")
                try await expect("Suspended", "when all was written")

                let resumed = try await end(at: ["resume-committed"], of: "VM.resume", .bool(false), .bool(false))
                #expect(resumed == "VM_HALTED")
                try await expect("Halted", "when it was to run")
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// One guest, which checks its own data, is suspended and resumed by a toolstack that dies at every step: each time it runs,
        /// or is suspended and can be resumed; never both, never neither, and no disk is left over.
        @Test func aMachineIsRunningOrSuspendedWhereverTheToolstackDies() async throws {
            var random = SeededRandom.printed()
            let files = try GuestFiles.make()
            let image = try ScratchFolder("fs")
            let raw = image.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 48 << 20, files: 4, random: &random)
            try await withToolstack { toolstack in
                let disks = try await toolstack.makeRepository("a", formats: "raw")
                let memory = try await toolstack.makeRepository("m", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: disks.ref, bytes: 48 << 20, format: "raw")
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

                func suspend() async throws { try await toolstack.call("VM.suspend", .string(vm)) }
                func resume() async throws {
                    try await toolstack.call("VM.resume", .string(vm), .bool(false), .bool(false))
                }
                func expect(_ state: String, _ point: String) async throws {
                    #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == state, "\(point)")
                    let count = try RunningToolstack.images(memory.path).count
                    #expect(count == (state == "Suspended" ? 1 : 0), "\(point)")
                    let all = try await toolstack.call("VDI.get_all").items?.count
                    #expect(all == (state == "Suspended" ? 2 : 1), "\(point)")
                    let saved = try await toolstack.text("VM.get_suspend_VDI", .string(vm))
                    #expect((saved != "OpaqueRef:NULL") == (state == "Suspended"), "\(point)")
                }
                func dies(at point: String, _ state: String, _ body: () async throws -> Void) async throws {
                    await toolstack.stop()
                    try await toolstack.start(failurePoint: point)
                    try await toolstack.dies(at: point, body)
                    try await toolstack.start()
                    try await expect(state, point)
                }

                for point in ["suspend-made", "suspend-standing", "suspend-held"] {
                    try await dies(at: point, "Running", suspend)
                    _ = try await console.waitFor(moreWrites: 1)
                }
                try await dies(at: "suspend-committed", "Suspended", suspend)
                for point in ["resume-waiting", "resume-loaded"] { try await dies(at: point, "Suspended", resume) }
                try await dies(at: "resume-committed", "Running", resume)
                console = try ConsoleReader(path: place)
                _ = try await console.waitFor(moreWrites: 1)

                // And once without any death, its disk and its memory at other places meanwhile.
                try await suspend()
                try await expect("Suspended", "suspended")
                try await resume()
                try await expect("Running", "resumed")
                console = try ConsoleReader(path: place)
                _ = try await console.waitFor(moreWrites: 1)
                try await toolstack.call("VM.clean_shutdown", .string(vm))
                let final = try await console.waitForFinal()
                #expect(final.isClean && final.verified > 0, "\(final)")
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                try Tool.check("e2fsck", ["-fn", disks.path + "/" + location])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
