import CoreTypes
import Foundation
import TestSupport
import Testing

/// Images through pipes.
@Suite struct StreamTests {
    @Test(arguments: Direction.all)
    func everyDirectionGoesThroughPipes(_ direction: Direction) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        let sample = try SampleImage(in: folder, size: 7 << 20, random: &random)
        let (source, target) = (direction.source.rawValue, direction.target.rawValue)
        let out = folder.file("out")
        try shell(
            folder,
            "gantry image convert -f \(source) -O \(target) \(try sample.path(direction.source)) - | cat > \(out)")
        try Tool.check(
            "qemu-img", ["compare", "-f", "raw", "-F", direction.target.qemuName, sample.raw, out])
        if direction.target == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", out]) }
        let back = folder.file("back")
        try shell(folder, "cat \(out) | gantry image convert -f \(target) -O \(source) - \(back)")
        try Tool.check(
            "gantry", ["image", "compare", "-s", "-f", "raw", "-F", source, sample.raw, back])
    }

    @Test(arguments: ["gzip", "xz", "zstd"])
    func compressedImagesAreReadFromFilesAndPipes(_ compression: String) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("compressed")
        let sample = try SampleImage(in: folder, size: 5 << 20, random: &random)
        let packed = folder.file("packed")
        try shell(folder, "\(compression) -c \(sample.raw) > \(packed)")
        let words = "gantry image convert -f raw --decompress \(compression) -O qcow2"
        try shell(folder, "\(words) \(packed) file.qcow2")
        try shell(folder, "\(words) --size 5M - piped.qcow2 < \(packed)")
        for name in ["file.qcow2", "piped.qcow2"] {
            try Tool.check(
                "gantry", ["image", "compare", "-s", "-f", "raw", "-F", "qcow2", sample.raw, folder.file(name)])
        }
        // What the stream holds and what it should hold are not alike, or too much.
        for limit in ["--size 6M", "--limit 4M"] {
            let outcome = try Tool.run(
                "sh",
                [
                    "-c",
                    "cd \(folder.path) && cat packed | \(try Tool.find("gantry")) \(words.dropFirst(7)) \(limit) - bad.qcow2",
                ])
            #expect(outcome.status == 1, "\(outcome.errors)")
            #expect(try !folder.contents().contains("bad.qcow2"))
        }
    }

    /// A fixed VHD says only at its end how large it is.
    @Test(arguments: ImageFormat.allCases)
    func aFixedVHDFromAPipeNeedsNoSize(_ target: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream-fixed")
        let sample = try SampleImage(in: folder, size: (5 << 20) + 512, random: &random)
        let words = "gantry image convert"
        try shell(folder, "\(words) -f raw -O vhd -o subformat=fixed \(sample.raw) fixed.vhd")
        try shell(folder, "cat fixed.vhd | \(words) -f vhd -O \(target.rawValue) - out")
        try Tool.check(
            "gantry",
            ["image", "compare", "-s", "-f", "raw", "-F", target.rawValue, sample.raw, folder.file("out")])
        try shell(folder, "cat fixed.vhd | \(words) -f vhd -O \(target.rawValue) --size \((5 << 20) + 512) - sized")
        // Not that long; too long for the limit; cut off; space for a size that nobody knows.
        let program = try Tool.find("gantry")
        let tries = [
            "--size 5M -", "--limit 1M -", "-o preallocation=full -", "- bad < <(head -c 1000000 fixed.vhd)",
        ]
        for (number, words) in tries.enumerated() {
            let outcome = try Tool.run(
                "bash",
                [
                    "-c",
                    "cd \(folder.path) && cat fixed.vhd | \(program) image convert -f vhd -O \(target.rawValue) \(words)"
                        + (number < 3 ? " bad" : ""),
                ])
            #expect(outcome.status == 1, "\(words): \(outcome.errors)")
            #expect(try folder.contents().filter { $0 == "bad" || $0.hasSuffix(".partial") } == [])
        }
    }

    /// Small clusters make a disk of 128 GiB at most, which is less than an image for any stream would have.
    @Test(arguments: ["512", "2K"])
    func aStreamOfUnknownLengthGoesIntoSmallClusters(_ clusterSize: String) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream-small")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        try shell(
            folder, "cat \(sample.raw) | gantry image convert -f raw -O qcow2 -o cluster_size=\(clusterSize) - out")
        try Tool.check("qemu-img", ["check", "-f", "qcow2", folder.file("out")])
        try Tool.check(
            "gantry", ["image", "compare", "-s", "-f", "raw", "-F", "qcow2", sample.raw, folder.file("out")])
    }

    /// The tables of a raw data file name all of the disk, so its size must be known first.
    @Test func aStreamOfUnknownLengthGoesIntoARawDataFileWithASizeOnly() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream-data")
        _ = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let words = "convert -f raw -O qcow2 -o data_file=data,data_file_raw=on"
        let refused = try Tool.run(
            "bash", ["-c", "cd \(folder.path); cat sample.raw | \(try Tool.find("gantry")) image \(words) - out"])
        #expect(refused.status == 1 && refused.errors.contains("--size"), "\(refused.errors)")
        #expect(try folder.contents() == ["sample.raw"])
        try shell(folder, "cat sample.raw | gantry image \(words) --size 1M - out; cmp sample.raw data")
        try Tool.check("qemu-img", ["check", "-f", "qcow2", folder.file("out")])
    }

    /// Runs a line in the folder; throws with what it said when it fails. `gantry` is the one under test.
    private func shell(_ folder: ScratchFolder, _ line: String) throws {
        let program = try Tool.find("gantry")
        try Tool.check(
            "bash", ["-c", "set -e -o pipefail; gantry() { \(program) \"$@\"; }; cd \(folder.path); \(line)"])
    }
}
