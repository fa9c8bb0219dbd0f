import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// kill -9 of either toolstack at every step of a machine's way to another pool.
    @Suite struct CrossPoolCrashes {
        struct Death: CustomTestStringConvertible, Sendable {
            let point: String
            /// Where the machine is in the end.
            let landsThere: Bool
            var testDescription: String { point }
        }

        private static let deaths = [
            Death(point: "departure-before-offer", landsThere: false),
            Death(point: "departure-after-offer", landsThere: false),
            Death(point: "departure-after-copy", landsThere: false),
            Death(point: "departure-before-prepare", landsThere: false),
            Death(point: "departure-after-prepare", landsThere: false),
            Death(point: "departure-after-commit", landsThere: true),
            Death(point: "departure-before-run", landsThere: true),
            Death(point: "departure-after-run", landsThere: true),
            Death(point: "departure-after-remove", landsThere: true),
            Death(point: "departure-after-cancel", landsThere: false),
            Death(point: "arrival-after-offer", landsThere: false),
            Death(point: "arrival-after-create", landsThere: false),
            Death(point: "arrival-before-prepare", landsThere: false),
            Death(point: "arrival-after-prepare", landsThere: false),
            Death(point: "arrival-before-run", landsThere: true),
            Death(point: "arrival-after-run", landsThere: true),
            Death(point: "arrival-after-cancel", landsThere: false),
        ]

        /// One side has the machine, whole and free to be started, and nothing is left at the other, without anybody's help.
        @Test(arguments: GateShare.some(4, of: deaths, "deaths of toolstacks"))
        func eitherToolstackDiesDuringAMoveToAnotherPool(_ death: Death) async throws {
            var random = SeededRandom.printed("killed \(death.point)")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "vhd")
                let destination = try await pools.there.makeRepository("b", formats: "qcow2")
                let disk = try await CrossPool.filled(pools, in: source.ref, format: "vhd", &random)
                let vm = try await CrossPool.machine(pools.here, [disk.vdi])
                let dying = death.point.hasPrefix("departure") ? pools.here : pools.there
                await dying.stop()
                try await dying.start(failurePoint: death.point)

                let isCancelled = death.point.hasSuffix("cancel")
                let task = try await pools.here.text(
                    "Async.VM.migrate_send", .string(vm), try await pools.token(), .bool(true),
                    TwoPools.map([(disk.vdi, destination.ref)]), .members([]),
                    TwoPools.map(isCancelled ? [("bytes-per-second", "65536")] : []), .members([]), .members([]))
                if isCancelled {
                    while try await pools.here.call("task.get_other_config", .string(task)).member("phase") == nil {
                        try await Task.sleep(for: .milliseconds(5))
                    }
                    try await pools.here.call("task.cancel", .string(task))
                }
                await dying.awaitEnd()
                try await dying.start()
                // The task is there after the restart, too, and ends as the move does.
                if dying === pools.here {
                    let reason = isCancelled ? "TASK_CANCELLED" : "VM_MIGRATE_FAILED"
                    #expect(try await Self.end(of: task, pools.here) == (death.landsThere ? "" : reason))
                }

                try await awaitEnd(pools, source.path, destination.path)
                let (kept, left) = death.landsThere ? (pools.there, pools.here) : (pools.here, pools.there)
                #expect(try await TwoPools.machines(left).isEmpty)
                let machine = try #require(try await TwoPools.machines(kept).first)
                #expect(
                    try await kept.call("VM.get_allowed_operations", .string(machine.ref)).items?.contains(
                        .string("start")) == true)
                #expect(try await left.call("VDI.get_all").items == [])
                let vdi = try #require(try await kept.call("VDI.get_all").items?.first?.text)
                let drives = try await kept.call("VM.get_VBDs", .string(machine.ref)).items ?? []
                #expect(drives.count == 1)
                #expect(try await kept.text("VBD.get_VDI", drives.first ?? .null) == vdi)
                let location = try await kept.text("VDI.get_location", .string(vdi))
                let path = (death.landsThere ? destination.path : source.path) + "/" + location
                let format = death.landsThere ? "qcow2" : "vpc"
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", format, disk.model, path])
                await pools.here.stop()
                await pools.there.stop()
                #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
            }
        }

        /// The code of its error.
        private static func end(of task: String, _ toolstack: RunningToolstack) async throws -> String {
            while try await toolstack.text("task.get_status", .string(task)) == "pending" {
                try await Task.sleep(for: .milliseconds(10))
            }
            return try await toolstack.call("task.get_error_info", .string(task)).items?.first?.text ?? ""
        }

        /// One machine and one image, which nobody holds.
        private func awaitEnd(_ pools: TwoPools, _ source: String, _ destination: String) async throws {
            while true {
                let machines = try await TwoPools.machines(pools.here) + TwoPools.machines(pools.there)
                let images = try RunningToolstack.images(source) + RunningToolstack.images(destination)
                if machines.count == 1, images.count == 1 { break }
                try await Task.sleep(for: .milliseconds(20))
            }
            try await pools.awaitQuiet()
        }

        /// The other side dies while its disks are filled and comes back: the move goes on where it was.
        @Test func theOtherSideMayComeBackWhileItsDisksAreFilled() async throws {
            var random = SeededRandom.printed("other side comes back")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "raw")
                let destination = try await pools.there.makeRepository("b", formats: "vhd")
                let disk = try await CrossPool.filled(pools, in: source.ref, format: "raw", &random)
                let vm = try await CrossPool.machine(pools.here, [disk.vdi])
                let task = try await pools.here.text(
                    "Async.VM.migrate_send", .string(vm), try await pools.token(), .bool(true),
                    TwoPools.map([(disk.vdi, destination.ref)]), .members([]),
                    TwoPools.map([("bytes-per-second", "512KiB")]), .members([]), .members([]))
                while true {
                    let notes = try await pools.here.call("task.get_other_config", .string(task))
                    if let copied = notes.member("bytes_copied")?.text.flatMap({ Int($0) }), copied > 0 { break }
                    try await Task.sleep(for: .milliseconds(5))
                }
                await pools.there.killHard()
                try await pools.there.start()
                try await pools.here.call(
                    "task.add_to_other_config", .string(task), .string("bytes-per-second"), .string("0"))
                let arrived: String = try await pools.here.session.waitForTask(task).value()
                try await awaitEnd(pools, source.path, destination.path)
                #expect(try await TwoPools.machines(pools.there).map(\.ref) == [arrived])
                let image = destination.path + "/" + (try RunningToolstack.images(destination.path)[0])
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "vpc", disk.model, image])
            }
        }
    }
}
