import CoreTypes
import Foundation
import TestSupport
import Testing

/// New images on block devices.
@Suite struct BlockDeviceTests {
    /// A loop device over a file, gone with the object. Needs root.
    private final class LoopDevice {
        let path: String

        init(in folder: ScratchFolder, megabytes: Int) throws {
            let file = folder.file("device")
            try Tool.check("truncate", ["-s", "\(megabytes)M", file])
            path = try Tool.check("losetup", ["--find", "--show", file]).trimmingCharacters(in: .whitespacesAndNewlines)
        }

        func head(_ count: Int) throws -> Data {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            return try file.read(upToCount: count) ?? Data()
        }

        deinit { _ = try? Tool.run("losetup", ["--detach", path]) }
    }

    @Test(arguments: [ImageFormat.qcow2, .vhd])
    func anImageIsMadeOnADevice(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("on-device")
        let loop = try LoopDevice(in: folder, megabytes: 24)
        let name = format.rawValue
        try Tool.check("gantry", ["image", "create", "-f", name, loop.path, "8M"])
        #expect(try Tool.check("qemu-img", ["info", "-f", format.qemuName, loop.path]).contains("8 MiB"))
        try Tool.check("qemu-io", ["-f", format.qemuName, "-c", "read -P 0 0 8M", loop.path])

        // Now it holds something: nothing replaces that without a word, and no advice is to remove the device.
        let sample = try SampleImage(in: folder, size: 5 << 20, random: &random)
        let before = try loop.head(65536)
        let tries = [
            ["create", "-f", name, loop.path, "8M"], ["convert", "-f", "raw", "-O", name, sample.raw, loop.path],
        ]
        for words in tries {
            let refused = try Tool.run("gantry", ["image"] + words)
            #expect(refused.status == 1 && refused.errors.contains("--overwrite"), "\(refused.errors)")
            #expect(!refused.errors.contains("remove"))
            #expect(try loop.head(65536) == before)
        }
        let convert = ["image", "convert", "-f", "raw", "-O", name, "--overwrite"]
        try Tool.check("gantry", convert + ["--verify", sample.raw, loop.path])
        try Tool.check(
            "qemu-img", ["compare", "-f", "raw", "-F", format.qemuName, sample.raw, loop.path])
        try Tool.check("gantry", ["image", "check", "-f", name, loop.path])
        // From a stream, over what is there.
        let program = try Tool.find("gantry")
        try Tool.check(
            "bash", ["-c", "cat \(sample.raw) | \(program) \(convert.joined(separator: " ")) - \(loop.path)"])
        try Tool.check(
            "gantry", ["image", "compare", "-s", "-f", "raw", "-F", name, sample.raw, loop.path])

        // What does not fit leaves no image there; what cannot be made leaves what was there.
        let large = folder.file("large.raw")
        try Tool.check("dd", ["if=/dev/urandom", "of=\(large)", "bs=1M", "count=30", "status=none"])
        #expect(try Tool.run("gantry", convert + [large, loop.path]).status == 1)
        #expect(try Tool.run("gantry", ["image", "info", "-f", name, loop.path]).status == 1)
        #expect(try Tool.run("gantry", ["image", "info", "--probe", loop.path]).status == 1)
    }

    /// Two nodes, one device.
    @Test func aDeviceIsNotItsOwnTargetByAnotherNode() throws {
        let folder = try ScratchFolder("on-device")
        let loop = try LoopDevice(in: folder, megabytes: 8)
        let number = try Tool.check("stat", ["-c", "%Hr %Lr", loop.path]).split(whereSeparator: \.isWhitespace)
        let other = folder.file("node")
        try Tool.check("mknod", [other, "b"] + number.map(String.init))
        let words = ["image", "convert", "-f", "raw", "-O", "qcow2", "--overwrite", loop.path, other]
        let refused = try Tool.run("gantry", words)
        #expect(refused.status == 1 && refused.errors.contains("source itself"), "\(refused.errors)")
        #expect(try loop.head(65536).allSatisfy { $0 == 0 })
        // Neither is a file that its content comes from, nor does an image become its own parent.
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", loop.path, "4M"])
        let child = folder.file("child")
        try Tool.check(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-b", loop.path, "-F", "qcow2", child])
        let before = try loop.head(1 << 20)
        let convert = ["convert", "-f", "qcow2", "-O"]
        for words in [
            convert + ["raw", "-n", loop.path, other],
            convert + ["qcow2", "--overwrite", "--parent", "qcow2:\(loop.path)", child, other],
            convert + ["qcow2", "--overwrite", "-o", "backing_file=\(loop.path),backing_fmt=qcow2", child, other],
            ["create", "-f", "qcow2", "--overwrite", "-b", loop.path, "-F", "qcow2", other],
            ["rebase", "-f", "qcow2", "-u", "-b", other, "-F", "qcow2", loop.path],
        ] {
            let refused = try Tool.run(
                "gantry", ["image"] + words + (words.contains("-o") ? ["--parent", "qcow2:\(loop.path)"] : []))
            let says = ["source itself", "its own parents"].contains { refused.errors.contains($0) }
            #expect(refused.status == 1 && says, "\(words): \(refused.errors)")
            #expect(try loop.head(1 << 20) == before, "\(words)")
        }
    }

    @Test func aDeviceIsNoRawImageToMakeAndNotTakenFromItsUser() throws {
        let folder = try ScratchFolder("on-device")
        let loop = try LoopDevice(in: folder, megabytes: 24)
        let raw = try Tool.run("gantry", ["image", "create", "-f", "raw", loop.path, "8M"])
        #expect(raw.status == 1 && raw.errors.contains("raw disk as it is") && !raw.errors.contains("remove"))
        let data = try Tool.run(
            "gantry", ["image", "create", "-f", "qcow2", "-o", "data_file=\(folder.file("d"))", loop.path, "8M"])
        #expect(data.status == 1 && data.errors.contains("data_file"))
        try Tool.check("mkfs.ext4", ["-q", loop.path])
        let point = folder.file("point")
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: false)
        try Tool.check("mount", [loop.path, point])
        let used = try Tool.run("gantry", ["image", "create", "-f", "qcow2", "--overwrite", loop.path, "8M"])
        try Tool.check("umount", [point])
        #expect(used.status == 1 && used.errors.contains("mounted"), "\(used.errors)")
        try Tool.check("e2fsck", ["-n", "-f", loop.path])
        let other = try Tool.run("gantry", ["image", "create", "-f", "qcow2", "/dev/null", "8M"])
        #expect(other.status == 1 && !other.errors.contains("remove"), "\(other.errors)")
    }
}
