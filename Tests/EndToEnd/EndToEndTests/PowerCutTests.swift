import APITypes
import Foundation
import RPCCodec
import TestSupport
import Testing
import XenAPIClient

extension EndToEnd {
    /// Everything is killed at a step of an operation on disks: after the next start and a scan the rows are what the files are,
    /// no disk has lost anything, and nothing is left that is not shown.
    @Suite struct PowerCuts {
        private static let bytes: UInt64 = 8 << 20

        /// One SR with a raw and a VHD disk of the same content, and what each must hold.
        private struct Scene {
            let toolstack: RunningToolstack
            let sr: (ref: String, path: String)
            var disks: [String: String] = [:]
            let model: String

            func disk(_ format: String) -> String { disks[format] ?? "" }

            func all() async throws -> [String] {
                try await toolstack.call("VDI.get_all").items?.compactMap(\.text) ?? []
            }

            /// What `qemu-img` calls the format of an image, and where that is.
            func image(_ vdi: String) async throws -> (format: String, path: String) {
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                let format = location.split(separator: ".").last.map(String.init) ?? ""
                return (format == "vhd" ? "vpc" : format, sr.path + "/" + location)
            }

            /// The disk holds what it held, whatever its size is now.
            func requireContent(of vdi: String) async throws {
                let image = try await image(vdi)
                // QEMU knows no parents of VHDs.
                if image.format == "vpc" {
                    var chain = [image.path]
                    var next = vdi
                    while let parent = try await toolstack.call("VDI.get_sm_config", .string(next)).member(
                        "vhd-parent")?.text
                    {
                        next = try await toolstack.text("VDI.get_by_uuid", .string(parent))
                        chain.append(try await self.image(next).path)
                    }
                    let held = [UInt8](try Data(contentsOf: URL(fileURLWithPath: model)))
                    #expect(try Bytes.areEqual(LibyalReader.read("vhdi", chain, [(0, held.count)]).bytes, held))
                    return
                }
                let comparison = try Tool.run(
                    "qemu-img", ["compare", "-f", "raw", "-F", image.format, model, image.path])
                #expect(comparison.status == 0, "\(comparison.output)")
            }

            func check(after point: String) async throws {
                try await toolstack.call("SR.scan", .string(sr.ref))
                var locations: [String] = []
                for vdi in try await all() {
                    let image = try await image(vdi)
                    locations.append(image.path.split(separator: "/").last.map(String.init) ?? "")
                    let told = try Tool.check("qemu-img", ["info", "--output=json", "-f", image.format, image.path])
                    let size = try await toolstack.text("VDI.get_virtual_size", .string(vdi))
                    #expect(told.contains("\"virtual-size\": \(size),"), "\(point): \(image.path)")
                }
                #expect(locations.sorted() == (try RunningToolstack.images(sr.path)).sorted(), "\(point)")
                for vdi in disks.values { try await requireContent(of: vdi) }
            }

            /// Destroys all but the two disks. What others stand on goes with them.
            func tidy() async throws {
                for vdi in try await all() where !disks.values.contains(vdi) {
                    guard try await toolstack.call("VDI.get_managed", .string(vdi)) == .bool(true) else { continue }
                    try await toolstack.call("VDI.destroy", .string(vdi))
                }
            }

            func snapshot(_ vdi: String) async throws -> String {
                try await toolstack.text("VDI.snapshot", .string(vdi), .members([]))
            }
        }

        private struct Cut {
            let point: String
            let body: (Scene) async throws -> Void
            /// Done before the daemon with the point is started.
            var before: (Scene) async throws -> Void = { _ in }
        }

