import APITypes
import Foundation
import NBDTransport
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    @Suite struct Storage {
        static let formats = ["raw", "vhd", "qcow2"]

        /// Images made by qemu-img go in through PUT /import_raw_vdi in each format, into disks of each format; what
        /// GET /export_raw_vdi gives back in each format is the same content to qemu-img.
        @Test(arguments: formats)
        func imagesGoInAndComeOutInEveryFormat(_ stored: String) async throws {
            var random = SeededRandom.printed("disk of format \(stored)")
            let size: UInt64 = 24 << 20
            var content = [UInt8](repeating: 0, count: Int(size))
            for _ in 0..<20 {
                let piece = random.bytes(Int.random(in: 1...200_000, using: &random))
                let offset = Int.random(in: 0...(content.count - piece.count), using: &random)
                content.replaceSubrange(offset..<offset + piece.count, with: piece)
            }
            try await withToolstack { toolstack in
                let model = toolstack.folder.file("model.raw")
                try Data(content).write(to: URL(fileURLWithPath: model))
                let sr = try await toolstack.makeRepository("a", formats: stored)
                for format in Self.formats {
                    let upload = toolstack.folder.file("upload.\(format)")
                    let options = format == "vhd" ? ["-o", "force_size"] : []
                    try Tool.check(
                        "qemu-img", ["convert", "-f", "raw", "-O", Self.qemu(format)] + options + [model, upload])
                    let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: size, format: stored)
                    let task = try await toolstack.session.upload(
                        file: upload, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", format)],
                        onProgress: { _, _ in })
                    let status = try await toolstack.session.waitForTask(try #require(task))
                    #expect(status.status == "success", "\(status.errorInfo)")
                    let location = try await toolstack.text("VDI.get_location", .string(vdi))
                    try Tool.check(
                        "qemu-img", ["compare", "-f", "raw", "-F", Self.qemu(stored), model, sr.path + "/" + location])
                    for wanted in Self.formats {
                        let download = toolstack.folder.file("download.\(wanted)")
                        try await toolstack.session.download(
                            from: "/export_raw_vdi",
                            query: [("vdi", vdi), ("format", wanted), ("session_id", toolstack.session.ref)],
                            to: download, onProgress: { _ in })
                        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", Self.qemu(wanted), model, download])
                        try FileManager.default.removeItem(atPath: download)
                    }
                    try await toolstack.call("VDI.destroy", .string(vdi))
                }
                #expect(try RunningToolstack.images(sr.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// Uploads that must not be taken: too large, not of the declared format. What names another file does not get at it.
        @Test func badUploadsFailAndChangeNothing() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 4 << 20, format: "qcow2")
                let raw = toolstack.folder.file("big.raw")
                try Tool.check("truncate", ["-s", "8M", raw])
                let backed = toolstack.folder.file("backed.qcow2")
                try Tool.check(
                    "qemu-img", ["create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", backed, "4M"])
                for (file, format) in [(raw, "raw"), (raw, "vhd"), (raw, "qcow2")] {
                    let task = try await toolstack.call("task.create", .string("upload"), .string("")).text ?? ""
                    do {
                        _ = try await toolstack.session.upload(
                            file: file, to: "/import_raw_vdi",
                            query: [("vdi", vdi), ("format", format), ("task_id", task)], onProgress: { _, _ in })
                    } catch is ConnectionError {
                        // The server need not wait for the rest of what it refuses: then only the task says why.
                    }
                    let status = try await toolstack.session.waitForTask(task)
                    #expect(status.status == "failure", "\(file) as \(format)")
                    let operations = try await toolstack.call("VDI.get_current_operations", .string(vdi))
                    #expect(operations.members?.isEmpty == true)
                }
                // One that names another file is an increment: that file is not read, and what it says nothing about stays.
                _ = try await toolstack.session.upload(
                    file: backed, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "qcow2")],
                    onProgress: { _, _ in })
                while try await toolstack.call("VDI.get_current_operations", .string(vdi)).members?.isEmpty == false {}
                for image in try RunningToolstack.images(sr.path) {
                    let read = try Tool.check(
                        "qemu-io", ["-r", "-f", "qcow2", "-c", "read -P 0 0 4M", sr.path + "/" + image])
                    #expect(!read.contains("verification failed"))
                }
                try await toolstack.call("VDI.destroy", .string(vdi))
                #expect(try RunningToolstack.images(sr.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        @Test(arguments: formats)
        func disksGrowAndKeepTheirContent(_ format: String) async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: format)
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 4 << 20, format: format)
                let model = toolstack.folder.file("model")
                try Data(repeating: 0x5A, count: 4 << 20).write(to: URL(fileURLWithPath: model))
                try await toolstack.session.upload(
                    file: model, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")],
                    onProgress: { _, _ in })
                while try await toolstack.call("VDI.get_current_operations", .string(vdi)).members?.isEmpty == false {}
                try await toolstack.call("VDI.resize", .string(vdi), .string(String(10 << 20)))
                #expect(try await toolstack.text("VDI.get_virtual_size", .string(vdi)) == String(10 << 20))
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                let image = sr.path + "/" + location
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", Self.qemu(format), model, image])
                let info = try Tool.check("qemu-img", ["info", "-f", Self.qemu(format), "--output=json", image])
                #expect(info.contains("\"virtual-size\": \(10 << 20)"))
                await #expect(throws: APIError.self) {
                    try await toolstack.call("VDI.resize", .string(vdi), .string(String(4 << 20)))
                }
                #expect(try RunningToolstack.images(sr.path) == [location])
            }
        }

        /// An SR is forgotten and introduced again: its disks come back; it is destroyed only when empty and unplugged.
        @Test func repositoriesComeAndGo() async throws {
            try await withToolstack { toolstack in
                func refused(_ method: String, _ ref: String) async -> String {
                    do {
                        try await toolstack.call(method, .string(ref))
                        return "accepted"
                    } catch {
                        return (error as? APIError)?.code ?? "\(error)"
                    }
                }
                let sr = try await toolstack.makeRepository("a", formats: "vhd")
                let uuid = try await toolstack.text("SR.get_uuid", .string(sr.ref))
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 4 << 20, format: "vhd")
                let vdiUUID = try await toolstack.text("VDI.get_uuid", .string(vdi))
                #expect(await refused("SR.forget", sr.ref) == "SR_HAS_PBD")
                #expect(await refused("SR.destroy", sr.ref) == "SR_HAS_PBD")
                let pbd = try await toolstack.call("SR.get_PBDs", .string(sr.ref)).items?.first?.text ?? ""
                let plugged = try await toolstack.plugHere(vdi)
                #expect(await refused("PBD.unplug", pbd) == "VDI_IN_USE")
                #expect(await refused("VDI.destroy", vdi) == "VDI_IN_USE")
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                try await toolstack.call("PBD.unplug", .string(pbd))
                #expect(await refused("SR.destroy", sr.ref) == "SR_NOT_EMPTY")
                #expect(await refused("SR.scan", sr.ref) == "SR_NOT_ATTACHED")
                try await toolstack.call("SR.forget", .string(sr.ref))
                #expect(await refused("VDI.get_record", vdi) == "HANDLE_INVALID")

                let again = try await toolstack.text(
                    "SR.introduce", .string(uuid), .string("again"), .string(""), .string("file"), .string("user"),
                    .bool(false), .members([]))
                let host = try await toolstack.call("host.get_all").items?.first?.text ?? ""
                let newPBD = try await toolstack.text(
                    "PBD.create",
                    .members([
                        ("host", .string(host)), ("SR", .string(again)),
                        ("device_config", .members([("location", .string(sr.path))])), ("other_config", .members([])),
                    ]))
                try await toolstack.call("PBD.plug", .string(newPBD))
                let found = try await toolstack.text("VDI.get_by_uuid", .string(vdiUUID))
                #expect(try await toolstack.text("VDI.get_SR", .string(found)) == again)
                try await toolstack.call("VDI.destroy", .string(found))
                try await toolstack.call("PBD.unplug", .string(newPBD))
                try await toolstack.call("SR.destroy", .string(again))
                #expect(try FileManager.default.contentsOfDirectory(atPath: sr.path) == [])
            }
        }

        private static func refused(_ toolstack: RunningToolstack, _ method: String, _ ref: String) async -> [String] {
            do {
                try await toolstack.call(method, .string(ref))
                return ["accepted"]
            } catch {
                return (error as? APIError)?.wire ?? ["\(error)"]
            }
        }

        /// While a disk is plugged nothing takes it, its VBD or its repository away; its VBD says what can be done.
        @Test func whatIsPluggedStays() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 4 << 20, format: "qcow2")
                let pbd = try await toolstack.call("SR.get_PBDs", .string(sr.ref)).items?.first?.text ?? ""
                let plugged = try await toolstack.plugHere(vdi)
                func operations() async throws -> [String] {
                    try await toolstack.call("VBD.get_allowed_operations", .string(plugged.vbd)).items?.compactMap(
                        \.text) ?? []
                }
                #expect(try await operations() == ["attach", "unplug", "unplug_force"])
                #expect(await Self.refused(toolstack, "VDI.destroy", vdi) == ["VDI_IN_USE", vdi, "destroy"])
                #expect(await Self.refused(toolstack, "VDI.forget", vdi) == ["VDI_IN_USE", vdi, "forget"])
                #expect(
                    await Self.refused(toolstack, "VBD.destroy", plugged.vbd) == [
                        "DEVICE_ALREADY_ATTACHED", plugged.vbd,
                    ])
                #expect(
                    await Self.refused(toolstack, "VBD.plug", plugged.vbd) == ["DEVICE_ALREADY_ATTACHED", plugged.vbd])
                #expect(await Self.refused(toolstack, "PBD.unplug", pbd) == ["VDI_IN_USE", vdi, "PBD.unplug"])
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                #expect(try await operations() == ["attach", "plug"])
                #expect(
                    await Self.refused(toolstack, "VBD.unplug", plugged.vbd) == [
                        "DEVICE_ALREADY_DETACHED", plugged.vbd,
                    ])
                try await toolstack.call("VBD.destroy", .string(plugged.vbd))
                try await toolstack.call("VDI.destroy", .string(vdi))
                try await toolstack.call("PBD.unplug", .string(pbd))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// Neither side of a move is unplugged, forgotten or destroyed under it; a scan leaves both as they are.
        @Test func aMoveKeepsItsRepositories() async throws {
            try await withToolstack { toolstack in
                let a = try await toolstack.makeRepository("a", formats: "raw")
                let b = try await toolstack.makeRepository("b", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: a.ref, bytes: 8 << 20, format: "raw")
                let content = toolstack.folder.file("content")
                try Data(repeating: 0xA5, count: 8 << 20).write(to: URL(fileURLWithPath: content))
                let upload = try await toolstack.session.upload(
                    file: content, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")],
                    onProgress: { _, _ in })
                _ = try await toolstack.session.waitForTask(try #require(upload))
                let task = try await toolstack.startMove(vdi, to: b.ref, format: "qcow2", bytesPerSecond: 64 << 10)
                while try RunningToolstack.images(b.path).first?.hasPrefix(".") != false {
                    _ = try await toolstack.text("task.get_status", .string(task))
                }
                for (sr, path) in [(a.ref, a.path), (b.ref, b.path)] {
                    let pbd = try await toolstack.call("SR.get_PBDs", .string(sr)).items?.first?.text ?? ""
                    #expect(await Self.refused(toolstack, "SR.forget", sr) == ["SR_HAS_PBD", sr])
                    #expect(
                        await Self.refused(toolstack, "PBD.unplug", pbd) == [
                            "OTHER_OPERATION_IN_PROGRESS", "SR", sr, "vdi_mirror", task,
                        ])
                    let images = try RunningToolstack.images(path)
                    try await toolstack.call("SR.scan", .string(sr))
                    #expect(try RunningToolstack.images(path) == images)
                }
                #expect(try await toolstack.call("SR.get_VDIs", .string(a.ref)).items?.compactMap(\.text) == [vdi])
                #expect(try await toolstack.call("SR.get_VDIs", .string(b.ref)).items?.count == 0)
                try await toolstack.call("task.cancel", .string(task))
                #expect(try await toolstack.session.waitForTask(task).status != "success")
                #expect(try RunningToolstack.images(b.path) == [])
                try await toolstack.call("VDI.destroy", .string(vdi))
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// A scan follows the folder: a damaged image keeps its VDI, one that is gone loses it, or is missing while a VBD
        /// names it and comes back.
        @Test func scansFollowTheFolder() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "qcow2")
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: 4 << 20, format: "qcow2")
                let image = try await sr.path + "/" + toolstack.text("VDI.get_location", .string(vdi))
                let aside = toolstack.folder.file("aside")
                func scanned() async throws -> [String] {
                    try await toolstack.call("SR.scan", .string(sr.ref))
                    return try await toolstack.call("SR.get_VDIs", .string(sr.ref)).items?.compactMap(\.text) ?? []
                }
                func isMissing() async throws -> Bool {
                    try await toolstack.call("VDI.get_missing", .string(vdi)) == .bool(true)
                }
                try FileManager.default.moveItem(atPath: image, toPath: aside)
                try Data("garbage".utf8).write(to: URL(fileURLWithPath: image))
                #expect(try await scanned() == [vdi])
                try FileManager.default.removeItem(atPath: image)
                let host = try await toolstack.call("host.get_all").items?.first?.text ?? ""
                let domain = try await toolstack.text("host.get_control_domain", .string(host))
                let vbd = try await toolstack.makeVBD(vm: domain, vdi: vdi)
                #expect(try await scanned() == [vdi])
                #expect(try await isMissing())
                try FileManager.default.moveItem(atPath: aside, toPath: image)
                #expect(try await scanned() == [vdi])
                #expect(try await !isMissing())
                try await toolstack.call("VBD.destroy", .string(vbd))
                try FileManager.default.moveItem(atPath: image, toPath: aside)
                #expect(try await scanned() == [])
                try FileManager.default.moveItem(atPath: aside, toPath: image)
                #expect(try await scanned().count == 1)
            }
        }

        /// Scans that run while disks come and go neither take a new disk for a foreign one nor bring back one that went.
        @Test func scansDoNotDisturbWhatComesAndGoes() async throws {
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: "raw")
                var scans: [String] = []
                var last = ""
                for _ in 0..<15 {
                    for _ in 0..<2 { scans.append(try await toolstack.text("Async.SR.scan", .string(sr.ref))) }
                    last = try await toolstack.makeDisk(in: sr.ref, bytes: 1 << 20, format: "raw")
                    scans.append(try await toolstack.text("Async.SR.scan", .string(sr.ref)))
                    let going = try await toolstack.makeDisk(in: sr.ref, bytes: 1 << 20, format: "raw")
                    try await toolstack.call("VDI.destroy", .string(going))
                    scans.append(try await toolstack.text("Async.SR.scan", .string(sr.ref)))
                    if scans.count < 60 { try await toolstack.call("VDI.destroy", .string(last)) }
                }
                for scan in scans { #expect(try await toolstack.session.waitForTask(scan).status == "success") }
                #expect(try await toolstack.call("SR.get_VDIs", .string(sr.ref)).items?.compactMap(\.text) == [last])
                #expect(try RunningToolstack.images(sr.path).count == 1)
            }
        }

        static func qemu(_ format: String) -> String { format == "vhd" ? "vpc" : format }
    }
}
