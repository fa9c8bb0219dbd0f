import BlockIO
import CoreTypes
import DatapathControl
import DiskImages
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Datapath

/// Uploads and downloads: images through pipes, with nothing stored on the way.
@Suite struct ImageTransferTests {
    static func write(_ disk: MemoryDevice, to path: String) throws {
        let buffer = AlignedBuffer(count: Int(disk.size))
        try unsafe disk.read(into: buffer.bytes, at: 0)
        try unsafe Data(buffer.bytes).write(to: URL(fileURLWithPath: path))
    }

    static func randomDisk(_ size: UInt64, _ random: inout SeededRandom) throws -> MemoryDevice {
        let disk = MemoryDevice(size: size)
        for _ in 0..<10 {
            let piece = random.bytes(Int.random(in: 1...200_000, using: &random))
            let offset = UInt64.random(in: 0...size - UInt64(piece.count), using: &random)
            try unsafe piece.withUnsafeBytes { try unsafe disk.write($0, at: offset) }
        }
        return disk
    }

    static func qemu(_ format: ImageFormat) -> String { format == .vhd ? "vpc" : format.rawValue }

    /// Runs `gantry-datapath` by a shell line in which `$DP` is the program.
    static func shell(_ line: String) throws -> Tool.Outcome {
        try Tool.run("bash", ["-c", "set -o pipefail; DP=\(try Tool.find("gantry-datapath")); \(line)"])
    }

    @Test("images go in and out through pipes and no file is written on the way", arguments: ImageFormat.allCases)
    func imagesGoThroughPipes(_ stored: ImageFormat) throws {
        var random = SeededRandom.printed("\(#function) \(stored)")
        let folder = try ScratchFolder("transfer")
        let model = folder.file("model")
        try Self.write(Self.randomDisk(9 << 20, &random), to: model)
        for format in ImageFormat.allCases {
            let first = folder.file("first")
            let second = folder.file("second")
            for path in [first, second] {
                try DiskImage.create(path: path, format: stored, size: 9 << 20).close()
            }
            let options = format == .vhd ? "-o force_size=on" : ""
            let upload = folder.file("upload")
            try Tool.check(
                "bash",
                ["-c", "qemu-img convert -f raw -O \(Self.qemu(format)) \(options) \(model) \(upload)"])
            // Of what leaves, nothing may go through a file: none may grow beyond a KiB there (a MiB where the thread
            // sanitizer makes one at the start).
            let most = ProcessInfo.processInfo.environment["TSAN_OPTIONS"] == nil ? 1 : 1024
            let outcome = try Self.shell(
                """
                cat \(upload) | $DP import --image \(first) --format \(stored) --as \(format) &&
                (ulimit -f \(most); $DP export --image \(first) --format \(stored) --as \(format)) |
                $DP import --image \(second) --format \(stored) --as \(format)
                """)
            #expect(outcome.succeeded, "\(outcome.errors)")
            for path in [first, second] {
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", Self.qemu(stored), model, path])
                try FileManager.default.removeItem(atPath: path)
            }
            #expect(try folder.contents() == ["model", "upload"])
        }
    }

    @Test func aQCOW2ImageWithItsTablesLastIsTakenToo() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("transfer")
        let (model, upload, image) = (folder.file("model"), folder.file("upload"), folder.file("image"))
        let disk = MemoryDevice(size: 12 << 20)
        let content = random.bytes(10 << 20)
        try unsafe content.withUnsafeBytes { try unsafe disk.write($0, at: 4096) }
        try Self.write(disk, to: model)
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=512", model, upload])
        // Enlarging moves the first table to the end.
        for path in [upload, model] {
            try Tool.check("qemu-img", ["resize", "-f", path == upload ? "qcow2" : "raw", path, "200M"])
        }
        try DiskImage.create(path: image, format: .qcow2, size: 200 << 20).close()
        let outcome = try Self.shell("cat \(upload) | $DP import --image \(image) --format qcow2 --as qcow2")
        #expect(outcome.succeeded, "\(outcome.errors)")
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", model, image])
        #expect(try folder.contents() == ["image", "model", "upload"])
    }

    @Test func whatTheDiskHeldBeforeIsReplaced() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("transfer")
        let (model, image) = (folder.file("model"), folder.file("image"))
        try Self.write(Self.randomDisk(6 << 20, &random), to: model)
        for (stored, format) in [(ImageFormat.raw, ImageFormat.vhd), (.vhd, .qcow2), (.qcow2, .raw)] {
            try Tool.check(
                "qemu-img",
                ["create", "-q", "-f", Self.qemu(stored)] + (stored == .vhd ? ["-o", "force_size=on"] : [])
                    + [image, "6M"])
            try Tool.check("qemu-io", ["-f", Self.qemu(stored), "-c", "write -P 77 0 6M", image])
            let outcome = try Self.shell(
                """
                $DP export --image \(model) --format raw --as \(format) |
                $DP import --image \(image) --format \(stored) --as \(format)
                """)
            #expect(outcome.succeeded, "\(outcome.errors)")
            try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", Self.qemu(stored), model, image])
            try FileManager.default.removeItem(atPath: image)
        }
    }

    @Test("an upload that does not fit changes nothing", arguments: ImageFormat.allCases)
    func uploadsThatDoNotFit(_ format: ImageFormat) throws {
        var random = SeededRandom.printed("\(#function) \(format)")
        let folder = try ScratchFolder("transfer")
        let (model, image) = (folder.file("model"), folder.file("image"))
        try Self.write(Self.randomDisk(4 << 20, &random), to: model)
        let content = Data(random.bytes(2 << 20))
        try content.write(to: URL(fileURLWithPath: image))
        let outcome = try Self.shell(
            "$DP export --image \(model) --format raw --as \(format) | $DP import --image \(image) --format raw --as \(format)"
        )
        #expect(!outcome.succeeded && outcome.errors.contains("\"outOfRange\""), "\(outcome.errors)")
        // A raw stream does not say its size: what came before the end is written.
        if format != .raw { #expect(try Data(contentsOf: URL(fileURLWithPath: image)) == content) }
    }

    @Test func aDownloadThatNobodyReadsEndsWithAnError() throws {
        let folder = try ScratchFolder("transfer")
        let image = folder.file("image")
        try Tool.check("truncate", ["-s", "64M", image])
        let outcome = try Self.shell("$DP export --image \(image) --format raw --as raw | true")
        #expect(outcome.status == 1 && outcome.errors.contains("\"disconnected\""), "\(outcome.errors)")
    }
}