        private static var operations: [Cut] {
            [
                Cut(point: "image-made") {
                    _ = try await $0.toolstack.makeDisk(in: $0.sr.ref, bytes: bytes, format: "qcow2")
                },
                Cut(point: "vdi-after-create") {
                    _ = try await $0.toolstack.makeDisk(in: $0.sr.ref, bytes: bytes, format: "vhd")
                },
                Cut(point: "base-named") { _ = try await $0.snapshot($0.disk("raw")) },
                Cut(point: "disk-over-base") { _ = try await $0.snapshot($0.disk("raw")) },
                Cut(point: "image-named") { _ = try await $0.snapshot($0.disk("vhd")) },
                Cut(point: "after-snapshot") {
                    try await $0.toolstack.call("VDI.clone", .string($0.disk("vhd")), .members([]))
                },
                Cut(point: "after-revert") { scene in
                    for vdi in try await scene.all() {
                        guard try await scene.toolstack.call("VDI.get_is_a_snapshot", .string(vdi)) == .bool(true)
                        else { continue }
                        try await scene.toolstack.call("VDI.revert", .string(vdi))
                    }
                } before: {
                    _ = try await $0.snapshot($0.disk("raw"))
                },
                Cut(point: "image-gone") {
                    try await $0.tidy()
                } before: {
                    _ = try await $0.snapshot($0.disk("vhd"))
                },
                Cut(point: "image-grown") {
                    try await $0.toolstack.call("VDI.resize", .string($0.disk("vhd")), .string(String(bytes * 2)))
                },
                Cut(point: "after-resize") {
                    try await $0.toolstack.call("VDI.resize", .string($0.disk("raw")), .string(String(bytes * 2)))
                },
                Cut(point: "copy-after-create") {
                    try await $0.toolstack.call(
                        "VDI.copy", .string($0.disk("vhd")), .string($0.sr.ref), .string(""), .string(""))
                },
                Cut(point: "copy-filled") {
                    try await $0.toolstack.call(
                        "VDI.copy", .string($0.disk("raw")), .string($0.sr.ref), .string(""), .string(""))
                },
                Cut(point: "copied-into") { scene in
                    let target = try await scene.toolstack.makeDisk(in: scene.sr.ref, bytes: bytes * 2, format: "qcow2")
                    try await scene.toolstack.call(
                        "VDI.copy", .string(scene.disk("raw")), .string(""), .string(""), .string(target))
                },
                Cut(point: "introduced") { scene in
                    let vdi = scene.disk("vhd")
                    let (uuid, location) = (
                        try await scene.toolstack.text("VDI.get_uuid", .string(vdi)),
                        try await scene.toolstack.text("VDI.get_location", .string(vdi))
                    )
                    try await scene.toolstack.call("VDI.forget", .string(vdi))
                    try await scene.toolstack.call(
                        "VDI.introduce", .string(uuid), .string("again"), .string(""), .string(scene.sr.ref),
                        .string("user"), .bool(false), .bool(false), .members([]), .string(location), .members([]),
                        .members([]), .bool(true), .string("0"), .string("0"), .string(""), .bool(false),
                        .string("19700101T00:00:00Z"), .string(""))
                },
                Cut(point: "scanned") { try await $0.toolstack.call("SR.scan", .string($0.sr.ref)) },
            ]
        }

