import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct MoveQueueTests {
        /// kill -9 of the toolstack while one move copies and two wait: after the restart all three go on under their tasks,
        /// the places in the line are the same, one of them is cancelled by its task, and the others end as they should.
        @Test func theLineOfMovesOutlivesTheToolstack() async throws {
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "raw")
                let b = try await toolstack.makeRepository("b", formats: "raw")
                try await toolstack.call(
                    "SR.add_to_other_config", .string(b.ref), .string("disk-moves"), .string("1"))
                var disks: [String] = []
                for _ in 0..<3 {
                    let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 1 << 20, format: "raw")
                    let path = a.path + "/" + (try await toolstack.text("VDI.get_location", .string(vdi)))
                    try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P \(disks.count + 1) 0 256k", path])
                    disks.append(vdi)
                }
                var tasks: [String] = []
                for (index, vdi) in disks.enumerated() {
                    let options = ["paused": index == 0 ? "true" : "false", "bytes-per-second": "1GiB"]
                    let task = try await toolstack.text(
                        "Async.VDI.pool_migrate", .string(vdi), .string(b.ref),
                        .members(options.map { (name: $0.key, value: .string($0.value)) }))
                    try await note("phase", of: task, is: index == 0 ? "copying" : "queued", toolstack)
                    tasks.append(task)
                }
                let uuid = try await toolstack.text("task.get_uuid", .string(tasks[2]))
                #expect(
                    try await toolstack.text("task.get_name_description", .string(tasks[2]))
                        == "queued, place 2 in the line")

                await toolstack.killHard()
                try await toolstack.start()
                for (task, place) in zip(tasks.dropFirst(), ["1", "2"]) {
                    try await note("queue_position", of: task, is: place, toolstack)
                    #expect(try await toolstack.text("task.get_name_label", .string(task)) == "Async.VDI.pool_migrate")
                }
                #expect(try await toolstack.text("task.get_uuid", .string(tasks[2])) == uuid)
                for vdi in disks {
                    let operations = try await toolstack.call("VDI.get_current_operations", .string(vdi))
                    #expect(operations.members?.map(\.value) == [.string("mirror")])
                }
                try await toolstack.call("task.cancel", .string(tasks[1]))
                let cancelled = try await toolstack.session.waitForTask(tasks[1])
                #expect(cancelled.status == "cancelled")
                try await note("queue_position", of: tasks[2], is: "1", toolstack)
                try await toolstack.call("task.remove_from_other_config", .string(tasks[0]), .string("paused"))
                let first: String = try await toolstack.session.waitForTask(tasks[0]).value()
                let third: String = try await toolstack.session.waitForTask(tasks[2]).value()

                let all = try await toolstack.call("VDI.get_all").items?.compactMap(\.text) ?? []
                #expect(Set(all) == [first, disks[1], third])
                for (vdi, place, pattern) in [(first, b, 1), (disks[1], a, 2), (third, b, 3)] {
                    let path = place.path + "/" + (try await toolstack.text("VDI.get_location", .string(vdi)))
                    let told = try Tool.check(
                        "qemu-io", ["-r", "-f", "raw", "-c", "read -P \(pattern) 0 256k", path])
                    #expect(!told.contains("verification failed"), "\(told)")
                }
                #expect(try RunningToolstack.images(a.path).count == 1 && RunningToolstack.images(b.path).count == 2)
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// The disks of a machine that wait together begin together, all or none, and the machine's call answers.
        @Test func aMachinesMoveThatWaitsOutlivesTheToolstack() async throws {
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "raw")
                let b = try await toolstack.makeRepository("b", formats: "qcow2")
                let host = try await toolstack.call("host.get_all").items?.first?.text ?? ""
                let vm = try await toolstack.text("VM.create", Machines.bare)
                var map: [(name: String, value: WireValue)] = []
                for position in ["0", "1"] {
                    let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 1 << 20, format: "raw")
                    _ = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: position)
                    map.append((name: vdi, value: .string(b.ref)))
                }
                try toolstack.failures.set(.kill, at: "planned")
                let none = WireValue.members([])
                let disks = map
                var task = ""
                try await toolstack.dies(at: "planned") {
                    task = try await toolstack.text(
                        "Async.VM.migrate_send", .string(vm), .members([("host", .string(host))]), .bool(true),
                        .members(disks), none, none)
                    _ = try await toolstack.session.waitForTask(task)
                }
                try toolstack.failures.clear()
                try await toolstack.start()
                let end = try await toolstack.session.waitForTask(task)
                #expect(try end.value() == vm, "\(end.errorInfo)")
                #expect(try await toolstack.call("VM.get_current_operations", .string(vm)) == none)
                #expect(try RunningToolstack.images(a.path).isEmpty && RunningToolstack.images(b.path).count == 2)
                #expect(try await toolstack.call("SR.get_VDIs", .string(a.ref)).items?.isEmpty == true)
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// Waits until the task's entry is that. A task that ends first is a failure.
        private func note(
            _ key: String, of task: String, is value: String, _ toolstack: RunningToolstack
        ) async throws {
            while try await toolstack.call("task.get_other_config", .string(task)).member(key)?.text != value {
                let status = try await toolstack.text("task.get_status", .string(task))
                if status != "pending" { throw RunningToolstack.Failure(description: "\(key): \(status)") }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
