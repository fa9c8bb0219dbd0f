import APITypes
import BlockIO
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Disks of third-party storage drivers: the examples of the Python suite, which serve them with qemu-nbd or as files.
    @Suite struct Drivers {
        static let folder = SourceTree.url("Tests/Python/drivers").path

        /// The driver has nothing attached and no server running: files are all there is in the SR's folder.
        private func expectRest(_ path: String, _ images: [String]) async throws {
            while try FileManager.default.contentsOfDirectory(atPath: path).contains(where: { $0.hasSuffix(".pid") }) {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(try RunningToolstack.images(path) == images)
        }

        /// From an image of ours to a driver's NBD server, on to a driver's file, and back, while a client writes: no write
        /// fails and every byte is right after each move.
        @Test func aDiskThatIsBeingWrittenMovesThroughDrivers() async throws {
            var random = SeededRandom.printed()
            let seed = random.next()
            try await withToolstack(driverFolders: [Self.folder]) { toolstack in
                let ours = try await toolstack.makeRepository("a", formats: "qcow2")
                let served = try await toolstack.makeRepository("b", formats: "qcow2", type: "example")
                let plain = try await toolstack.makeRepository("c", formats: "", type: "plain")
                var vdi = try await toolstack.makeDisk(in: ours.ref, bytes: 16 << 20, format: "qcow2")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 6 << 20, seed: seed)
                writer.start(seed: seed &+ 1)
                for (sr, format) in [(served, "vhd"), (plain, ""), (ours, "vhd")] {
                    let before = writer.writes
                    let moved = try await toolstack.move(vdi, to: sr.ref, format: format, bytesPerSecond: 24 << 20)
                    while writer.writes < before + 10 { try await Task.sleep(for: .milliseconds(5)) }
                    let record = try await toolstack.call("VDI.get_record", .string(moved))
                    #expect(record.member("SR")?.text == sr.ref && record.member("managed") == .bool(true))
                    #expect(record.member("name_label")?.text == "disk")
                    #expect(record.member("other_config")?.member("owner")?.text == "test")
                    #expect(try await toolstack.text("VBD.get_VDI", .string(plugged.vbd)) == moved)
                    #expect(try await toolstack.call("VDI.get_all").items?.compactMap(\.text) == [moved])
                    vdi = moved
                }
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                try await expectRest(served.path, [])
                try await expectRest(plain.path, [])
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                try Tool.check(
                    "qemu-img", ["compare", "-f", "raw", "-F", "vpc", model, ours.path + "/" + location])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// From a driver's SR to drivers' SRs in another pool, and what is not drivers' to and from them: every byte is right, the rows
        /// are those of disks, and no driver has anything else.
        @Test func aMachineGoesFromDriverToDriverInAnotherPool() async throws {
            var random = SeededRandom.printed("drivers of two pools")
            try await TwoPools.run(driverFolders: [Self.folder]) { pools in
                let served = try await pools.here.makeRepository("a", formats: "qcow2", type: "example")
                let ours = try await pools.here.makeRepository("o", formats: "vhd")
                let there = try await pools.there.makeRepository("b", formats: "vhd", type: "example")
                let plain = try await pools.there.makeRepository("c", formats: "", type: "plain")
                let own = try await pools.there.makeRepository("d", formats: "qcow2")
                var disks: [(vdi: String, model: String)] = []
                for (sr, format) in [(served, "qcow2"), (ours, "vhd"), (served, "vhd")] {
                    disks.append(try await CrossPool.filled(pools, in: sr.ref, format: format, &random))
                }
                let vm = try await CrossPool.machine(pools.here, disks.map(\.vdi))
                let places = [(there, "vpc"), (plain, "raw"), (own, "qcow2")]
                let arrived = try await pools.send(
                    vm, disks: zip(disks, places).map { ($0.vdi, $1.0.ref) }, options: [("verify", "true")])
                try await pools.awaitQuiet()
                #expect(try await pools.here.call("VDI.get_all").items == [])
                try await expectRest(served.path, [])
                #expect(try RunningToolstack.images(ours.path) == [])
                for drive in try await pools.there.call("VM.get_VBDs", .string(arrived)).items ?? [] {
                    let place = Int(try await pools.there.text("VBD.get_userdevice", drive)) ?? -1
                    let vdi = try await pools.there.text("VBD.get_VDI", drive)
                    let record = try await pools.there.call("VDI.get_record", .string(vdi))
                    #expect(record.member("managed") == .bool(true) && record.member("name_label")?.text == "disk")
                    #expect(record.member("other_config")?.member("owner")?.text == "test")
                    let location = record.member("location")?.text ?? ""
                    try await expectRest(places[place].0.path, [location])
                    try Tool.check(
                        "qemu-img",
                        [
                            "compare", "-f", "raw", "-F", places[place].1, disks[place].model,
                            places[place].0.path + "/" + location,
                        ])
                }
                #expect(try await pools.there.call("VDI.get_all").items?.count == 3)
                await pools.here.stop()
                await pools.there.stop()
                #expect(try pools.here.leftovers() == [] && pools.there.leftovers() == [])
            }
        }

        /// kill -9 of the toolstack at the steps of a move from driver to driver that are not like those of our own: after
        /// the restart one disk is left, it is right, and the drivers have nothing else.
        @Test(arguments: ["after-createDestination", "after-commit"])
        func theToolstackDiesDuringAMoveBetweenDrivers(_ point: String) async throws {
            var random = SeededRandom.printed("killed \(point)")
            let seed = random.next()
            try await withToolstack(driverFolders: [Self.folder]) { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "qcow2", type: "example")
                let b = try await toolstack.makeRepository("b", formats: "vhd", type: "example")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 16 << 20, format: "qcow2")
                let plugged = try await toolstack.plugHere(vdi)
                await toolstack.stop()

                try await toolstack.start(failurePoint: point)
                let writer = try DiskWriter(socket: plugged.socket, filled: 6 << 20, seed: seed)
                writer.start(seed: seed &+ 1)
                _ = try? await toolstack.move(vdi, to: b.ref, format: "vhd")
                await toolstack.awaitEnd()
                try await toolstack.start()
                let now = try await settled(toolstack, vbd: plugged.vbd)
                let during = writer.writes
                while writer.writes < during + 20 { try await Task.sleep(for: .milliseconds(5)) }
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                #expect((now == vdi) == (point == "after-createDestination"))
                #expect(try await toolstack.call("VDI.get_all").items?.compactMap(\.text) == [now])
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let location = try await toolstack.text("VDI.get_location", .string(now))
                try await expectRest(a.path, now == vdi ? [location] : [])
                try await expectRest(b.path, now == vdi ? [] : [location])
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                let (path, format) = now == vdi ? (a.path, "qcow2") : (b.path, "vpc")
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", format, model, path + "/" + location])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// The VDI of a VBD once it is the only one and no operation is on it.
        private func settled(_ toolstack: RunningToolstack, vbd: String) async throws -> String {
            while true {
                let vdi = try await toolstack.text("VBD.get_VDI", .string(vbd))
                do {
                    let operations = try await toolstack.call("VDI.get_current_operations", .string(vdi))
                    let all = try await toolstack.call("VDI.get_all").items?.count
                    if operations.members?.isEmpty == true, all == 1 { return vdi }
                } catch let error as APIError where error.code == "HANDLE_INVALID" {}
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        /// kill -9 of the driver's server under a client: its data path ends with it, the driver serves the disk again, and
        /// a client that reconnects finds every flushed byte. What was not flushed is not lost in silence.
        @Test func aDriversServerThatDiesComesBack() async throws {
            try await withToolstack(driverFolders: [Self.folder]) { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "qcow2", type: "example")
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 16 << 20, format: "qcow2")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 6 << 20, seed: 4)
                try writer.client.flush()
                try Tool.check("pkill", ["-KILL", "-f", "qemu-nbd.*\(sr.path)"])
                // Nobody is told of an error: the connection ends.
                let error = #expect(throws: BlockError.self) { try writer.client.flush() }
                #expect(error?.code == .disconnected)
                var second: DiskReader?
                while second == nil {
                    try await Task.sleep(for: .milliseconds(50))
                    second = try? DiskReader(socket: plugged.socket)
                }
                #expect(try second?.firstDifference(from: writer.model) == nil)
                try second?.close()

                // An answered write that no flush covered: the next flush fails, once.
                let third = try NBDClient.connect(unixSocket: plugged.socket, exportName: "disk")
                try third.writeZeroes(at: 0, length: 65536, mayUnmap: false)
                try Tool.check("pkill", ["-KILL", "-f", "qemu-nbd.*\(sr.path)"])
                #expect(throws: BlockError.self) { try third.flush() }
                var fourth: NBDClient?
                while fourth == nil {
                    try await Task.sleep(for: .milliseconds(50))
                    fourth = try? NBDClient.connect(unixSocket: plugged.socket, exportName: "disk")
                }
                let told = #expect(throws: BlockError.self) { try fourth?.flush() }
                #expect(told?.code == .io)
                try fourth?.flush()
                try fourth?.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
