import APITypes
import BlockIO
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Machines that go to another pool with their snapshots.
    @Suite struct CrossPoolSnapshots {
        /// What each snapshot's disks hold, by the snapshot's name, oldest first, and the machine's own.
        private struct History {
            var snapshots: [(name: String, contents: [[UInt8]])] = []
            var contents: [[UInt8]]
            /// The snapshot that the machine follows on.
            var current = ""
        }

        /// In the order of their drives.
        private static func disks(of vm: String, _ toolstack: RunningToolstack) async throws -> [String] {
            let drives = try await toolstack.call("VM.get_VBDs", .string(vm)).items ?? []
            #expect(drives.count == 2)
            var disks = ["", ""]
            for drive in drives {
                let place = Int(try await toolstack.text("VBD.get_userdevice", drive)) ?? 0
                disks[place] = try await toolstack.text("VBD.get_VDI", drive)
            }
            return disks
        }

        /// The disk's content, as a client gets it.
        private static func content(of vdi: String, _ toolstack: RunningToolstack) async throws -> [UInt8] {
            let path = toolstack.folder.file("export-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(atPath: path) }
            _ = try await toolstack.session.download(
                from: "/export_raw_vdi", query: [("vdi", vdi), ("format", "raw")], to: path, onProgress: { _ in })
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }

        /// A snapshot, and then the disks are changed.
        private static func age(
            _ history: inout History, _ vm: String, _ toolstack: RunningToolstack, _ random: inout SeededRandom
        ) async throws {
            let name = "s\(history.snapshots.count)"
            _ = try await toolstack.text("VM.snapshot", .string(vm), .string(name), .array([]))
            history.snapshots.append((name, history.contents))
            history.current = name
            try await write(&history, 3, of: 70_000, to: try await disks(of: vm, toolstack), toolstack, &random)
        }

        private static func write(
            _ history: inout History, _ count: Int, of length: Int, to disks: [String], _ toolstack: RunningToolstack,
            _ random: inout SeededRandom
        ) async throws {
            for (place, disk) in disks.enumerated() {
                try await write(&history.contents[place], count, of: length, to: disk, toolstack, &random)
            }
        }

        /// Random pieces, and zeroes over what the disk may have held.
        private static func write(
            _ content: inout [UInt8], _ count: Int, of length: Int, to vdi: String, _ toolstack: RunningToolstack,
            _ random: inout SeededRandom
        ) async throws {
            let plugged = try await toolstack.plugHere(vdi)
            let writer = try DiskWriter(socket: plugged.socket, model: content)
            for _ in 0..<count {
                let piece = random.bytes(length)
                let offset = Int.random(in: 0...(content.count - piece.count), using: &random)
                // SAFETY: the array's own bytes, for the time of the call.
                try unsafe piece.withUnsafeBytes { try unsafe writer.client.write($0, at: UInt64(offset)) }
                Bytes.replace(&content, at: offset, with: piece)
            }
            // What a snapshot has and the disk has not any more.
            let offset = Int.random(in: 0...(content.count >> 16 - 8), using: &random) << 16
            try writer.client.writeZeroes(at: UInt64(offset), length: 4 << 16, mayUnmap: true)
            Bytes.replace(&content, at: offset, with: [UInt8](repeating: 0, count: 4 << 16))
            try writer.client.flush()
            try writer.client.close()
            try await toolstack.call("VBD.unplug", .string(plugged.vbd))
            try await toolstack.call("VBD.destroy", .string(plugged.vbd))
        }

        /// The machine with its snapshots is there as it was, and everything names what is there.
        private static func check(_ history: History, _ vm: String, _ toolstack: RunningToolstack) async throws {
            let vdis = try await disks(of: vm, toolstack)
            for (vdi, expected) in zip(vdis, history.contents) {
                #expect(Bytes.areEqual(try await content(of: vdi, toolstack), expected))
            }
            let snapshots = try await toolstack.call("VM.get_snapshots", .string(vm)).items?.compactMap(\.text) ?? []
            #expect(snapshots.count == history.snapshots.count)
            var byName: [String: String] = [:]
            for snapshot in snapshots {
                byName[try await toolstack.text("VM.get_name_label", .string(snapshot))] = snapshot
            }
            var parent = "OpaqueRef:NULL"
            for (name, expected) in history.snapshots {
                let snapshot = try #require(byName[name])
                #expect(try await toolstack.text("VM.get_parent", .string(snapshot)) == parent, "\(name)")
                parent = snapshot
                #expect(try await toolstack.text("VM.get_snapshot_metadata", .string(snapshot)).contains(vm), "\(name)")
                for (place, copy) in try await disks(of: snapshot, toolstack).enumerated() {
                    let record = try await toolstack.call("VDI.get_record", .string(copy))
                    #expect(record.member("is_a_snapshot") == .bool(true), "\(name)")
                    #expect(record.member("snapshot_of")?.text == vdis[place], "\(name)")
                    #expect(record.member("read_only") == .bool(true), "\(name)")
                    #expect(Bytes.areEqual(try await content(of: copy, toolstack), expected[place]), "\(name)")
                }
            }
            #expect(try await toolstack.text("VM.get_parent", .string(vm)) == byName[history.current])
        }

        private static func awaitNothing(_ toolstack: RunningToolstack, _ path: String) async throws {
            while true {
                let rows = try await toolstack.call("VDI.get_all").items
                if try rows == [] && RunningToolstack.images(path).isEmpty { return }
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        /// A machine with two disks in two formats and three snapshots, to formats that hold differences and back to one that does
        /// not: the tree is there, shares what it shared where it can, and can be reverted to. A toolstack that dies in the middle of
        /// the snapshots leaves nothing there.
        @Test func aMachineGoesToAnotherPoolWithItsSnapshotsAndComesBack() async throws {
            var random = SeededRandom.printed("cross-pool snapshots")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "vhd")
                let destination = try await pools.there.makeRepository("b", formats: "vhd")
                var (disks, history): ([String], History) = ([], History(contents: []))
                for format in ["vhd", "qcow2"] {
                    let disk = try await CrossPool.filled(
                        pools, in: source.ref, format: format, bytes: 8 << 20, &random)
                    disks.append(disk.vdi)
                    history.contents.append([UInt8](try Data(contentsOf: URL(fileURLWithPath: disk.model))))
                }
                let vm = try await CrossPool.machine(pools.here, disks)
                // So much that what is there twice is seen.
                try await Self.write(&history, 4, of: 1 << 20, to: disks, pools.here, &random)
                for _ in 0..<3 { try await Self.age(&history, vm, pools.here, &random) }
                try await Self.check(history, vm, pools.here)
                let before = try RunningToolstack.room(source.path)
                // Each to the other's format.
                let (places, formats) = (
                    disks.map { ($0, destination.ref) }, Array(zip(disks, ["qcow2", "vhd"]))
                )

                for point in GateShare.some(1, of: ["departure-snapshot", "arrival-cloned", "arrival-after-clone"]) {
                    let dying = point.hasPrefix("departure") ? pools.here : pools.there
                    await dying.stop()
                    try await dying.start(failurePoint: point)
                    _ = try? await pools.send(vm, disks: places, formats: formats)
                    await dying.awaitEnd()
                    try await dying.start()
                    try await Self.awaitNothing(pools.there, destination.path)
                }
                try await pools.awaitQuiet()
                try await Self.check(history, vm, pools.here)

                let moved = try await pools.send(vm, disks: places, formats: formats)
                try await pools.awaitQuiet()
                try await Self.check(history, moved, pools.there)
                #expect(try await TwoPools.machines(pools.here).isEmpty)
                #expect(try await pools.here.call("VDI.get_all").items == [])
                #expect(try RunningToolstack.images(source.path) == [])
                let after = try RunningToolstack.room(destination.path)
                // Fourteen images, each with tables of its own, which count for so small disks.
                #expect(after <= before * 105 / 100 + 14 << 19, "\(before) bytes became \(after)")
                // Of each disk itself and three snapshots, and three images that two stand on, as they come from.
                let images = try RunningToolstack.images(destination.path)
                let (qcow2, vhd) = (images.count { $0.hasSuffix(".qcow2") }, images.count { $0.hasSuffix(".vhd") })
                #expect(qcow2 == 7 && vhd == 7, "\(images)")
                for image in images where image.hasSuffix(".qcow2") {
                    try Tool.check("qemu-img", ["check", "-f", "qcow2", destination.path + "/" + image])
                }

                // It can be reverted to a snapshot, and goes back from there, where each disk stands alone.
                for snapshot in try await pools.there.call("VM.get_snapshots", .string(moved)).items ?? []
                where try await pools.there.text("VM.get_name_label", snapshot) == "s1" {
                    try await pools.there.call("VM.revert", snapshot)
                }
                (history.contents, history.current) = (history.snapshots[1].contents, "s1")
                try await Self.check(history, moved, pools.there)
                let vdis = try await Self.disks(of: moved, pools.there)
                let returned = try await pools.back.send(
                    moved, disks: vdis.map { ($0, source.ref) }, formats: vdis.map { ($0, "raw") })
                try await pools.awaitQuiet()
                try await Self.check(history, returned, pools.here)
                #expect(try RunningToolstack.images(source.path).count == 8)
                #expect(try RunningToolstack.images(destination.path) == [])
                for snapshot in try await pools.here.call("VM.get_snapshots", .string(returned)).items ?? [] {
                    #expect(
                        try await pools.here.call("VM.get_allowed_operations", .string(snapshot.text ?? "")).items?
                            .contains(.string("destroy")) == true)
                }
                await pools.here.stop()
                await pools.there.stop()
                #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
            }
        }

        /// Two disks, of which one is empty, and a snapshot: what was copied is all in the end, and no rate is passed on the way.
        @Test func snapshotsGoToAnotherPoolAtTheMovesRateAndAreCounted() async throws {
            var random = SeededRandom.printed("counted snapshots")
            try await TwoPools.run { pools in
                let source = try await pools.here.makeRepository("a", formats: "vhd")
                let destination = try await pools.there.makeRepository("b", formats: "qcow2")
                let full = try await CrossPool.filled(pools, in: source.ref, format: "vhd", bytes: 4 << 20, &random)
                let empty = try await pools.here.makeDisk(in: source.ref, bytes: 4 << 20, format: "vhd")
                let vm = try await CrossPool.machine(pools.here, [full.vdi, empty])
                _ = try await pools.here.text("VM.snapshot", .string(vm), .string("s"), .array([]))
                let task = try await pools.here.text(
                    "Async.VM.migrate_send", .string(vm), try await pools.token(), .bool(true),
                    TwoPools.map([(full.vdi, destination.ref), (empty, destination.ref)]), .members([]),
                    TwoPools.map([("bytes-per-second", "256KiB")]), .members([]), .members([]))
                func shown() async throws -> (phase: String, copied: Int, total: Int) {
                    let notes = try await pools.here.call("task.get_other_config", .string(task))
                    func number(_ key: String) -> Int { notes.member(key)?.text.flatMap { Int($0) } ?? 0 }
                    return (notes.member("phase")?.text ?? "", number("bytes_copied"), number("bytes_total"))
                }
                var first = try await shown()
                while first.copied == 0 {
                    try await Task.sleep(for: .milliseconds(5))
                    first = try await shown()
                }
                #expect(first.phase == "snapshots" && first.copied < first.total, "\(first)")
                try await Task.sleep(for: .seconds(1))
                let second = try await shown()
                #expect(second.phase == "snapshots" && second.copied - first.copied <= 2 << 20, "\(first) \(second)")
                try await pools.here.call(
                    "task.add_to_other_config", .string(task), .string("bytes-per-second"), .string("0"))
                let _: String = try await pools.here.session.waitForTask(task).value()
                let last = try await shown()
                #expect(last.phase == "done" && last.copied == last.total && last.total > 0, "\(last)")
                #expect(last.total >= first.total / 2)
            }
        }
    }
}
