import APITypes
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Reclaiming {
        private func delay(_ toolstack: RunningToolstack, _ sr: String, seconds: Int) async throws {
            try await toolstack.call(
                "SR.set_other_config", .string(sr), .members([("coalesce-delay", .string(String(seconds)))]))
        }

        /// The rows of an SR's disks and hidden images, without those that are being worked on.
        private func rows(_ toolstack: RunningToolstack, _ sr: String) async throws -> Int {
            try await toolstack.call("SR.get_VDIs", .string(sr)).items?.count ?? 0
        }

        /// Waits until an SR holds so many images, and rows for them.
        private func settled(_ toolstack: RunningToolstack, _ sr: (ref: String, path: String), images: Int) async throws
        {
            while true {
                let found = try await rows(toolstack, sr.ref)
                if found == images, try RunningToolstack.images(sr.path).count == images { return }
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        /// Snapshots come and go under a client that writes and checks, and the chain below it becomes short again each time; at
        /// the end the disk is one image, right in every byte, and other programs find nothing wrong with it.
        /// `GANTRY_SOAK_ROUNDS` makes a long run of it.
        @Test(arguments: zip(["raw", "vhd", "qcow2"], [2, 2, 1]))
        func chainsAreShortenedUnderAWriter(_ format: String, _ rounds: Int) async throws {
            let soak = ProcessInfo.processInfo.environment["GANTRY_SOAK_ROUNDS"].flatMap { Int($0) }
            var random = SeededRandom.printed("reclaim \(format)")
            let seed = random.next()
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: format)
                try await delay(toolstack, sr.ref, seconds: 0)
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 24 << 20, format: format)
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 8 << 20, seed: seed)
                writer.start(seed: seed &+ 1)
                for round in 0..<(soak ?? rounds) {
                    var snapshots: [String] = []
                    for _ in 0...min(round, 6) {
                        snapshots.append(try await toolstack.text("VDI.snapshot", .string(vdi), .members([])))
                        let during = writer.writes
                        while writer.writes < during + 10 { try await Task.sleep(for: .milliseconds(5)) }
                    }
                    for snapshot in snapshots.shuffled(using: &random) {
                        try await toolstack.call("VDI.destroy", .string(snapshot))
                    }
                    // A client that never rests may keep its last image from being folded for as long as it writes.
                    let during = writer.writes
                    while writer.writes < during + 40 { try await Task.sleep(for: .milliseconds(5)) }
                    // Nor may rounds come faster than a chain of thirty images is shortened: the next could not begin.
                    while soak != nil, try RunningToolstack.images(sr.path).count > 4 {
                        try await Task.sleep(for: .milliseconds(50))
                    }
                }
                #expect(writer.stop() == nil)
                try await toolstack.call("SR.scan", .string(sr.ref))
                try await settled(toolstack, sr, images: 1)
                #expect(try writer.firstWrongByte() == nil)
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                #expect(location.hasSuffix("." + format))
                #expect(try RunningToolstack.images(sr.path) == [location])
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                let name = format == "vhd" ? "vpc" : format
                let path = sr.path + "/" + location
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", name, model, path])
                if format == "vhd" {
                    let read = try LibyalReader.read("vhdi", [path]).bytes
                    #expect(Bytes.areEqual(read, writer.model))
                }
                if format == "qcow2" { try Tool.check("qemu-img", ["check", "-f", name, path]) }
                // What the SR says of itself is right by now.
                let config = try await toolstack.call("VDI.get_sm_config", .string(vdi))
                #expect(config.member("vhd-parent") == nil)
                #expect(try await toolstack.text("SR.get_virtual_allocation", .string(sr.ref)) == String(24 << 20))
                try await toolstack.call("VDI.destroy", .string(vdi))
                #expect(try RunningToolstack.images(sr.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// kill -9 at each step: the client goes on after the restart, every byte is right, and the chain is shortened to its end.
        /// Until then the SR's delay keeps the chain as it is; that it is changed ends it.
        @Test(arguments: [
            ("reclaim-before-rows", "raw"), ("reclaim-part", "vhd"), ("reclaim-adopted", "qcow2"),
            ("reclaim-unlinked", "raw"),
        ])
        func theToolstackDiesWhileChainsAreShortened(_ point: String, _ format: String) async throws {
            var random = SeededRandom.printed("reclaim \(format), killed \(point)")
            let seed = random.next()
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: format)
                try await delay(toolstack, sr.ref, seconds: 86400)
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 16 << 20, format: format)
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 4 << 20, seed: seed)
                var snapshots: [String] = []
                for _ in 0..<2 {
                    writer.start(seed: random.next())
                    snapshots.append(try await toolstack.text("VDI.snapshot", .string(vdi), .members([])))
                    let during = writer.writes
                    while writer.writes < during + 5 { try await Task.sleep(for: .milliseconds(5)) }
                    #expect(writer.pause() == nil)
                }
                for snapshot in snapshots { try await toolstack.call("VDI.destroy", .string(snapshot)) }
                await toolstack.stop()
                try await toolstack.start(failurePoint: point)
                writer.start(seed: random.next())
                try? await delay(toolstack, sr.ref, seconds: 0)
                _ = try? await toolstack.call("SR.scan", .string(sr.ref))
                await toolstack.awaitEnd()
                try await toolstack.start()
                let during = writer.writes
                while writer.writes < during + 5 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(writer.stop() == nil)
                try await toolstack.call("SR.scan", .string(sr.ref))
                try await settled(toolstack, sr, images: 1)
                #expect(try writer.firstWrongByte() == nil)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                #expect(location.hasSuffix("." + format))
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                try Tool.check(
                    "qemu-img",
                    ["compare", "-f", "raw", "-F", format == "vhd" ? "vpc" : format, model, sr.path + "/" + location])
                try await toolstack.call("VDI.destroy", .string(vdi))
                #expect(try RunningToolstack.images(sr.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
