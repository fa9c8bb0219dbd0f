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

    /// Python that makes frames of `at:bytes` and of ends.
    private static let frames = """
        import struct, sys
        out = b""
        for word in sys.argv[1:]:
            at, _, text = word.partition(":")
            out += struct.pack("<QI", int(at), len(text)) + text.encode()
        sys.stdout.buffer.write(out)
        """

    @Test("frames are written where they say, in any order, and nothing else is", arguments: ImageFormat.allCases)
    func framesAreWrittenWhereTheySay(_ stored: ImageFormat) throws {
        let folder = try ScratchFolder("transfer")
        let (image, script) = (folder.file("image"), folder.file("frames.py"))
        try Data(Self.frames.utf8).write(to: URL(fileURLWithPath: script))
        func put(_ frames: String) throws -> Tool.Outcome {
            try Self.shell(
                "python3 \(script) \(frames) | $DP import --image \(image) --format \(stored) --as raw --frames")
        }
        try DiskImage.create(path: image, format: stored, size: 4 << 20).close()
        let kind = Self.qemu(stored)
        try Tool.check("qemu-io", ["-f", kind, "-c", "write -P 0x61 0 4M", image])
        let outcome = try put("3145728:bbbbb 5:cc 1048575:dd 7: 2097152:eeee 0:")
        #expect(outcome.succeeded, "\(outcome.errors)")
        func expect(_ parts: [(letter: Character, from: Int, length: Int)]) throws {
            for (letter, from, length) in parts {
                let command = "read -P \(letter.asciiValue ?? 0) \(from) \(length)"
                let output = try Tool.check("qemu-io", ["-r", "-f", kind, "-c", command, image])
                #expect(!output.contains("verification failed"), "\(letter) at \(from)")
            }
        }
        try expect([
            ("a", 0, 5), ("c", 5, 2), ("a", 7, 1_048_568), ("d", 1_048_575, 2), ("a", 1_048_577, 1_048_575),
            ("e", 2_097_152, 4), ("a", 2_097_156, 1_048_572), ("b", 3_145_728, 5), ("a", 3_145_733, 1_048_571),
        ])
        // At the very end there is room; past it there is none, and nothing is cut to fit.
        #expect(try put("4194300:ffff 0:").succeeded)
        for (frames, code) in [
            ("4194301:gggg 0:", "outOfRange"), ("18446744073709551615:gg 0:", "outOfRange"), ("9:hh", "disconnected"),
            ("0:hh", "disconnected"), ("0: 5:hh", "invalidImage"),
        ] {
            let outcome = try put(frames)
            #expect(!outcome.succeeded && outcome.errors.contains("\"\(code)\""), "\(frames): \(outcome.errors)")
        }
        try expect([("f", 4_194_300, 4), ("h", 0, 2), ("a", 2, 3), ("h", 9, 2)])
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
