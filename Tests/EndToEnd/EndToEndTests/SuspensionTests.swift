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
            try await withToolstack { toolstack in
                let guest = try await SavedGuest(toolstack, format: "raw", checks: false)

                func expect(_ state: String, _ when: String) async throws {
                    #expect(try await guest.state == state, "\(when)")
                    let isAttached = try await toolstack.call("VBD.get_currently_attached", .string(guest.vbd))
                    #expect(isAttached == .bool(false), "\(when)")
                    let disks = try await toolstack.call("VDI.get_all")
                    #expect(disks.items?.count == (state == "Suspended" ? 2 : 1), "\(when)")
                }
                /// How `message` ends when QEMU is killed while it is held.
                func end(at points: [String], of message: String, _ more: [WireValue] = []) async throws -> String? {
                    let ended = try await guest.during(message, more, at: points) { _ in try guest.kill() }
                    return ended.status == "success" ? "success" : ended.errorInfo.first
                }

                // A guest that has only just begun has so little memory that all of it is on its way by the first piece.
                _ = try await guest.start().waitFor(line: "GANTRY READY")
                #expect(try await end(at: ["suspend-standing", "suspend-piece"], of: "VM.suspend") == "VM_HALTED")
                try await expect("Halted", "while it was written")

                _ = try await guest.start()
                #expect(try await end(at: ["suspend-held"], of: "VM.suspend") == "success")
                try await expect("Suspended", "when all was written")

                let resumed = try await end(
                    at: ["resume-committed"], of: "VM.resume", [.bool(false), .bool(false)])
                #expect(resumed == "VM_HALTED")
                try await expect("Halted", "when it was to run")
                try await guest.end()
            }
        }

        /// One guest, which checks its own data, is suspended and resumed by a toolstack that dies at every step: each time it runs,
        /// or is suspended and can be resumed; never both, never neither, and no disk is left over.
        @Test func aMachineIsRunningOrSuspendedWhereverTheToolstackDies() async throws {
            try await withToolstack { toolstack in
                let guest = try await SavedGuest(toolstack, format: "raw", checks: true)
                var console = try await guest.start()
                _ = try await console.waitFor(writes: 3)

                func suspend() async throws { try await toolstack.call("VM.suspend", .string(guest.vm)) }
                func expect(_ state: String, _ point: String) async throws {
                    #expect(try await guest.state == state, "\(point)")
                    let count = try RunningToolstack.images(guest.memory.path).count
                    #expect(count == (state == "Suspended" ? 1 : 0), "\(point)")
                    let all = try await toolstack.call("VDI.get_all").items?.count
                    #expect(all == (state == "Suspended" ? 2 : 1), "\(point)")
                    let saved = try await toolstack.text("VM.get_suspend_VDI", .string(guest.vm))
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
                for point in ["resume-waiting", "resume-loaded"] {
                    try await dies(at: point, "Suspended") { _ = try await guest.resume() }
                }
                try await dies(at: "resume-committed", "Running") { _ = try await guest.resume() }
                console = try guest.console()
                _ = try await console.waitFor(moreWrites: 1)

                // And once without any death, its disk and its memory at other places meanwhile.
                try await suspend()
                try await expect("Suspended", "suspended")
                console = try await guest.resume()
                try await expect("Running", "resumed")
                _ = try await console.waitFor(moreWrites: 1)
                try await guest.finish(console)
                let location = try await toolstack.text("VDI.get_location", .string(guest.vdi))
                try Tool.check("e2fsck", ["-fn", guest.disks.path + "/" + location])
                try await guest.end()
            }
        }
    }
}
