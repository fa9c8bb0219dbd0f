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

    /// A limit is of the disk, whatever the image around it takes; a size that must be is looked at before anything is written.
    @Test func limitsAndSizesAreOfTheDisk() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream-limit")
        let noise = random.bytes(1 << 20)
        try Data(noise).write(to: URL(fileURLWithPath: folder.file("full.raw")))
        let words = "gantry image convert"
        for (format, options) in [("vhd", "-o subformat=fixed"), ("vhd", ""), ("qcow2", "")] {
            try shell(
                folder,
                """
                \(words) -f raw -O \(format) \(options) full.raw image; gzip -c image > packed
                \(words) --decompress gzip --limit 1M -f \(format) -O raw packed out; cmp full.raw out; rm out
                if \(words) --decompress gzip --limit 1023K -f \(format) -O raw packed out; then exit 9; fi
                head -c 2M /dev/zero | tr '\\0' x > there; cp there kept
                if cat image | \(words) -n -f \(format) -O raw --size 2M - there; then exit 9; fi
                \(options.isEmpty ? "cmp there kept" : "true")
                cat image | \(words) -n -f \(format) -O raw --size 1M - there; cmp -n 1048576 there full.raw
                """)
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

    /// The child of a child of a base, and one of a raw disk.
    @Test(arguments: [ImageFormat.vhd, .qcow2])
    func aChildFromAPipeIsReadOnItsParents(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream-child")
        let sample = try SampleImage(in: folder, size: 5 << 20, random: &random)
        let (f, words) = (format.rawValue, "gantry image convert")
        try shell(folder, "cp \(sample.raw) changed.raw")
        let writes = ["-c", "write -P 7 70k 9k", "-c", "write -z 1M 300k", "-c", "write -P 8 5110k 2k"]
        try Tool.check("qemu-io", ["-f", "raw"] + writes + [folder.file("changed.raw")])
        try shell(folder, "\(words) -f raw -O \(f) sample.raw base")
        try shell(folder, "gantry image create -f \(f) -b base -F \(f) middle")
        let new = "\(words) -f raw -O \(f) -o backing_file"
        try shell(folder, "\(new)=middle,backing_fmt=\(f) --follow . changed.raw child")
        try shell(folder, "\(new)=sample.raw,backing_fmt=raw changed.raw rawchild")
        // The destination of -n holds other data before.
        try shell(folder, "tr '\\0' x < changed.raw > there")
        let chain = "--parent \(f):middle --parent \(f):base"
        let readings: [(String, String, String, String)] = [
            (chain, "child", "out.raw", "raw"), (chain, "child", "out.qcow2", "qcow2"),
            (chain + " -n", "child", "there", "raw"), ("--parent raw:sample.raw", "rawchild", "out", "raw"),
        ]
        for (options, child, target, format) in readings {
            try shell(folder, "cat \(child) | \(words) -f \(f) \(options) -O \(format) - \(target)")
            try shell(folder, "gantry image compare -s -f raw -F \(format) changed.raw \(target)")
        }
        // No parent, too few, and others than the image was made on.
        try shell(folder, "\(words) -f raw -O \(f) changed.raw stranger")
        var tries: [(String, String)] = [
            ("", "names in a stream are not followed"), ("--parent \(f):middle", "--parent FORMAT:PATH"),
            ("--parent raw:sample.raw", "was given"),
        ]
        if format == .vhd { tries.append(("--parent vhd:stranger", "--ignore-identity")) }
        let program = try Tool.find("gantry")
        for (options, says) in tries {
            let outcome = try Tool.run(
                "bash",
                ["-c", "cd \(folder.path) && cat child | \(program) image convert -f \(f) \(options) -O raw - bad"])
            #expect(outcome.status == 1 && outcome.errors.contains(says), "\(options): \(outcome.errors)")
            #expect(try !folder.contents().contains("bad"))
        }
    }

    /// What differs from the parent is found by a first pass, and written by a second: the same as a file would hold.
    @Test(arguments: [ImageFormat.vhd, .qcow2], [ImageFormat.raw, .vhd, .qcow2])
    func aChildIsWrittenIntoAPipe(_ format: ImageFormat, _ parent: ImageFormat) throws {
        if format == .vhd && parent == .qcow2 { return }
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream-new-child")
        _ = try SampleImage(in: folder, size: 9 << 20, random: &random)
        let (f, p) = (format.rawValue, parent.rawValue)
        try shell(folder, "head -c 11M sample.raw > changed.raw; truncate -s 11M changed.raw")
        let writes = ["-c", "write -P 7 70k 9k", "-c", "write -z 1M 300k", "-c", "write -P 8 10510k 2k"]
        try Tool.check("qemu-io", ["-f", "raw"] + writes + [folder.file("changed.raw")])
        try shell(folder, "gantry image convert -f raw -O \(p) sample.raw base.img")
        let new = "gantry image convert -f raw -O \(f) -o backing_file=base.img,backing_fmt=\(p) changed.raw"
        try shell(folder, "\(new) - | cat > piped; \(new) filed")
        try shell(folder, "gantry image compare -s --parent \(p):base.img -f raw -F \(f) changed.raw piped")
        try shell(folder, "gantry image check -f \(f) piped")
        if format == .qcow2 {
            try shell(folder, "qemu-img check -q -f qcow2 piped; qemu-img compare -f raw -F qcow2 changed.raw piped")
            try shell(folder, "qemu-img map --output=json piped | grep -q '\"depth\": 1'")
        }
        // The same parent by the same name, with the same identity.
        for name in ["piped", "filed"] {
            let info = try Tool.check(
                "gantry", ["image", "info", "-f", f, "--json", folder.file(name)])
            let told = try json(info)
            #expect((told["backing-filename"] as? String)?.hasSuffix("base.img") == true, "\(info)")
            #expect(
                told["backing-filename-format"] as? String
                    == (try json(
                        try Tool.check("gantry", ["image", "info", "-f", f, "--json", folder.file("filed")])
                    )["backing-filename-format"] as? String))
        }
        if format == .vhd && parent == .vhd {
            let chain = [folder.file("piped"), folder.file("base.img")]
            let judged = try LibyalReader.read("vhdi", chain, [(0, 9 << 20)])
            let expected = [UInt8](
                try Data(contentsOf: URL(fileURLWithPath: folder.file("changed.raw"))).prefix(9 << 20))
            #expect(judged.bytes == expected)
        }
        // Only what differs is there, and a parent that is not there makes nothing.
        try shell(folder, "test $(stat -c %s piped) -lt \(format == .qcow2 ? 1_000_000 : 9 << 20)")
        let program = try Tool.find("gantry")
        let refused = try Tool.run(
            "bash",
            [
                "-c",
                "cd \(folder.path) && rm base.img && \(new.replacingOccurrences(of: "gantry ", with: program + " ")) -",
            ])
        #expect(refused.status == 1 && refused.output.isEmpty, "\(refused.errors)")
    }

    /// All of the stream waits in a file without a name, beside what is made.
    @Test(arguments: [
        ("vhdx", "dynamic"), ("vhdx", "fixed"), ("vmdk", "monolithicSparse"), ("vmdk", "streamOptimized"),
    ])
    func importedFormatsComeFromPipes(_ format: String, _ subformat: String) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream-import")
        _ = try SampleImage(in: folder, size: 7 << 20, random: &random)
        try shell(folder, "qemu-img convert -f raw -O \(format) -o subformat=\(subformat) sample.raw source")
        let words = "gantry image convert -p -f \(format)"
        for target in ImageFormat.allCases {
            try shell(folder, "rm -f out; cat source | \(words) -O \(target.rawValue) - out")
            try shell(folder, "gantry image compare -s -f raw -F \(target.rawValue) sample.raw out")
        }
        try shell(folder, "gzip -c source | \(words) --decompress gzip -O qcow2 - out")
        try shell(folder, "gantry image compare -s -f raw -F qcow2 sample.raw out; rm out")
        let program = try Tool.find("gantry")
        let tries = [
            ("head -c 100000 source", "", 1), ("cat source", "--limit 1M", 1), ("cat source", "--size 1M", 1),
        ]
        for (line, options, status) in tries {
            let outcome = try Tool.run(
                "bash",
                [
                    "-c",
                    "cd \(folder.path); \(line) | \(program) image convert -f \(format) \(options) -O qcow2 - out",
                ])
            #expect(outcome.status == status, "\(line) \(options): \(outcome.errors)")
            #expect(try folder.contents().sorted() == ["sample.raw", "source"])
        }
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
        // QEMU looks for the data file where it runs.
        try shell(folder, "qemu-img check -f qcow2 out")
    }

    /// Runs a line in the folder; throws with what it said when it fails. `gantry` is the one under test.
    private func shell(_ folder: ScratchFolder, _ line: String) throws {
        let program = try Tool.find("gantry")
        try Tool.check(
            "bash", ["-c", "set -e -o pipefail; gantry() { \(program) \"$@\"; }; cd \(folder.path); \(line)"])
    }
}