        @Test func everythingDiesAtAStepOfAnOperationOnADisk() async throws {
            var random = SeededRandom.printed("power cuts")
            let content =
                Data(random.bytes(1 << 20)) + Data(count: Int(Self.bytes) - 2 << 20) + Data(random.bytes(1 << 20))
            try await withToolstack { toolstack in
                let model = toolstack.folder.file("model")
                try content.write(to: URL(fileURLWithPath: model))
                let sr = try await toolstack.makeRepository("a", formats: "raw,vhd")
                // What is unneeded stays as it is: a merge has tests of its own.
                try await toolstack.call(
                    "SR.add_to_other_config", .string(sr.ref), .string("coalesce"), .string("false"))
                var uuids: [String: String] = [:]
                var scene = Scene(toolstack: toolstack, sr: sr, model: model)
                for format in ["raw", "vhd"] {
                    let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: Self.bytes, format: format)
                    try await toolstack.session.upload(
                        file: model, to: "/import_raw_vdi", query: [("vdi", vdi), ("format", "raw")],
                        onProgress: { _, _ in })
                    scene.disks[format] = vdi
                    uuids[format] = try await toolstack.text("VDI.get_uuid", .string(vdi))
                }
                for cut in GateShare.some(4, of: Self.operations, "power cuts") {
                    try await cut.before(scene)
                    await toolstack.stop()
                    try await toolstack.start(failurePoint: cut.point)
                    try await toolstack.dies(at: cut.point) { try await cut.body(scene) }
                    try await toolstack.cutPower()
                    try await toolstack.start()
                    if cut.point == "introduced" {
                        // Nobody knew it at that moment: the scan finds it, under the same uuid.
                        try await toolstack.call("SR.scan", .string(sr.ref))
                        scene.disks["vhd"] = try await toolstack.text("VDI.get_by_uuid", .string(uuids["vhd"] ?? ""))
                    }
                    try await scene.check(after: cut.point)
                    try await scene.tidy()
                    try await scene.check(after: cut.point + ", tidied")
                }
                for vdi in try await scene.all() where scene.disks.values.contains(vdi) {
                    try await toolstack.call("VDI.destroy", .string(vdi))
                }
                #expect(try RunningToolstack.images(sr.path) == [])
                #expect(try await scene.all() == [])
                // An SR that is being forgotten is there, or is not; its files stay.
                let left = try await toolstack.makeDisk(in: sr.ref, bytes: Self.bytes, format: "qcow2")
                let uuid = try await toolstack.text("VDI.get_uuid", .string(left))
                let pbd = try await toolstack.call("PBD.get_all").items?.first?.text ?? ""
                try await toolstack.call("PBD.unplug", .string(pbd))
                await toolstack.stop()
                try await toolstack.start(failurePoint: "sr-before-forget")
                try await toolstack.dies(at: "sr-before-forget") {
                    try await toolstack.call("SR.forget", .string(sr.ref))
                }
                try await toolstack.start()
                try await toolstack.call("PBD.plug", .string(pbd))
                #expect(try await toolstack.text("VDI.get_by_uuid", .string(uuid)) == left)
                #expect(try RunningToolstack.images(sr.path) == ["\(uuid).qcow2"])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }

        /// A disk that a client has grows: whatever dies when, the disk has one size or the other with all that was flushed, and
        /// the same call again does the rest.
        @Test(
            arguments: GateShare.some(
                2,
                of: [
                    ("resize-paused", "vhd"), ("image-grown", "raw"), ("before-resume", "qcow2"),
                    ("after-resize", "vhd"), ("resize-noted", "raw"),
                ], "grown disks"))
        func everythingDiesWhileADiskInUseGrows(_ point: String, _ format: String) async throws {
            var random = SeededRandom.printed("grown \(format), cut at \(point)")
            let seed = random.next()
            try await withToolstack { toolstack in
                let sr = try await toolstack.makeRepository("a", formats: format)
                let vdi = try await toolstack.makeDisk(in: sr.ref, bytes: Self.bytes, format: format)
                await toolstack.stop()
                try await toolstack.start(failurePoint: point)
                let plugged = try await toolstack.plugHere(vdi)
                let writer = try DiskWriter(socket: plugged.socket, filled: 2 << 20, seed: seed)
                let larger = Self.bytes + 4 << 20
                #expect(try toolstack.commands().contains { $0.contains("--no-links") })
                try await toolstack.dies(at: point) {
                    try await toolstack.call("VDI.resize", .string(vdi), .string(String(larger)))
                }
                try await toolstack.cutPower()
                try await toolstack.start()
                try await toolstack.call("SR.scan", .string(sr.ref))
                let location = try await toolstack.text("VDI.get_location", .string(vdi))
                #expect(try RunningToolstack.images(sr.path) == [location])
                let size = try await toolstack.text("VDI.get_virtual_size", .string(vdi))
                #expect([String(Self.bytes), String(larger)].contains(size))
                // In use as before, and grown now if it was not.
                try await toolstack.call("VDI.resize", .string(vdi), .string(String(larger)))
                #expect(try await toolstack.text("VDI.get_virtual_size", .string(vdi)) == String(larger))
                try await toolstack.call("VBD.unplug", .string(plugged.vbd))
                let model = toolstack.folder.file("model")
                try Data(writer.model + [UInt8](repeating: 0, count: Int(larger - Self.bytes)))
                    .write(to: URL(fileURLWithPath: model))
                try Tool.check(
                    "qemu-img",
                    [
                        "compare", "-f", "raw", "-F", format == "vhd" ? "vpc" : format, model,
                        sr.path + "/" + location,
                    ])
                try await toolstack.call("VDI.destroy", .string(vdi))
                #expect(try RunningToolstack.images(sr.path) == [])
                await toolstack.stop()
                #expect(try toolstack.leftovers() == [])
            }
        }
    }
}
