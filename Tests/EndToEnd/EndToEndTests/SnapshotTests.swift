import APITypes
import Foundation
import GuestFixture
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Snapshots {
        /// A real guest keeps writing and checking while its disk is snapshotted and the chain is shortened below it; the
        /// snapshot is a file system that was cut off, no more.
        @Test(arguments: ["raw"])
        func aGuestNeverNoticesASnapshot(_ format: String) async throws {
            var random = SeededRandom.printed("snapshot of \(format)")
            let files = try GuestFiles.make()
            let image = try ScratchFolder("fs")
            let raw = image.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 64 << 20, random: &random)
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: format)
                try await toolstack.call(
                    "SR.add_to_other_config", .string(sr.ref), .string("coalesce-delay"), .string("0"))
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 64 << 20, format: format)
                try await toolstack.session.upload(
                    file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
                let vm = try await Machines.make(toolstack, files)
                _ = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                let console = try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
                _ = try await console.waitFor(writes: 10)
                let first = try await toolstack.text("VDI.snapshot", .string(vdi), .members([]))
                _ = try await console.waitFor(moreWrites: 5)
                let second = try await toolstack.text("VDI.snapshot", .string(vdi), .members([]))
                _ = try await console.waitFor(moreWrites: 5)
                try await toolstack.call("VDI.destroy", .string(first))
                // The disk, the second snapshot, and the base of both: the first snapshot's has gone into that.
                while try RunningToolstack.images(sr.path).count > 3 { try await Task.sleep(for: .milliseconds(50)) }
                _ = try await console.waitFor(moreWrites: 5)
                try await toolstack.call("VM.clean_shutdown", .string(vm))
                let final = try await console.waitForFinal()
                #expect(final.isClean && final.verified > 0, "\(final)")
                // The journal of the snapshot's file system is replayed as after a power cut; nothing else is wrong.
                let copy = image.file("snapshot.raw")
                _ = try await toolstack.session.download(
                    from: "/export_raw_vdi", query: [("vdi", second), ("format", "raw")], to: copy, onProgress: { _ in }
                )
                let check = try Tool.run("e2fsck", ["-fy", copy])
                #expect(check.status <= 1, "\(check.output)")
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// kill -9 of the toolstack while the disk is paused, and before the snapshot is recorded: the client goes on after
        /// the restart, every byte is right, and a scan agrees with the files.
        @Test(arguments: zip(["before-resume", "after-snapshot"], ["raw", "qcow2"]))
        func theToolstackDiesDuringASnapshot(_ point: String, _ format: String) async throws {
            var random = SeededRandom.printed("snapshot \(format), killed \(point)")
            let seed = random.next()
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: format)
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 16 << 20, format: format)
                let plugged = try await toolstack.plugHere(vdi)
                await toolstack.stop()
                try await toolstack.start(failurePoint: point)
                let writer = try DiskWriter(socket: plugged.socket, filled: 4 << 20, seed: seed)
                writer.start(seed: seed &+ 1)
                _ = try? await toolstack.text("VDI.snapshot", .string(vdi), .members([]))
                await toolstack.awaitEnd()
                try await toolstack.start()
                let during = writer.writes
                while writer.writes < during + 20 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                try await toolstack.call("SR.scan", .string(sr.ref))
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                let images = try RunningToolstack.images(sr.path)
                #expect(images.contains(location))
                let all = try await toolstack.call("VDI.get_all").items?.compactMap(\.text) ?? []
                #expect(all.count == images.count)
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let actual = location.hasSuffix(".raw") ? "raw" : "qcow2"
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", actual, model, sr.path + "/" + location])
                // Everything can be deleted, and nothing stays.
                var disks: [String] = []
                for disk in all where try await toolstack.call("VDI.get_managed", .string(disk)) == .bool(true) {
                    disks.append(disk)
                }
                for disk in disks { try await toolstack.call("VDI.destroy", .string(disk)) }
                #expect(try RunningToolstack.images(sr.path) == [])
                #expect(try await toolstack.call("VDI.get_all").items?.isEmpty == true)
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// The data path of a disk dies and is started on the chain; a disk with a snapshot moves, and it goes along.
        @Test func aDiskMovesWithItsSnapshotsAndASnapshotByItself() async throws {
            var random = SeededRandom.printed("a chain moves")
            let seed = random.next()
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "vhd")
                let b = try await toolstack.makeRepository("b", formats: "raw")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 16 << 20, format: "vhd")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 4 << 20, seed: seed)
                writer.start(seed: seed &+ 1)
                _ = try await toolstack.text("VDI.snapshot", .string(vdi), .members([]))
                let during = writer.writes
                while writer.writes < during + 10 { try await Task.sleep(for: .milliseconds(5)) }
                let moved = try await toolstack.move(vdi, to: b.ref, format: "raw")
                let snapshots = try await toolstack.call("VDI.get_snapshots", .string(moved)).items?.compactMap(\.text)
                let snapshot = try #require(snapshots?.first)
                #expect(try await toolstack.text("VDI.get_SR", .string(snapshot)) == b.ref)
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                // A snapshot can move by itself, too, and is still one.
                let second = try await toolstack.move(snapshot, to: b.ref, format: "qcow2")
                #expect(try await toolstack.call("VDI.get_is_a_snapshot", .string(second)) == .bool(true))
                #expect(try RunningToolstack.images(a.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
