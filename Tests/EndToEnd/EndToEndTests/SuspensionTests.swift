import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Suspensions {
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
