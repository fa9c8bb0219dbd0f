import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct SparseMoves {
        /// A disk of 3 TiB with a few megabytes in it moves by what is in it: counted are the bytes that its data path reads
        /// and writes, those that the task tells of, and those that the new image takes. To VHD, which is too small for it,
        /// it is refused before a byte moves.
        @Test func aDiskOfTebibytesMovesByWhatIsInIt() async throws {
            var random = SeededRandom.printed()
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "qcow2")
                let b = try await toolstack.makeRepository("b", formats: "qcow2")
                let size: UInt64 = 3 << 40
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: size, format: "qcow2")
                let plugged = try await toolstack.plugHere(vdi)
                var places: Set<UInt64> = []
                while places.count < 64 { places.insert(UInt64.random(in: 0..<(size >> 16), using: &random) << 16) }
                let scattered = places.sorted()
                let commands = scattered.enumerated().flatMap { ["-c", "write -P \($0 % 250 + 1) \($1) 64k"] }
                let address = "nbd+unix:///disk?socket=\(plugged.socket)"
                try Tool.check("qemu-io", ["-f", "raw"] + commands + ["-c", "flush", address])

                do {
                    _ = try await toolstack.move(vdi, to: b.ref, format: "vhd")
                    Issue.record("a VHD of 3 TiB was made")
                } catch let error as APIError {
                    #expect(error.wire == ["VDI_TOO_LARGE", vdi, "2190433320960"])
                }
                #expect(try RunningToolstack.images(b.path) == [])

                let (before, source) = (try transferred(toolstack), try taken(a.path))
                let task = try await toolstack.startMove(vdi, to: b.ref, format: "qcow2")
                let end = try await toolstack.session.waitForTask(task)
                let moved = try end.value()
                let data = UInt64(scattered.count) << 16
                let spent = try transferred(toolstack) - before
                // Tables of both images are read and written; a bitmap of the whole has 6 MiB.
                #expect(spent < 4 * data + (32 << 20), "\(spent) bytes for \(data)")
                #expect(UInt64(end.otherConfig["bytes_copied"] ?? "") ?? 0 >= data)
                let copy = try taken(b.path)
                #expect(copy * 100 <= source * 105, "\(source) bytes became \(copy)")
                let image = b.path + "/" + (try await toolstack.text("VDI.get_location", .string(moved)))
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let reads = scattered.enumerated().flatMap { ["-c", "read -P \($0 % 250 + 1) \($1) 64k"] }
                let told = try Tool.check("qemu-io", ["-r", "-f", "qcow2"] + reads + [image])
                #expect(!told.contains("verification failed"), "\(told)")
                #expect(try RunningToolstack.images(a.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// Bytes that the disk's data path has read and written since it began.
        private func transferred(_ toolstack: RunningToolstack) throws -> UInt64 {
            let folder = toolstack.runDirectory + "/dp"
            let id = try FileManager.default.contentsOfDirectory(atPath: folder).first ?? ""
            let record = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(id)/record.json"))
            let pid = (try JSONSerialization.jsonObject(with: record) as? [String: Any])?["pid"] as? Int ?? 0
            let lines = try String(contentsOfFile: "/proc/\(pid)/io", encoding: .utf8).split(separator: "\n")
            return lines.filter { $0.hasPrefix("rchar:") || $0.hasPrefix("wchar:") }
                .compactMap { $0.split(separator: " ").last.flatMap { UInt64($0) } }.reduce(0, +)
        }

        /// What the files of the folder take.
        private func taken(_ path: String) throws -> UInt64 {
            try RunningToolstack.images(path).reduce(0) { sum, name in
                let told = try Tool.check("stat", ["-c", "%b", path + "/" + name])
                return sum + (UInt64(told.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) * 512
            }
        }
    }
}
