import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// An old image goes only when its new one was compared with it, unless somebody wants it otherwise.
    @Suite struct VerifiedMoveTests {
        private static let size = 4 << 20
        private static let place: UInt64 = 2 << 20

        /// One byte of an image in a raw SR becomes another one.
        private static func spoil(in folder: String) throws {
            let image = try #require(try RunningToolstack.images(folder).filter { $0.hasSuffix(".raw") }.first)
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder + "/" + image))
            defer { try? file.close() }
            try file.seek(toOffset: place)
            let byte = try #require(try file.read(upToCount: 1)?.first)
            try file.seek(toOffset: place)
            try file.write(contentsOf: Data([byte ^ 1]))
        }

        private static func awaitHeld(_ point: String, _ task: String, _ toolstack: RunningToolstack) async throws {
            try await reach("the move is at \(point)") {
                if try await toolstack.text("task.get_status", .string(task)) != "pending" {
                    throw RunningToolstack.Failure(description: "\(point): the move has ended")
                }
                return toolstack.failures.isHeld(at: point)
            }
        }

        private static func content(_ vdi: String, _ toolstack: RunningToolstack) async throws -> [UInt8] {
            let file = toolstack.folder.file("content")
            defer { try? FileManager.default.removeItem(atPath: file) }
            _ = try await toolstack.session.download(
                from: "/export_raw_vdi", query: [("vdi", vdi), ("format", "raw")], to: file, onProgress: { _ in })
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        }

        /// A byte that the destination does not hold is found although nobody asked, and nothing of the copy is left; with
        /// `verify=false`, or by the pool's word, nobody looks.
        @Test func aByteThatIsNotThereIsFoundUnlessNobodyIsToLook() async throws {
            var random = SeededRandom.printed("verified moves")
            let model = random.bytes(Self.size)
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "vhd")
                let b = try await toolstack.makeRepository("b", formats: "raw")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: UInt64(Self.size), format: "vhd")
                let file = toolstack.folder.file("model")
                try Data(model).write(to: URL(fileURLWithPath: file))
                let upload = try await toolstack.session.upload(
                    file: file, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in }
                )
                if let upload { _ = try await toolstack.session.waitForTask(upload) }
                let pool = try await toolstack.call("pool.get_all").items?.first?.text ?? ""

                func move(
                    _ disk: String, to sr: String, _ options: [String: String], isInterrupted: Bool = false
                ) async throws -> TaskStatus {
                    try toolstack.failures.set(.hold, at: "in-sync")
                    let task = try await toolstack.text(
                        "Async.VDI.pool_migrate", .string(disk), .string(sr),
                        .members(options.map { (name: $0.key, value: .string($0.value)) }))
                    try await Self.awaitHeld("in-sync", task, toolstack)
                    if sr == b.ref { try Self.spoil(in: b.path) }
                    func pause(_ isPaused: Bool) async throws {
                        _ = try? await toolstack.call(
                            "task.remove_from_other_config", .string(task), .string("paused"))
                        try await toolstack.call(
                            "task.add_to_other_config", .string(task), .string("paused"), .string("\(isPaused)"))
                    }
                    if isInterrupted {
                        // It is not over before it is cut off.
                        try await pause(true)
                        try toolstack.failures.set(.hold, at: "comparing")
                    }
                    try toolstack.failures.release("in-sync")
                    if isInterrupted {
                        try await Self.awaitHeld("comparing", task, toolstack)
                        try Tool.check("pkill", ["-KILL", "-f", "gantry-datapath serve.*\(toolstack.folder.path)"])
                        try await pause(false)
                        try toolstack.failures.release("comparing")
                    }
                    return try await toolstack.session.waitForTask(task)
                }

                let found = try await move(vdi, to: b.ref, [:])
                #expect(found.errorInfo == ["MIRROR_FAILED", vdi], "\(found.status) \(found.errorInfo)")
                #expect(found.otherConfig["mirror_error"]?.contains("(at byte \(Self.place))") == true)
                #expect(toolstack.logText.contains("(at byte \(Self.place))"))
                #expect(try RunningToolstack.images(b.path) == [])
                #expect(Bytes.areEqual(try await Self.content(vdi, toolstack), model))

                // Nor is a comparison that was cut off taken for one.
                let interrupted = try await move(vdi, to: b.ref, [:], isInterrupted: true)
                #expect(interrupted.errorInfo == ["MIRROR_FAILED", vdi], "\(interrupted.status)")
                #expect(Bytes.areEqual(try await Self.content(vdi, toolstack), model))

                // The call's word counts before the pool's.
                try await toolstack.call(
                    "pool.add_to_other_config", .string(pool), .string("verify-moves"), .string("false"))
                let wished = try await move(vdi, to: b.ref, ["verify": "true"])
                #expect(wished.errorInfo == ["MIRROR_FAILED", vdi], "\(wished.status) \(wished.errorInfo)")
                let unseen: String = try await move(vdi, to: b.ref, [:]).value()
                let back: String = try await move(unseen, to: a.ref, ["verify": "true"]).value()
                try await toolstack.call("pool.remove_from_other_config", .string(pool), .string("verify-moves"))
                let unwanted = try await move(back, to: b.ref, ["verify": "false"])
                let moved: String = try unwanted.value()
                #expect(unwanted.otherConfig["bytes_compared"] == nil)
                // It was spoilt twice.
                #expect(Bytes.areEqual(try await Self.content(moved, toolstack), model))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// The same between pools: the machine stays, and nothing is left of the disk that would have been its.
        @Test func aByteThatIsNotInTheOtherPoolKeepsTheMachineHere() async throws {
            var random = SeededRandom.printed("verified between pools")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "qcow2")
                let destination = try await pools.there.makeRepository("b", formats: "raw")
                let disk = try await CrossPool.filled(
                    pools, in: source.ref, format: "qcow2", bytes: UInt64(Self.size), &random)
                let vm = try await CrossPool.machine(pools.here, [disk.vdi])
                for options in [[:], ["verify": "false"]] {
                    try pools.here.failures.set(.hold, at: "departure-in-sync")
                    let task = try await pools.here.text(
                        "Async.VM.migrate_send", .string(vm), try await pools.token(), .bool(true),
                        TwoPools.map([(disk.vdi, destination.ref)]), .members([]),
                        TwoPools.map(options.map { ($0.key, $0.value) }), .members([]), .members([]))
                    try await Self.awaitHeld("departure-in-sync", task, pools.here)
                    try Self.spoil(in: destination.path)
                    try pools.here.failures.release("departure-in-sync")
                    let end = try await pools.here.session.waitForTask(task)
                    try await pools.awaitQuiet()
                    if options.isEmpty {
                        #expect(end.errorInfo == ["MIRROR_FAILED", disk.vdi], "\(end.status) \(end.errorInfo)")
                        #expect(try RunningToolstack.images(destination.path) == [])
                        let held = try await Self.content(disk.vdi, pools.here)
                        let model = [UInt8](try Data(contentsOf: URL(fileURLWithPath: disk.model)))
                        #expect(Bytes.areEqual(held, model))
                    } else {
                        #expect(end.status == "success", "\(end.errorInfo)")
                        #expect(try RunningToolstack.images(source.path) == [])
                        // Nobody looked: the spoilt byte is there.
                        let image = try #require(try RunningToolstack.images(destination.path).first)
                        let moved = try Data(contentsOf: URL(fileURLWithPath: destination.path + "/" + image))
                        var model = [UInt8](try Data(contentsOf: URL(fileURLWithPath: disk.model)))
                        model[Int(Self.place)] ^= 1
                        #expect(Bytes.areEqual([UInt8](moved.prefix(Self.size)), model))
                    }
                }
            }
        }
    }
}
