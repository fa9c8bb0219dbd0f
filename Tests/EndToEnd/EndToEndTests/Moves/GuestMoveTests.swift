import APITypes
import Foundation
import GuestFixture
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct GuestMoves {
        /// Every direction, each once, in one way round from a VHD: to which format each move goes; nothing: the disk keeps
        /// its own.
        static let round = [
            "vhd", "", "qcow2", "qcow2", "", "vhd", "raw", "raw", "", "qcow2", "raw", "vhd",
        ]

        /// The format in which the disk is before each of these moves, and after the last.
        static let formats = round.reduce(into: ["vhd"]) { formats, word in
            formats.append(word.isEmpty ? formats[formats.count - 1] : word)
        }

        /// A real guest on a real file system keeps writing and checking while its disk moves in every direction, by
        /// `xe vdi-pool-migrate` and `xe vm-migrate`; the guest itself says whether anything was wrong. Nor does it notice that
        /// the toolstack and the program that serves its disk are upgraded. Then the disk of the halted machine goes the same
        /// ways. A run does a part of the round, `GANTRY_LONG=1` all of it.
        @Test func aGuestNeverNoticesThatItsDiskMoved() async throws {
            var random = SeededRandom.printed()
            let starts = GateShare.some(1, of: Array(Self.round.indices), "guests' moves")
            let isWhole = starts.count > 1
            let (first, length) = (isWhole ? 0 : starts[0], isWhole ? Self.round.count : 3)
            let files = try GuestFiles.make()
            let image = try ScratchFolder("fs")
            let raw = image.file("fs.raw")
            try GuestDiskImage.make(at: raw, bytes: 96 << 20, random: &random)
            try await withToolstack { toolstack in
                var places = [
                    try await toolstack.makeRepository("a", formats: ""),
                    try await toolstack.makeRepository("b", formats: ""),
                ]
                let vdi = try await toolstack.makeDisk(
                    in: places[0].ref, bytes: 96 << 20, format: Self.formats[first])
                try await toolstack.session.upload(
                    file: raw, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")], onProgress: { _, _ in })
                let vm = try await Machines.make(toolstack, files)
                let vbd = try await toolstack.makeVBD(vm: vm, vdi: vdi, position: "0")
                try await toolstack.call("VM.start", .string(vm), .bool(false), .bool(false))
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                let console = try ConsoleReader(path: "\(toolstack.runDirectory)/guests/\(uuid)/console.sock")
                _ = try await console.waitFor(writes: 10)

                for step in first..<(first + length) {
                    try await move(vbd, of: vm, at: step, from: places[0], to: places[1], toolstack)
                    places.reverse()
                    #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Running")
                    _ = try await console.waitFor(moreWrites: 3)
                }
                // The daemon dies and comes back, with another program of data paths: the guest goes on, and is still ours to
                // shut down.
                await toolstack.killHard()
                _ = try await console.waitFor(moreWrites: 5)
                try await upgrade(toolstack)
                #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Running")
                _ = try await console.waitFor(moreWrites: 5)
                try await toolstack.call("VM.clean_shutdown", .string(vm))
                let final = try await console.waitForFinal()
                #expect(final.isClean, "\(final)")
                #expect(final.writes > 20 && final.verified > 0, "\(final)")
                print(
                    "the guest's writes, with their flushes: "
                        + (console.lines.last { $0.hasPrefix("GANTRY STALLS") } ?? "not told"),
                    "longest \(final.longestStallMilliseconds) ms")
                #expect(try await toolstack.text("VM.get_power_state", .string(vm)) == "Halted")

                for step in (first + length)..<(first + length + max(length, 3)) {
                    let before = try RunningToolstack.room(places[0].path)
                    try await move(vbd, of: vm, at: step, from: places[0], to: places[1], toolstack)
                    places.reverse()
                    let after = try RunningToolstack.room(places[0].path)
                    // Images have tables of their own, which count for a disk of a few megabytes.
                    let most = before * 105 / 100 + 1 << 20
                    #expect(after <= most, "\(Self.word(step)): \(before) bytes became \(after)")
                }
                let last = try RunningToolstack.images(places[0].path)[0]
                let kind = last.hasSuffix("vhd") ? "vpc" : last.hasSuffix("raw") ? "raw" : "qcow2"
                let content = image.file("final.raw")
                if kind == "qcow2" { try Tool.check("qemu-img", ["check", "-f", kind, places[0].path + "/" + last]) }
                try Tool.check(
                    "qemu-img", ["convert", "-f", kind, "-O", "raw", places[0].path + "/" + last, content])
                try Tool.check("e2fsck", ["-fn", content])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// Starts the daemon from another folder, as after an upgrade, and returns when the guest's disk is served by the program there.
        private func upgrade(_ toolstack: RunningToolstack) async throws {
            let folder = toolstack.folder.file("programs")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for name in ["gantryd", "gantry-datapath"] {
                try FileManager.default.copyItem(atPath: try Tool.find(name), toPath: folder + "/" + name)
            }
            let earlier = try toolstack.processes("gantry-datapath")
            #expect(earlier.count == 1)
            toolstack.programs = folder
            try await toolstack.start()
            try await reach("the next program serves the guest's disk") {
                let now = try toolstack.processes("gantry-datapath")
                return now.count == 1 && now != earlier
            }
            for pid in try toolstack.processes("gantry-datapath") {
                let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
                #expect(program == folder + "/gantry-datapath")
            }
        }

        static func word(_ step: Int) -> String { round[step % round.count] }

        /// In which format the disk is then.
        static func format(after step: Int) -> String { formats[step % round.count + 1] }

        /// One move of the round, by one command or the other; afterwards the disk is there, as it is to be, and nothing else.
        private func move(
            _ vbd: String, of vm: String, at step: Int, from source: (ref: String, path: String),
            to destination: (ref: String, path: String), _ toolstack: RunningToolstack
        ) async throws {
            let before = try await toolstack.text("VBD.get_VDI", .string(vbd))
            let word = Self.word(step)
            let (vdi, sr) = (
                try await toolstack.text("VDI.get_uuid", .string(before)),
                try await toolstack.text("SR.get_uuid", .string(destination.ref))
            )
            var words: [String]
            if step % 2 == 0 {
                words = ["vdi-pool-migrate", "uuid=\(vdi)", "sr-uuid=\(sr)"]
                if !word.isEmpty { words.append("dest-img-format=\(word)") }
            } else {
                let uuid = try await toolstack.text("VM.get_uuid", .string(vm))
                words = ["vm-migrate", "uuid=\(uuid)", "vdi:\(vdi)=\(sr)", "live=true"]
                if !word.isEmpty { words.append("image-format:\(vdi)=\(word)") }
            }
            let port = toolstack.httpsURL.split(separator: ":").last.map(String.init) ?? ""
            let told = try Tool.check(
                "xe", ["-s", "127.0.0.2", "-p", port, "-u", "root", "-pw", toolstack.password] + words)
            let after = try await toolstack.text("VBD.get_VDI", .string(vbd))
            #expect(after != before)
            if step % 2 == 0 {
                let uuid = try await toolstack.text("VDI.get_uuid", .string(after))
                #expect(told.trimmingCharacters(in: .whitespacesAndNewlines) == uuid)
            }
            let location = try await toolstack.text("VDI.get_location", .string(after))
            #expect(location.hasSuffix("." + Self.format(after: step)), "\(word): \(location)")
            #expect(try RunningToolstack.images(source.path) == [])
            #expect(try RunningToolstack.images(destination.path) == [location])
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
                try await toolstack.awaitPhase(of: full)
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
