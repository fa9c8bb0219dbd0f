import APITypes
import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct DeviceRepositories {
        /// A guest lives on an ext SR, is snapshotted, moves to an XFS SR and is snapshotted there, where blocks are shared;
        /// all it wrote is there, and nothing stays mounted or on the devices.
        @Test func aGuestLivesOnFileSystemsOnDevices() async throws {
            var random = SeededRandom.printed("a guest on ext and xfs")
            let files = try GuestFiles.make()
            let image = try ScratchFolder("fs")
            let raw = image.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 64 << 20, random: &random)
            try await withToolstack { toolstack in
                var devices: [String] = []
                defer {
                    for device in devices {
                        _ = try? Tool.run("umount", ["-l", device])
                        _ = try? Tool.run("losetup", ["--detach", device])
                    }
                }
                let host = try await toolstack.call("host.get_all").items?.first?.text ?? ""
                func make(_ type: String) async throws -> String {
                    let file = toolstack.folder.file(type)
                    try Tool.check("truncate", ["-s", "320M", file])
                    let device = try Tool.check("losetup", ["--find", "--show", file])
                        .trimmingCharacters(in: .whitespacesAndNewlines)
                    devices.append(device)
                    return try await toolstack.text(
                        "SR.create", .string(host), .members([("device", .string(device))]), .string("0"),
                        .string(type), .string(""), .string(type), .string("user"), .bool(false), .members([]))
                }
                let (ext, xfs) = (try await make("ext"), try await make("xfs"))
                let vdi = try await toolstack.makeDisk(in: ext, bytes: 64 << 20, format: "raw")
                try await toolstack.session.upload(
                    file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
                let vm = try await Machines.make(toolstack, files)
                let vbd = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                let console = try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
                _ = try await console.waitFor(writes: 10)
                _ = try await toolstack.text("VDI.snapshot", .string(vdi), .members([]))
                let moved = try await toolstack.move(vdi, to: xfs, format: "raw")
                let taken = try await toolstack.call("VDI.get_snapshots", .string(moved)).items?.compactMap(\.text)
                let first = try #require(taken?.first)
                #expect(taken?.count == 1)
                _ = try await console.waitFor(moreWrites: 5)
                let second = try await toolstack.text("VDI.snapshot", .string(moved), .members([]))
                #expect(try await toolstack.text("VDI.get_snapshot_of", .string(first)) == moved)
                // No chain: the snapshot shares its blocks with the disk.
                let rows = try await toolstack.call("SR.get_VDIs", .string(xfs)).items?.compactMap(\.text)
                #expect(Set(rows ?? []) == [moved, first, second])
                let location = try await toolstack.text("VDI.get_location", .string(second))
                let folder = toolstack.stateDirectory + "/sr-mount/"
                let place = try await folder + toolstack.text("SR.get_uuid", .string(xfs)) + "/" + location
                #expect(try Tool.check("filefrag", ["-v", place]).contains("shared"))
                _ = try await console.waitFor(moreWrites: 5)
                try await toolstack.call("VM.clean_shutdown", .string(vm))
                let final = try await console.waitForFinal()
                #expect(final.isClean && final.verified > 0, "\(final)")

                try await toolstack.call("VBD.destroy", .string(vbd))
                for disk in [first, second, moved] { try await toolstack.call("VDI.destroy", .string(disk)) }
                for sr in [ext, xfs] {
                    let pbd = try await toolstack.call("SR.get_PBDs", .string(sr)).items?.first?.text ?? ""
                    try await toolstack.call("PBD.unplug", .string(pbd))
                    try await toolstack.call("SR.destroy", .string(sr))
                }
                for device in devices { #expect(try Tool.run("blkid", ["-p", device]).status == 2) }
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
