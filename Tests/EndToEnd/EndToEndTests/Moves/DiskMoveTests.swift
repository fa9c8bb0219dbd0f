import APITypes
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct DiskMoves {
        static let directions = ["raw", "vhd", "qcow2"].flatMap { a in
            ["raw", "vhd", "qcow2"].filter { $0 != a }.map { [a, $0] }
        }

        /// Every direction between the three formats while an NBD client writes: no write fails, every byte is right after
        /// the move, qemu-img agrees, the source is gone and nothing else is left.
        @Test(arguments: directions)
        func aDiskThatIsBeingWrittenMoves(_ formats: [String]) async throws {
            var random = SeededRandom.printed("move \(formats[0]) to \(formats[1])")
            let seed = random.next()
            try await withToolstack { toolstack in
                let source = try await toolstack.makeRepository("a", formats: formats[0])
                let destination = try await toolstack.makeRepository("b", formats: formats[1])
                let vdi = try await toolstack.makeDisk(in: source.ref, bytes: 32 << 20, format: formats[0])
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 16 << 20, seed: seed)
                writer.start(seed: seed &+ 1)
                let before = writer.writes
                let moved = try await toolstack.move(
                    vdi, to: destination.ref, format: formats[1], bytesPerSecond: 16 << 20)
                #expect(writer.writes > before + 10, "the client wrote during the move")
                let failure = writer.stop()
                #expect(failure == nil)
                #expect(try writer.firstWrongByte() == nil)

                #expect(try await toolstack.text("VBD.get_VDI", .string(plugged.vbd)) == moved)
                let record = try await toolstack.call("VDI.get_record", .string(moved))
                #expect(record.member("sm_config")?.member("image-format")?.text == formats[1])
                #expect(record.member("SR")?.text == destination.ref)
                #expect(record.member("name_label")?.text == "disk")
                #expect(record.member("other_config")?.member("owner")?.text == "test")
                await #expect(throws: APIError("HANDLE_INVALID", "VDI", vdi)) {
                    try await toolstack.call("VDI.get_record", .string(vdi))
                }

                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let location = record.member("location")?.text ?? ""
                #expect(try RunningToolstack.images(source.path) == [])
                #expect(try RunningToolstack.images(destination.path) == [location])
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                let image = destination.path + "/" + location
                let format = formats[1] == "vhd" ? "vpc" : formats[1]
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", format, model, image])
                if format == "qcow2" { try Tool.check("qemu-img", ["check", "-f", "qcow2", image]) }
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// A full destination fails the move, not the guest: the disk stays where it is and nothing is left behind.
        @Test func aDestinationThatFillsUpFailsTheMoveOnly() async throws {
            var random = SeededRandom.printed()
            let seed = random.next()
            try await withToolstack { toolstack in
                let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 64)
                defer { loop.remove() }
                let source = try await toolstack.makeRepository("a", formats: "vhd")
                let destination = try await toolstack.makeRepository("b", formats: "qcow2", folder: loop.mountPoint)
                let vdi = try await toolstack.makeDisk(in: source.ref, bytes: 256 << 20, format: "vhd")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 30 << 20, seed: seed)
                let task = try await toolstack.startMove(
                    vdi, to: destination.ref, format: "qcow2", bytesPerSecond: 20 << 20)
                // There was room when the move was accepted; now there is not.
                try await toolstack.awaitPhase(of: task)
                try loop.fill(leaving: 8)
                writer.start(seed: seed &+ 1)
                let status = try await toolstack.session.waitForTask(task)
                #expect(status.status == "failure")
                #expect(status.errorInfo.first == "SR_BACKEND_FAILURE_44", "\(status.errorInfo)")
                #expect(status.errorInfo.joined().contains("No space left"), "\(status.errorInfo)")
                #expect(writer.stop() == nil)
                #expect(try writer.firstWrongByte() == nil)
                #expect(try await toolstack.text("VBD.get_VDI", .string(plugged.vbd)) == vdi)
                #expect(try RunningToolstack.images(destination.path).filter { $0 != SmallFileSystem.filler } == [])
                #expect(try RunningToolstack.images(source.path).count == 1)
                let operations = try await toolstack.call("VDI.get_current_operations", .string(vdi))
                #expect(operations.members?.isEmpty == true)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        @Test func whatCannotBeDoneIsRefusedBeforeAnythingIsMade() async throws {
            try await withToolstack { toolstack in
                let source = try await toolstack.makeRepository("a", formats: "vhd")
                let loop = try SmallFileSystem(in: toolstack.folder, megabytes: 16)
                defer { loop.remove() }
                let small = try await toolstack.makeRepository("b", formats: "qcow2", folder: loop.mountPoint)
                let vdi = try await toolstack.makeDisk(in: source.ref, bytes: 64 << 20, format: "raw")
                func failure(_ body: () async throws -> Void) async -> [String] {
                    do {
                        try await body()
                        return []
                    } catch let error as APIError {
                        return error.wire
                    } catch {
                        return ["\(error)"]
                    }
                }
                let unknown = await failure { _ = try await toolstack.move(vdi, to: small.ref, format: "vhdx") }
                #expect(unknown == ["VDI_INCOMPATIBLE_TYPE", vdi, "Expected one of 'raw', 'vhd', 'qcow2', got vhdx"])
                let noSuchSR = await failure { _ = try await toolstack.move(vdi, to: "OpaqueRef:none", format: "vhd") }
                #expect(noSuchSR == ["HANDLE_INVALID", "SR", "OpaqueRef:none"])
                let noSuchVDI = await failure {
                    _ = try await toolstack.move("OpaqueRef:none", to: small.ref, format: "vhd")
                }
                #expect(noSuchVDI == ["HANDLE_INVALID", "VDI", "OpaqueRef:none"])
                let arity = await failure { try await toolstack.call("VDI.pool_migrate", .string(vdi)) }
                #expect(arity == ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VDI.pool_migrate", "3", "1"])
                let tooLarge = await failure {
                    _ = try await toolstack.makeDisk(in: source.ref, bytes: 2041 << 30, format: "vhd")
                }
                #expect(
                    tooLarge.first == "SR_BACKEND_FAILURE_79" && tooLarge.joined().contains("2190433320960"),
                    "\(tooLarge)")

                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 32 << 20, seed: 1)
                let noRoom = await failure { _ = try await toolstack.move(vdi, to: small.ref, format: "qcow2") }
                #expect(noRoom.first == "SR_BACKEND_FAILURE_44", "\(noRoom)")
                #expect(try RunningToolstack.images(small.path) == [])
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
            }
        }

        /// A disk that nobody uses moves as well, and back.
        @Test func anIdleDiskMoves() async throws {
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "vhd,qcow2")
                let b = try await toolstack.makeRepository("b", formats: "qcow2,vhd")
                var vdi = try await toolstack.makeDisk(in: a.ref, bytes: 32 << 20, format: "")
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 8 << 20, seed: 7)
                try writer.client.close()
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                try await toolstack.call("VBD.destroy", .string(plugged.vbd))
                vdi = try await toolstack.move(vdi, to: b.ref, format: "")
                #expect(try RunningToolstack.images(b.path).first?.hasSuffix(".qcow2") == true)
                vdi = try await toolstack.move(vdi, to: b.ref, format: "raw")
                #expect(try RunningToolstack.images(b.path).first?.hasSuffix(".raw") == true)
                let model = toolstack.folder.file("model")
                try writer.saveModel(to: model)
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                try Tool.check("cmp", [model, b.path + "/" + location])
                try await toolstack.call("VDI.destroy", .string(vdi))
                #expect(try RunningToolstack.images(b.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
