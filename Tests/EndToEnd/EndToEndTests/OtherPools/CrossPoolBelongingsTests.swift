import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// What a machine has besides its disks, on its way to another pool.
    @Suite struct CrossPoolBelongings {
        /// Of no machine that ran: an archive of numbers without any, whose newest point is number `point`.
        private static func archive(_ point: Int64) -> Data {
            func word(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
            let body = word(UInt64(point)) + word(0) + word(0)
            let sum = body.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            return Data(Array("GMETRIC1".utf8) + word(sum) + body)
        }

        private static func put(
            _ name: String, _ content: [UInt8], to vm: String, _ toolstack: RunningToolstack
        ) async throws {
            let blob = try await toolstack.text(
                "VM.create_new_blob", .string(vm), .string(name), .string("text/plain"), .bool(false))
            if content.isEmpty { return }
            let file = toolstack.folder.file("put")
            try Data(content).write(to: URL(fileURLWithPath: file))
            _ = try await toolstack.session.upload(
                file: file, to: "/blob", query: [("ref", blob)], onProgress: { _, _ in })
        }

        private static func get(
            _ path: String, _ query: [(name: String, value: String)], _ toolstack: RunningToolstack
        ) async throws -> [UInt8] {
            let file = toolstack.folder.file("get-\(UUID().uuidString)")
            _ = try await toolstack.session.download(from: path, query: query, to: file, onProgress: { _ in })
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        }

        /// By their names, what the blobs of a machine hold.
        private static func blobs(_ vm: String, _ toolstack: RunningToolstack) async throws -> [String: [UInt8]] {
            var found: [String: [UInt8]] = [:]
            for blob in try await toolstack.call("VM.get_blobs", .string(vm)).members ?? [] {
                found[blob.name] = try await get("/blob", [("ref", blob.value.text ?? "")], toolstack)
            }
            return found
        }

        /// Name, time and text of the messages about machines, by their uuids.
        private static func messages(_ toolstack: RunningToolstack) async throws -> [String: [WireValue?]] {
            let all = try await toolstack.call("message.get_all_records").members ?? []
            let own = all.map(\.value).filter { $0.member("cls")?.text == "VM" }
            return Dictionary(
                own.map { record in
                    (
                        record.member("uuid")?.text ?? "",
                        ["name", "timestamp", "body", "obj_uuid", "priority"].map { record.member($0) }
                    )
                }
            ) { first, _ in first }
        }

        /// Blobs of a machine and of its snapshot, messages about both and its numbers go along, once, also where the toolstack
        /// that it leaves dies when they are there and nothing of it has gone yet. A blob that cannot be sent stays, and a message says so.
        @Test func whatAMachineHasBesidesItsDisksGoesAlong() async throws {
            var random = SeededRandom.printed("belongings")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "raw")
                let destination = try await pools.there.makeRepository("b", formats: "raw")
                let vdi = try await pools.here.makeDisk(in: source.ref, bytes: 1 << 20, format: "raw")
                let vm = try await CrossPool.machine(pools.here, [vdi])
                let snapshot = try await pools.here.text("VM.snapshot", .string(vm), .string("s"), .array([]))
                let uuid = try await pools.here.text("VM.get_uuid", .string(vm))
                let own = ["notes": random.bytes(3_000_000), "empty": []]
                let older = ["picture": random.bytes(10)]
                for (name, content) in own { try await Self.put(name, content, to: vm, pools.here) }
                for (name, content) in older { try await Self.put(name, content, to: snapshot, pools.here) }
                for machine in [vm, snapshot] {
                    let about = try await pools.here.text("VM.get_uuid", .string(machine))
                    _ = try await pools.here.text(
                        "message.create", .string("ALARM"), .string("3"), .string("VM"), .string(about),
                        .string("<of \(about)>"))
                }
                let told = try await Self.messages(pools.here)
                #expect(told.count >= 2)
                let point = Int64(Date().timeIntervalSince1970) / 5 - 1000
                try Self.archive(point).write(
                    to: URL(fileURLWithPath: pools.here.stateDirectory + "/metrics/vm-\(uuid)"))

                await pools.here.stop()
                try await pools.here.start(failurePoint: "departure-belongings-sent")
                _ = try? await pools.send(vm, disks: [(vdi, destination.ref)])
                await pools.here.awaitEnd()
                try await pools.here.start()
                try await pools.awaitNoMoves()
                try await pools.awaitQuiet()
                let moved = try await pools.there.text("VM.get_by_uuid", .string(uuid))
                let copies = try await pools.there.call("VM.get_snapshots", .string(moved)).items ?? []
                let copy = try #require(copies.first?.text)
                #expect(try await Self.blobs(moved, pools.there) == own)
                #expect(try await Self.blobs(copy, pools.there) == older)
                #expect(try await pools.there.call("blob.get_all").items?.count == 3)
                #expect(try await Self.messages(pools.there) == told)
                let numbers = String(
                    decoding: try await Self.get("/vm_rrd", [("uuid", uuid)], pools.there), as: UTF8.self)
                #expect(numbers.contains("\(point * 5)"), "\(numbers)")
                #expect(try await TwoPools.machines(pools.here).isEmpty)
                #expect(try await pools.here.call("blob.get_all").items == [])
                #expect(try await Self.messages(pools.here).isEmpty)
                let left = try FileManager.default.contentsOfDirectory(atPath: pools.here.stateDirectory + "/blobs")
                #expect(left == [])

                // The session that the move has there is over when the machine is.
                let back = pools.back
                let token = try await back.token()
                let disk = try await pools.there.call("VDI.get_all_records").members?.first {
                    $0.value.member("is_a_snapshot") != .bool(true)
                }
                try pools.there.failures.set(.hold, at: "departure-after-run")
                let task = try await pools.there.text(
                    "Async.VM.migrate_send", .string(moved), token, .bool(true),
                    TwoPools.map([(disk?.name ?? "", source.ref)]), .members([]), .members([]))
                try await reach("the machine is there", atMost: .seconds(120)) {
                    pools.there.failures.isHeld(at: "departure-after-run")
                }
                try await pools.here.session.endSession(token.member("session_id")?.text ?? "")
                try pools.there.failures.release("departure-after-run")
                let returned = try await pools.there.session.waitForTask(task).value()
                try await pools.awaitQuiet()
                #expect(try await Self.blobs(returned, pools.here).isEmpty)
                #expect(try await Self.messages(pools.here).count == told.count)
                #expect(try await TwoPools.machines(pools.there).isEmpty)
                var kept: [[UInt8]] = []
                for blob in try await pools.there.call("blob.get_all").items ?? [] {
                    kept.append(try await Self.get("/blob", [("ref", blob.text ?? "")], pools.there))
                }
                #expect(Set(kept) == Set(own.values).union(older.values))
                let said = try await pools.there.call("message.get_all_records").members ?? []
                let alarm = said.map(\.value).first { $0.member("name")?.text == "VM_BLOBS_NOT_MIGRATED" }
                #expect(alarm?.member("body")?.text?.contains("notes") == true && alarm?.member("cls")?.text == "Host")
            }
        }
    }
}
