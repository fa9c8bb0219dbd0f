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
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: Scattered.size, format: "qcow2")
                let plugged = try await toolstack.plugHere(vdi)
                let scattered = Scattered(&random)
                try scattered.write(to: plugged.socket)

                do {
                    _ = try await toolstack.move(vdi, to: b.ref, format: "vhd")
                    Issue.record("a VHD of 3 TiB was made")
                } catch let error as APIError {
                    #expect(error.wire == ["VDI_TOO_LARGE", vdi, "2190433320960"])
                }
                #expect(try RunningToolstack.images(b.path) == [])

                let (before, source) = (try transferred(toolstack), try RunningToolstack.room(a.path))
                let task = try await toolstack.startMove(vdi, to: b.ref, format: "qcow2")
                let end = try await toolstack.session.waitForTask(task)
                let moved = try end.value()
                let data = scattered.bytes
                let spent = try transferred(toolstack) - before
                // Tables of both images are read and written; a bitmap of the whole has 6 MiB.
                #expect(spent < 4 * data + (32 << 20), "\(spent) bytes for \(data)")
                #expect(UInt64(end.otherConfig["bytes_copied"] ?? "") ?? 0 >= data)
                let copy = try RunningToolstack.room(b.path)
                #expect(copy * 100 <= source * 105, "\(source) bytes became \(copy)")
                let image = b.path + "/" + (try await toolstack.text("VDI.get_location", .string(moved)))
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                try scattered.expect(in: image)
                #expect(try RunningToolstack.images(a.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// The same to another pool: what is sent is what is in it.
        @Test func aDiskOfTebibytesGoesToAnotherPoolByWhatIsInIt() async throws {
            var random = SeededRandom.printed()
            try await TwoPools.run { pools in
                let a = try await pools.here.makeRepository("a", formats: "qcow2")
                let b = try await pools.there.makeRepository("b", formats: "qcow2")
                let vdi = try await pools.here.makeDisk(in: a.ref, bytes: Scattered.size, format: "qcow2")
                let plugged = try await pools.here.plugHere(vdi)
                let scattered = Scattered(&random)
                try scattered.write(to: plugged.socket)
                try await pools.here.call("VBD.unplug", .string(plugged.vbd))
                try await pools.here.call("VBD.destroy", .string(plugged.vbd))
                let source = try RunningToolstack.room(a.path)
                let vm = try await CrossPool.machine(pools.here, [vdi])
                let link = try CuttableLink(to: Int(pools.port(pools.there)) ?? 0)
                defer { link.close() }
                let task = try await pools.here.text(
                    "Async.VM.migrate_send", .string(vm), try await pools.token(through: link), .bool(true),
                    TwoPools.map([(vdi, b.ref)]), .members([]), .members([]), .members([]), .members([]))
                _ = try (await pools.here.session.waitForTask(task)).value()
                try await pools.awaitQuiet()
                // All of it went to the address in the token, which is that of the network that was asked for.
                #expect(link.passed >= scattered.bytes)
                #expect(link.passed < 2 * scattered.bytes + (4 << 20), "\(link.passed) bytes for \(scattered.bytes)")
                let copy = try RunningToolstack.room(b.path)
                #expect(copy * 100 <= source * 105, "\(source) bytes became \(copy)")
                let image = try #require(try RunningToolstack.images(b.path).first)
                try scattered.expect(in: b.path + "/" + image)
                #expect(try RunningToolstack.images(a.path) == [])
            }
        }

        /// 64 pieces of 64 KiB anywhere on a disk of 3 TiB.
        private struct Scattered {
            static let size: UInt64 = 3 << 40
            private let places: [UInt64]

            init(_ random: inout SeededRandom) {
                var places: Set<UInt64> = []
                while places.count < 64 {
                    places.insert(UInt64.random(in: 0..<(Self.size >> 16), using: &random) << 16)
                }
                self.places = places.sorted()
            }

            var bytes: UInt64 { UInt64(places.count) << 16 }

            func write(to socket: String) throws {
                let commands = places.enumerated().flatMap { ["-c", "write -P \($0 % 250 + 1) \($1) 64k"] }
                let address = "nbd+unix:///disk?socket=\(socket)"
                try Tool.check("qemu-io", ["-f", "raw"] + commands + ["-c", "flush", address])
            }

            func expect(in image: String) throws {
                let reads = places.enumerated().flatMap { ["-c", "read -P \($0 % 250 + 1) \($1) 64k"] }
                let told = try Tool.check("qemu-io", ["-r", "-f", "qcow2"] + reads + [image])
                #expect(!told.contains("verification failed"), "\(told)")
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
    }
}
