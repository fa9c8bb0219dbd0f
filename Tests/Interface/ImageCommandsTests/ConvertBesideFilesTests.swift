import CoreTypes
import Foundation
import TestSupport
import Testing

/// Conversions into images that are more than one file: on a parent, and with an external data file.
@Suite struct ConvertBesideFilesTests {
    /// A raw disk that the parent shows, and another that differs from it in places: other data, zeroes over data, data
    /// over zeroes, also where the parent ends before.
    private func disks(_ folder: ScratchFolder, sourceSize: Int, random: inout SeededRandom) throws -> String {
        let base = try SampleImage(in: folder, size: 6 << 20, random: &random)
        var content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: base.raw)))
        content.replaceSubrange(0..<100_000, with: random.bytes(100_000))
        try Data(content).write(to: URL(fileURLWithPath: base.raw))
        content += [UInt8](repeating: 0, count: max(0, sourceSize - content.count))
        content.removeLast(content.count - sourceSize)
        for (start, count) in [(30_000, 60_000), (sourceSize - 200_000, 200_000)] {
            content.replaceSubrange(start..<start + count, with: repeatElement(0, count: count))
        }
        for (start, count) in [(200_000, 700), (3 << 20, 100_000), (sourceSize - 100_000, 50_000)] {
            content.replaceSubrange(start..<start + count, with: random.bytes(count))
        }
        let source = folder.file("source.raw")
        try Data(content).write(to: URL(fileURLWithPath: source))
        return source
    }

    @Test(
        "a new image on a parent holds the differences and shows the source (case 4.5)",
        arguments: [ImageFormat.qcow2, .vhd], [5 << 20, 6 << 20, 7 << 20])
    func aNewImageOnAParentShowsTheSource(_ format: ImageFormat, _ size: Int) throws {
        var random = SeededRandom.printed("\(format) \(size)")
        let folder = try ScratchFolder("convert-parent")
        let source = try disks(folder, sourceSize: size, random: &random)
        for (number, base) in [format, .raw].enumerated() {
            let parent = folder.file("parent\(number)")
            try Tool.check(
                "gantry",
                ["image", "convert", "-f", "raw", "-O", base.rawValue, folder.file("sample.raw"), parent])
            let child = folder.file("child\(number)")
            let options = "backing_file=parent\(number),backing_fmt=\(base.rawValue)"
            try Tool.check(
                "gantry",
                ["image", "convert", "-f", "raw", "-O", format.rawValue, "-o", options, "--verify", source, child])
            try Tool.check(
                "gantry",
                [
                    "image", "compare", "-s", "-f", "raw", "-F", format.rawValue, "--parent", "\(base):\(parent)",
                    source, child,
                ])
            if format == .qcow2 {
                try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", source, child])
                // Only what differs: some of the pieces of 64 KiB that were changed.
                let info = try json(try Tool.check("qemu-img", ["info", "--output=json", child]))
                #expect(try #require(info["actual-size"] as? Int) < 1_500_000)
            }
        }
    }

    @Test(arguments: ["convert", "create"])
    func aParentsNameMayHaveCommas(_ command: String) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert-comma")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let (parent, child) = (folder.file(",b,,c.raw"), folder.file("child"))
        try FileManager.default.copyItem(atPath: sample.raw, toPath: parent)
        let options = "cluster_size=4K,backing_file=,,b,,,,c.raw,backing_fmt=raw"
        let words =
            command == "create"
            ? ["-f", "qcow2", "-o", options, child] : ["-f", "raw", "-O", "qcow2", "-o", options, sample.raw, child]
        try Tool.check("gantry", ["image", command] + words)
        let info = try json(try Tool.check("gantry", ["image", "info", "-f", "qcow2", "--json", child]))
        #expect(info["backing-filename"] as? String == ",b,,c.raw", "\(info)")
        #expect(info["cluster-size"] as? Int == 4096)
        try Tool.check(
            "gantry",
            [
                "image", "compare", "-s", "-f", "raw", "-F", "qcow2", "--parent", "raw:\(parent)", sample.raw, child,
            ])
    }

    @Test func whatDoesNotGoWithAParentIsRefused() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert-parent")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let options = ["-o", "backing_file=sample.raw,backing_fmt=raw"]
        let target = folder.file("t.qcow2")
        let tries = [
            ["-c", sample.raw, target], ["--zeroes", "keep", sample.raw, target], ["-c", sample.raw, "-"],
            ["-c", "-", target], ["--zeroes", "keep", "-", target],
        ]
        for words in tries {
            let outcome = try Tool.run(
                "gantry", ["image", "convert", "-f", "raw", "-O", "qcow2"] + options + words)
            #expect(outcome.status == 2, "\(words): \(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: target))
        }
    }

    /// Before both disks are read, which may take hours: here the source cannot be.
    @Test func whatAPipeCannotHaveIsRefusedBeforeTheComparison() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert-early")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let broken = folder.file("broken.qcow2")
        try Tool.check("qemu-img", ["convert", "-O", "qcow2", sample.raw, broken])
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: broken))
        try file.truncate(atOffset: file.seekToEnd() - 3 * 65536)
        try file.close()
        let options = "backing_file=\(sample.raw),backing_fmt=raw"
        let program = try Tool.find("gantry")
        for (more, words) in [
            ("", "broken.qcow2"), (",extended_l2=on", "extended L2"), (",lazy_refcounts=on", "lazy refcounts"),
        ] {
            let line = "\(program) image convert -f qcow2 -O qcow2 -o \(options)\(more) \(broken) - | wc -c"
            let outcome = try Tool.run("bash", ["-c", "set -o pipefail; " + line])
            #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
        }
    }

    /// Its reader cuts the source, or the parent, short when the first byte has come.
    @Test(arguments: ["", "-o backing_file=base.raw,backing_fmt=raw"])
    func aSourceThatIsCutShortOnItsWayIntoAPipeIsAnError(_ options: String) throws {
        let folder = try ScratchFolder("convert-cut")
        let program = try Tool.find("gantry")
        for cut in options.isEmpty ? ["source.raw"] : ["source.raw", "base.raw"] {
            let outcome = try Tool.run(
                "bash",
                [
                    "-c",
                    """
                    set -o pipefail; cd \(folder.path); head -c 16M /dev/urandom > source.raw; truncate -s 16M base.raw
                    \(program) image convert -f raw -O qcow2 \(options) source.raw - |
                        (head -c 1 > /dev/null; truncate -s 1M \(cut); cat > /dev/null)
                    """,
                ])
            #expect(outcome.status == 1 && outcome.errors.contains("cut short"), "\(outcome.errors)")
        }
    }

    @Test("a data file has its name when the image has, and not before (case 4.17)", arguments: [false, true])
    func aDataFileHasItsNameWhenTheImageHas(_ isRaw: Bool) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert-data")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let broken = folder.file("broken.qcow2")
        try Tool.check("qemu-img", ["convert", "-O", "qcow2", sample.raw, broken])
        // Its last clusters are not there.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: broken))
        try file.truncate(atOffset: file.seekToEnd() - 3 * 65536)
        try file.close()
        // (QEMU looks for a relative name where it was started.)
        let options = ["-o", "data_file=\(folder.file("data"))\(isRaw ? ",data_file_raw=on" : "")"]
        func convert(_ source: String, _ format: String) throws -> Tool.Outcome {
            try Tool.run(
                "gantry",
                ["image", "convert", "-f", format, "-O", "qcow2", "--verify"] + options
                    + [source, folder.file("t.qcow2")])
        }
        func files() throws -> Set<String> { Set(try folder.contents()) }
        let before = try files()
        #expect(try convert(broken, "qcow2").status == 1)
        #expect(try files() == before, "nothing is left")
        let done = try convert(sample.raw, "raw")
        #expect(done.succeeded, "\(done.errors)")
        #expect(try files() == before.union(["t.qcow2", "data"]))
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", sample.raw, folder.file("t.qcow2")])
        if isRaw { try Tool.check("cmp", [sample.raw, folder.file("data")]) }
        // A data file is never replaced, nor touched.
        let content = try Data(contentsOf: URL(fileURLWithPath: folder.file("data")))
        let again = try convert(sample.raw, "raw")
        #expect(again.status == 1 && again.errors.contains("data"), "\(again.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("data"))) == content)
        #expect(try files() == before.union(["t.qcow2", "data"]))
    }
}
