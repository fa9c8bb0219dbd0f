import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct RepositoryCrashes {
        /// A loop device for the SR of a toolstack.
        private struct Device {
            let path: String

            init(in folder: ScratchFolder) throws {
                try Tool.check("truncate", ["-s", "48M", folder.file("device")])
                path = try Tool.check("losetup", ["--find", "--show", folder.file("device")])
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            }

            /// Nothing is on it that anybody knows.
            var isBlank: Bool { (try? Tool.run("blkid", ["-p", path]).status) == 2 }

            func remove(_ toolstack: RunningToolstack) {
                if let mounts = try? Self.mounts(toolstack) {
                    for mount in mounts { _ = try? Tool.run("umount", ["-l", mount]) }
                }
                _ = try? Tool.run("losetup", ["--detach", path])
            }

            static func mounts(_ toolstack: RunningToolstack) throws -> [String] {
                try Tool.check("findmnt", ["--noheadings", "--raw", "--output", "TARGET"]).split(separator: "\n")
                    .map(String.init).filter { $0.hasPrefix(toolstack.folder.path) }
            }
        }

        private func create(_ toolstack: RunningToolstack, _ device: Device) async throws -> String {
            let host = try await toolstack.call("host.get_all").items?.first?.text ?? ""
            return try await toolstack.text(
                "SR.create", .string(host), .members([("device", .string(device.path))]), .string("0"),
                .string("ext"), .string(""), .string("ext"), .string("user"), .bool(false), .members([]))
        }

        private func all(_ toolstack: RunningToolstack, _ name: String) async throws -> [String] {
            try await toolstack.call("\(name).get_all").items?.compactMap(\.text) ?? []
        }

        /// kill -9 at each step of SR.create: afterwards there is the SR, with its file system, or nothing of it.
        @Test(arguments: [
            ("sr-before-create", false), ("sr-after-create", false), ("sr-after-rows", true),
            ("pbd-after-attach", true), ("pbd-after-plug", true),
        ])
        func theToolstackDiesWhileARepositoryIsMade(_ point: String, _ stays: Bool) async throws {
            try await withToolstack { toolstack in
                let device = try Device(in: toolstack.folder)
                defer { device.remove(toolstack) }
                await toolstack.stop()
                try await toolstack.start(failurePoint: point)
                _ = try? await create(toolstack, device)
                await toolstack.awaitEnd()

                try await toolstack.start()
                let found = try await all(toolstack, "SR")
                #expect(found.count == (stays ? 1 : 0))
                let sr: String
                if let first = found.first {
                    sr = first
                    let pbd = try await all(toolstack, "PBD").first ?? ""
                    let isPlugged = try await toolstack.call("PBD.get_currently_attached", .string(pbd)) == .bool(true)
                    #expect(isPlugged == (point == "pbd-after-plug"))
                    #expect(try Device.mounts(toolstack).count == (isPlugged ? 1 : 0))
                    try await toolstack.call("PBD.plug", .string(pbd))
                } else {
                    #expect(device.isBlank)
                    #expect(try Device.mounts(toolstack) == [])
                    sr = try await create(toolstack, device)
                }
                let vdi = try await toolstack.makeDisk(in: sr, bytes: 4 << 20, format: "qcow2")
                try await toolstack.call("VDI.destroy", .string(vdi))
                let pbd = try await all(toolstack, "PBD").first ?? ""
                try await toolstack.call("PBD.unplug", .string(pbd))
                try await toolstack.call("SR.destroy", .string(sr))
                #expect(device.isBlank)
                #expect(try Device.mounts(toolstack) == [])
            }
        }

        /// The same for PBD.unplug and SR.destroy, with a disk in the SR until it is to be destroyed.
        @Test(arguments: ["pbd-before-detach", "pbd-after-detach", "sr-after-destroy"])
        func theToolstackDiesWhileARepositoryIsTakenAway(_ point: String) async throws {
            try await withToolstack { toolstack in
                let device = try Device(in: toolstack.folder)
                defer { device.remove(toolstack) }
                let sr = try await create(toolstack, device)
                let pbd = try await all(toolstack, "PBD").first ?? ""
                let vdi = try await toolstack.makeDisk(in: sr, bytes: 4 << 20, format: "vhd")
                let uuid = try await toolstack.text("VDI.get_uuid", .string(vdi))
                if point == "sr-after-destroy" { try await toolstack.call("VDI.destroy", .string(vdi)) }
                await toolstack.stop()
                try await toolstack.start(failurePoint: point)
                _ = try? await toolstack.call("PBD.unplug", .string(pbd))
                if point == "sr-after-destroy" { _ = try? await toolstack.call("SR.destroy", .string(sr)) }
                await toolstack.awaitEnd()

                try await toolstack.start()
                #expect(try Device.mounts(toolstack) == [])
                #expect(try await all(toolstack, "SR") == [sr])
                if point != "sr-after-destroy" {
                    try await toolstack.call("PBD.plug", .string(pbd))
                    let found = try await toolstack.text("VDI.get_by_uuid", .string(uuid))
                    try await toolstack.call("VDI.destroy", .string(found))
                    try await toolstack.call("PBD.unplug", .string(pbd))
                }
                try await toolstack.call("SR.destroy", .string(sr))
                #expect(device.isBlank)
                #expect(try await all(toolstack, "SR") == [])
            }
        }
    }
}
