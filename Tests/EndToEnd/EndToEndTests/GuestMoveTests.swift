import APITypes
import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct GuestMoves {
        /// A real guest on a real file system keeps writing and checking while its disk moves; the guest itself says
        /// whether anything was wrong.
        @Test(arguments: GateShare.some(1, of: [["vhd", "qcow2"], ["qcow2", "raw"]], "guests' moves"))
        func aGuestNeverNoticesThatItsDiskMoved(_ formats: [String]) async throws {
            var random = SeededRandom.printed("guest \(formats[0]) to \(formats[1])")
            let files = try GuestFiles.make()
            let image = try ScratchFolder("fs")
            let raw = image.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 96 << 20, random: &random)
            try await withToolstack { toolstack in
                let source = try await toolstack.makeRepository("a", formats: formats[0])
                let destination = try await toolstack.makeRepository("b", formats: formats[1])
                let vdi = try await toolstack.makeDisk(in: source.ref, bytes: 96 << 20, format: formats[0])
                try await toolstack.session.upload(
                    file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
                let vm = try await Machines.make(toolstack, files)
                let vbd = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                let console = try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
                _ = try await console.waitFor(writes: 10)

                let first = try await toolstack.move(
                    vdi, to: destination.ref, format: formats[1], bytesPerSecond: 32 << 20)
                #expect(try await toolstack.text("VBD.get_VDI", .string(vbd)) == first)
                _ = try await console.waitFor(moreWrites: 20)
                let moved = try await itsMachineMovesItThereAndBack(
                    toolstack, vm: vm, vbd: vbd, through: source, to: destination, formats: formats)
                _ = try await console.waitFor(moreWrites: 5)

                // The daemon dies and comes back: the guest goes on, and is still ours to shut down.
                await toolstack.killHard()
                _ = try await console.waitFor(moreWrites: 5)
                try await toolstack.start()
                #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Running")
                _ = try await console.waitFor(moreWrites: 5)

                try await toolstack.call("VM.clean_shutdown", .string(vm))
                let final = try await console.waitForFinal()
                #expect(final.isClean, "\(final)")
                #expect(final.writes > 35 && final.verified > 0, "\(final)")
                #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Halted")

                let location = try await toolstack.text("VDI.get_location", .string(moved))
                #expect(try RunningToolstack.images(source.path) == [])
                #expect(try RunningToolstack.images(destination.path) == [location])
                try await itsDiskMovesWhileItIsHalted(toolstack, vbd: vbd, to: source, format: formats[0])
                try await itsDiskMovesWhileItIsHalted(toolstack, vbd: vbd, to: destination, format: formats[1])
                let now = try RunningToolstack.images(destination.path)[0]
                if formats[1] == "qcow2" {
                    try Tool.check("qemu-img", ["check", "-f", "qcow2", destination.path + "/" + now])
                    let content = image.file("final.raw")
                    try Tool.check(
                        "qemu-img",
                        ["convert", "-f", "qcow2", "-O", "raw", destination.path + "/" + now, content])
                    try Tool.check("e2fsck", ["-fn", content])
                } else {
                    try Tool.check("e2fsck", ["-fn", destination.path + "/" + now])
                }
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// `VM.migrate_send` to this host, and `xe vm-migrate`, while the guest runs.
        private func itsMachineMovesItThereAndBack(
            _ toolstack: RunningToolstack, vm: String, vbd: String, through sr: (ref: String, path: String),
            to destination: (ref: String, path: String), formats: [String]
        ) async throws -> String {
            let host = try await toolstack.call("host.get_all").items?.first?.text ?? ""
            let before = try await toolstack.text("VBD.get_VDI", .string(vbd))
            let none = WireValue.members([])
            let answer = try await toolstack.text(
                "VM.migrate_send", .string(vm), .members([("host", .string(host))]), .bool(true),
                .members([(before, .string(sr.ref))]), none, none, none, .members([(before, .string(formats[0]))]))
            #expect(answer == vm)
            let there = try await toolstack.text("VBD.get_VDI", .string(vbd))
            #expect(try await toolstack.text("VDI.get_SR", .string(there)) == sr.ref)
            let uuids = (
                vm: try await toolstack.text("VM.get_uuid", .string(vm)),
                vdi: try await toolstack.text("VDI.get_uuid", .string(there)),
                sr: try await toolstack.text("SR.get_uuid", .string(destination.ref)),
                host: try await toolstack.text("host.get_uuid", .string(host))
            )
            let port = toolstack.httpsURL.split(separator: ":").last.map(String.init) ?? ""
            try Tool.check(
                "xe",
                [
                    "-s", "127.0.0.2", "-p", port, "-u", "root", "-pw", toolstack.password, "vm-migrate",
                    "uuid=\(uuids.vm)", "vdi:\(uuids.vdi)=\(uuids.sr)", "image-format:\(uuids.vdi)=\(formats[1])",
                    "host=\(uuids.host)", "live=true",
                ])
            let back = try await toolstack.text("VBD.get_VDI", .string(vbd))
            let location = try await toolstack.text("VDI.get_location", .string(back))
            #expect(location.hasSuffix("." + formats[1]))
            #expect(try RunningToolstack.images(sr.path) == [])
            #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Running")
            return back
        }

        private func itsDiskMovesWhileItIsHalted(
            _ toolstack: RunningToolstack, vbd: String, to sr: (ref: String, path: String), format: String
        ) async throws {
            let before = try await toolstack.text("VBD.get_VDI", .string(vbd))
            let after = try await toolstack.move(before, to: sr.ref, format: format)
            #expect(try await toolstack.text("VBD.get_VDI", .string(vbd)) == after)
            let location = try await toolstack.text("VDI.get_location", .string(after))
            #expect(try RunningToolstack.images(sr.path) == [location])
        }

        /// The toolstack is killed in the middle of the copy, then the destination of a second move fills up: the guest
        /// notices neither.
        @Test func aGuestGoesOnThroughKillsAndFullDestinations() async throws {
            var random = SeededRandom.printed()
            let files = try GuestFiles.make()
            let image = try ScratchFolder("fs")
            let raw = image.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 96 << 20, files: 60, largest: 900_000, random: &random)
            try await withToolstack { toolstack in
                let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 72)
                defer { loop.remove() }
                let source = try await toolstack.makeRepository("a", formats: "vhd")
                let small = try await toolstack.makeRepository("s", formats: "qcow2", folder: loop.mountPoint)
                let destination = try await toolstack.makeRepository("b", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: source.ref, bytes: 96 << 20, format: "vhd")
                try await toolstack.session.upload(
                    file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
                let vm = try await Machines.make(toolstack, files)
                let vbd = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                let console = try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
                _ = try await console.waitFor(writes: 10)

                let full = try await toolstack.startMove(vdi, to: small.ref, format: "qcow2", bytesPerSecond: 8 << 20)
                try loop.fill(leaving: 4)
                let status = try await toolstack.session.waitForTask(full)
                #expect(status.errorInfo.first == "SR_BACKEND_FAILURE_44", "\(status.errorInfo)")
                #expect(try await toolstack.text("VBD.get_VDI", .string(vbd)) == vdi)
                #expect(try RunningToolstack.images(small.path).filter { $0 != SmallFileSystem.filler } == [])

                _ = try await toolstack.startMove(vdi, to: destination.ref, format: "qcow2", bytesPerSecond: 8 << 20)
                _ = try await console.waitFor(moreWrites: 10)
                await toolstack.killHard()
                _ = try await console.waitFor(moreWrites: 10)
                try await toolstack.start()
                // The mirror went on without the toolstack; it is taken up and finished.
                while try await toolstack.text("VBD.get_VDI", .string(vbd)) == vdi {
                    try await Task.sleep(for: .milliseconds(100))
                }
                _ = try await console.waitFor(moreWrites: 10)
                try await toolstack.call("VM.clean_shutdown", .string(vm))
                let final = try await console.waitForFinal()
                #expect(final.isClean, "\(final)")
                let moved = try await toolstack.text("VBD.get_VDI", .string(vbd))
                let location = try await toolstack.text("VDI.get_location", .string(moved))
                #expect(try RunningToolstack.images(source.path) == [])
                #expect(try RunningToolstack.images(destination.path) == [location])
                try Tool.check("qemu-img", ["check", "-f", "qcow2", destination.path + "/" + location])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
