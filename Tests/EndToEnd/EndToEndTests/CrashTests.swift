import APITypes
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Crashes {
        /// kill -9 of the toolstack before and after every step of a move, while a client writes: the client never notices,
        /// after the restart the move has been rolled forward or back, one image is left and it is right.
        @Test(arguments: [
            "before-createDestination", "after-createDestination", "after-startMirror", "after-awaitSynchronised",
            "after-preparePivot", "after-commit", "after-finishPivot", "after-destroySource",
        ])
        func theToolstackDiesDuringAMove(_ point: String) async throws {
            var random = SeededRandom.printed("killed \(point)")
            let seed = random.next()
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "vhd")
                let b = try await toolstack.makeRepository("b", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 48 << 20, format: "vhd")
                let plugged = try await toolstack.plugHere(vdi)
                await toolstack.stop()

                try await toolstack.start(failurePoint: point)
                let writer = try DiskWriter(socket: plugged.socket, filled: 16 << 20, seed: seed)
                writer.start(seed: seed &+ 1)
                _ = try? await toolstack.move(vdi, to: b.ref, format: "qcow2", bytesPerSecond: 32 << 20)
                await toolstack.awaitEnd()
                let during = writer.writes
                while writer.writes < during + 20 { try await Task.sleep(for: .milliseconds(5)) }

                try await toolstack.start()
                let now = try await settled(toolstack, vbd: plugged.vbd)
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                let left = try RunningToolstack.images(a.path) + RunningToolstack.images(b.path)
                let location = try await toolstack.text("VDI.get_location", .string(now))
                #expect(left == [location], "one authoritative image")
                #expect(now != vdi, "it begins again, goes on, or is done")
                let all = try await toolstack.call("VDI.get_all").items?.compactMap(\.text)
                #expect(all == [now])
                for sr in [a.ref, b.ref] {
                    let operations = try await toolstack.call("SR.get_current_operations", .string(sr))
                    #expect(operations.members?.isEmpty == true)
                }

                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                let path = (now == vdi ? a.path : b.path) + "/" + location
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", now == vdi ? "vpc" : "qcow2", model, path])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// The same for a disk that moves with its snapshots: wherever the disk is afterwards, they are, with their contents,
        /// and nothing is left at the other place.
        @Test(arguments: ["before-snapshot-1", "after-awaitSynchronised", "after-commit"])
        func theToolstackDiesWhileADiskMovesWithItsSnapshots(_ point: String) async throws {
            var random = SeededRandom.printed("killed \(point)")
            let seed = random.next()
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "vhd")
                let b = try await toolstack.makeRepository("b", formats: "qcow2")
                let raw = try await toolstack.makeRepository("raw", formats: "raw")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 32 << 20, format: "vhd")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 8 << 20, seed: seed)
                let model = toolstack.folder.file("then")
                try writer.saveModel(to: model)
                for _ in 0..<2 { try await toolstack.call("VDI.snapshot", .string(vdi), .members([])) }
                await toolstack.stop()

                try await toolstack.start(failurePoint: point)
                writer.start(seed: seed &+ 1)
                _ = try? await toolstack.move(vdi, to: b.ref, format: "qcow2", bytesPerSecond: 32 << 20)
                await toolstack.awaitEnd()
                try await toolstack.start()
                let now = try await settled(toolstack, vbd: plugged.vbd)
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                #expect(try RunningToolstack.images(now == vdi ? b.path : a.path) == [])
                #expect(now != vdi, "it begins again or goes on")
                let snapshots = try await toolstack.call("VDI.get_snapshots", .string(now)).items?.compactMap(\.text)
                #expect(snapshots?.count == 2)
                let null = WireValue.string("OpaqueRef:NULL")
                for snapshot in snapshots ?? [] {
                    let copy = try await toolstack.text(
                        "VDI.copy", .string(snapshot), .string(raw.ref), null, null)
                    let location = try await toolstack.text("VDI.get_location", .string(copy))
                    try Tool.check("cmp", [model, raw.path + "/" + location])
                    let operations = try await toolstack.call("VDI.get_current_operations", .string(snapshot))
                    #expect(operations.members?.isEmpty == true)
                }
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// The VDI of a VBD once no move of it is in progress.
        private func settled(_ toolstack: RunningToolstack, vbd: String) async throws -> String {
            while true {
                let vdi = try await toolstack.text("VBD.get_VDI", .string(vbd))
                do {
                    let operations = try await toolstack.call("VDI.get_current_operations", .string(vdi))
                    if operations.members?.isEmpty == true { return vdi }
                } catch let error as APIError where error.code == "HANDLE_INVALID" {}
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        /// kill -9 of a data path: the toolstack starts it again and the client that reconnects finds every flushed byte.
        @Test func aDataPathThatDiesComesBack() async throws {
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 32 << 20, format: "qcow2")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 8 << 20, seed: 3)
                try Tool.check("pkill", ["-KILL", "-f", "gantry-datapath serve.*\(toolstack.folder.path)"])
                var second: DiskReader?
                while second == nil {
                    try await Task.sleep(for: .milliseconds(50))
                    second = try? DiskReader(socket: plugged.socket)
                }
                #expect(try second?.firstDifference(from: writer.model) == nil)
                try second?.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
