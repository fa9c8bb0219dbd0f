import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Two pools that do not reach each other any more, and an administrator who knows what is to become of a machine between
    /// them.
    @Suite struct CrossPoolDecisions {
        /// The machine was given away and not taken: first it is to be there, then, on its way back, to stay.
        @Test func anAdministratorDecidesAMachineBetweenTwoPoolsOnBothSides() async throws {
            var random = SeededRandom.printed()
            try await TwoPools.run { pools in
                let (a, b) = (
                    try await pools.here.makeRepository("a", formats: "vhd"),
                    try await pools.there.makeRepository("b", formats: "qcow2")
                )
                let disk = try await CrossPool.filled(pools, in: a.ref, format: "vhd", bytes: 4 << 20, &random)
                let vm = try await CrossPool.machine(pools.here, [disk.vdi])
                let uuid = try await pools.here.text("VM.get_uuid", .string(vm))

                try await Self.strand(vm, pools, in: b.ref)
                try await Self.settle(pools.here, "there")
                // What is here of it goes first.
                try await Self.awaitPhase("removed", pools.here)
                try await Self.settle(pools.here, "forget")
                try await Self.settle(pools.there, "here")
                try await Self.settle(pools.there, "forget")
                #expect(try await TwoPools.machines(pools.here).isEmpty)
                #expect(try RunningToolstack.images(a.path) == [])
                #expect(try await TwoPools.machines(pools.there).map(\.uuid) == [uuid])

                let arrived = try await pools.there.text("VM.get_by_uuid", .string(uuid))
                try await Self.strand(arrived, pools.back, in: a.ref)
                try await Self.settle(pools.there, "here")
                try await Self.settle(pools.here, "there")
                try await Self.settle(pools.here, "forget")
                try await pools.awaitNoMoves()
                try await pools.awaitQuiet()
                #expect(try await TwoPools.machines(pools.here).isEmpty)
                #expect(try await pools.here.call("VDI.get_all").items == [])
                #expect(try RunningToolstack.images(a.path) == [])
                #expect(try await TwoPools.machines(pools.there).map(\.ref) == [arrived])
                let operations = try await pools.there.call("VM.get_allowed_operations", .string(arrived)).items
                #expect(operations?.contains(.string("start")) == true)
                let images = try RunningToolstack.images(b.path)
                #expect(images.count == 1)
                try Tool.check(
                    "qemu-img",
                    ["compare", "-f", "raw", "-F", "qcow2", disk.model, b.path + "/" + (images.first ?? "")])
                await pools.here.stop()
                await pools.there.stop()
                #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
            }
        }

        /// The machine is the other side's by the word of the one that it leaves, and the other one has not heard of it.
        private static func strand(_ vm: String, _ pools: TwoPools, in sr: String) async throws {
            let link = try CuttableLink(to: Int(pools.port(pools.there)) ?? 0)
            defer { link.close() }
            let drive = try await pools.here.call("VM.get_VBDs", .string(vm)).items?.first ?? .null
            let vdi = try await pools.here.text("VBD.get_VDI", drive)
            let point = "departure-after-prepare"
            try pools.here.failures.set(.hold, at: point)
            let task = try await pools.here.text(
                "Async.VM.migrate_send", .string(vm), try await pools.token(through: link), .bool(true),
                TwoPools.map([(vdi, sr)]), .members([]), .members([]), .members([]), .members([]))
            while !pools.here.failures.isHeld(at: point) {
                let status = try await pools.here.text("task.get_status", .string(task))
                try #require(status == "pending")
                try await Task.sleep(for: .milliseconds(5))
            }
            link.cut(forGood: true)
            try pools.here.failures.release(point)
            try await awaitPhase("committed", pools.here)
            // Whoever waits for the other side is not waited for.
            await pools.here.killHard()
            try await pools.here.start()
        }

        private static func awaitPhase(_ phase: String, _ toolstack: RunningToolstack) async throws {
            try await reach("the move is \(phase)") {
                try await toolstack.text("VM.get_peer_moves").contains("\"phase\":\"\(phase)\"")
            }
        }

        /// `xe vm-peer-move-settle` of the only move; while the toolstack tries by itself it is asked again.
        private static func settle(_ toolstack: RunningToolstack, _ decision: String) async throws {
            func xe(_ words: [String]) throws -> Tool.Outcome {
                let port = toolstack.httpsURL.split(separator: ":").last.map(String.init) ?? ""
                return try Tool.run(
                    "xe", ["-s", "127.0.0.2", "-p", port, "-u", "root", "-pw", toolstack.password] + words)
            }
            let listed = try xe(["vm-peer-move-list"])
            let move = listed.output.split(separator: " ").first.map(String.init) ?? ""
            try await reach("the toolstack has stopped trying by itself") {
                let outcome = try xe(["vm-peer-move-settle", "move=\(move)", "decision=\(decision)"])
                if !outcome.succeeded, outcome.errors.contains("OTHER_OPERATION_IN_PROGRESS") { return false }
                #expect(outcome.succeeded, "\(decision): \(outcome.errors) \(listed.output)")
                return true
            }
        }
    }
}
