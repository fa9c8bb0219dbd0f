import APITypes
import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// A machine that runs with several disks.
    @Suite struct TwoDiskMoves {
        private static let size: UInt64 = 4 << 20
        private static let names = ["one", "two", "three"]

        /// The machine's disks, by the places of their drives.
        private static func disks(of vm: String, _ toolstack: RunningToolstack) async throws -> [String] {
            var found: [(place: String, vdi: String)] = []
            for drive in try await toolstack.call("VM.get_VBDs", .string(vm)).items ?? [] {
                let record = try await toolstack.call("VBD.get_record", drive)
                found.append((record.member("userdevice")?.text ?? "", record.member("VDI")?.text ?? ""))
            }
            return found.sorted { $0.place < $1.place }.map(\.vdi)
        }

        /// What the disks of each of the machine's snapshots hold, by its name.
        private static func snapshots(of vm: String, _ toolstack: RunningToolstack) async throws -> [String: [[UInt8]]]
        {
            var found: [String: [[UInt8]]] = [:]
            let file = toolstack.folder.file("content")
            for snapshot in try await toolstack.call("VM.get_snapshots", .string(vm)).items?.compactMap(\.text) ?? [] {
                var contents: [[UInt8]] = []
                for vdi in try await disks(of: snapshot, toolstack) {
                    _ = try await toolstack.session.download(
                        from: "/export_raw_vdi", query: [("vdi", vdi), ("format", "raw")], to: file,
                        onProgress: { _ in })
                    contents.append([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
                    try FileManager.default.removeItem(atPath: file)
                }
                found[try await toolstack.text("VM.get_name_label", .string(snapshot))] = contents
            }
            return found
        }

        private static func expectSame(_ now: [String: [[UInt8]]], _ before: [String: [[UInt8]]], _ what: String) {
            #expect(Set(now.keys) == Set(names), "\(what)")
            for name in names {
                let (now, before) = (now[name] ?? [], before[name] ?? [])
                #expect(now.count == 2 && before.count == 2, "\(what): \(name)")
                for (one, other) in zip(now, before) { #expect(Bytes.areEqual(one, other), "\(what): \(name)") }
            }
        }

        /// Begins the move of both disks, and returns when one of them is held at the first point and the other at the second, which is
        /// behind it: they move at once. Then lets them go and waits. Returns the task's result.
        private static func move(
            _ vm: String, to sr: String, _ formats: [String], _ token: WireValue, holding points: [String],
            _ toolstack: RunningToolstack
        ) async throws -> String {
            let disks = try await disks(of: vm, toolstack)
            for point in points { try toolstack.failures.set(.hold, at: point) }
            let task = try await toolstack.text(
                "Async.VM.migrate_send", .string(vm), token, .bool(true), TwoPools.map(disks.map { ($0, sr) }),
                .members([]), .members([]), .members([]), TwoPools.map(Array(zip(disks, formats))))
            try await reach("one disk is at \(points[0]) while the other is at \(points[1])") {
                let error = try await toolstack.call("task.get_error_info", .string(task))
                try #require(try await toolstack.text("task.get_status", .string(task)) == "pending", "\(error)")
                return points.allSatisfy { toolstack.failures.isHeld(at: $0) }
            }
            for point in points { try toolstack.failures.release(point) }
            return try await toolstack.session.waitForTask(task).value()
        }

        private static func expectFormats(_ formats: [String], of vm: String, _ toolstack: RunningToolstack)
            async throws
        {
            for (vdi, format) in zip(try await disks(of: vm, toolstack), formats) {
                let config = try await toolstack.call("VDI.get_sm_config", .string(vdi))
                #expect(config.member("image-format")?.text == format)
                #expect(try await toolstack.call("VDI.get_snapshots", .string(vdi)).items?.count == names.count)
            }
        }

        /// A guest writes the same to two disks of two formats, which have three snapshots each. Both go to another repository at once,
        /// to other formats, and then at once to another pool, with the guest. It finds on both all that it wrote, and each
        /// snapshot is what it was.
        @Test func bothDisksOfAGuestMoveAtOnceWithTheirSnapshots() async throws {
            try await TwoPools.run { pools in
                let (here, there) = (pools.here, pools.there)
                let a = try await here.makeRepository("a", formats: "")
                let b = try await here.makeRepository("b", formats: "")
                let c = try await there.makeRepository("c", formats: "")
                let vm = try await Machines.make(here, try GuestFiles.make(), memory: 128 << 20)
                let work = GuestFiles.arguments(.raw, twin: "vdb", slots: 16)
                try await here.call("VM.set_PV_args", .string(vm), .string(work))
                for (place, format) in ["vhd", "qcow2"].enumerated() {
                    let vdi = try await here.makeDisk(in: a.ref, bytes: Self.size, format: format)
                    _ = try await here.makeVBD(vm: vm, vdi: vdi, position: String(place))
                }
                try await here.call("VM.start", .string(vm), .bool(false), .bool(false))
                let uuid = try await here.text("VM.get_uuid", .string(vm))
                var console = try ConsoleReader(path: "\(here.runDirectory)/guests/\(uuid)/console.sock")
                for name in Self.names {
                    _ = try await console.waitFor(moreWrites: 2)
                    _ = try await here.text("VM.snapshot", .string(vm), .string(name), .array([]))
                }
                let before = try await Self.snapshots(of: vm, here)

                // One has not begun when the other is in sync.
                let moved = try await Self.move(
                    vm, to: b.ref, ["qcow2", "vhd"], try await pools.back.token(),
                    holding: ["snapshots-copied", "in-sync"], here)
                #expect(moved == vm)
                try await pools.awaitQuiet()
                #expect(try RunningToolstack.images(a.path) == [])
                try await Self.expectFormats(["qcow2", "vhd"], of: vm, here)
                Self.expectSame(try await Self.snapshots(of: vm, here), before, "within the pool")
                _ = try await console.waitFor(moreWrites: 2)

                // One is in sync and not compared when the other is being compared.
                let arrived = try await Self.move(
                    vm, to: c.ref, ["raw", "qcow2"], try await pools.token(),
                    holding: ["departure-in-sync", "departure-comparing"], here)
                try await pools.awaitQuiet()
                #expect(try RunningToolstack.images(b.path) == [])
                #expect(try await here.call("VDI.get_all").items == [])
                try await Self.expectFormats(["raw", "qcow2"], of: arrived, there)
                Self.expectSame(try await Self.snapshots(of: arrived, there), before, "in the other pool")
                console = try ConsoleReader(path: "\(there.runDirectory)/guests/\(uuid)/console.sock")
                _ = try await console.waitFor(moreWrites: 2)
                try await there.call("VM.clean_shutdown", .string(arrived))
                let final = try await console.waitForFinal()
                #expect(final.isClean && final.verified > 0, "\(final)")
                await here.stop()
                await there.stop()
                #expect(try here.leftovers() == [] && there.leftovers() == [])
            }
        }
    }
}
