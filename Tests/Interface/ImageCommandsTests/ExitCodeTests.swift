import Foundation
import TestSupport
import Testing

@Suite struct ExitCodeTests {
    struct Line: CustomTestStringConvertible, Sendable {
        let words: String
        let status: Int32
        /// What standard error must contain.
        let says: String
        var testDescription: String { words }
    }

    @Test(arguments: [
        Line(words: "image convert --follow . -f vhd -O raw - x", status: 2, says: "names in a stream"),
        Line(words: "image convert --data-file a.raw -f qcow2 -O raw - x", status: 2, says: "not in the stream"),
        Line(
            words: "image convert -f raw -O qcow2 -o backing_file=b,backing_fmt=raw --size 1M - x", status: 1,
            says: "No such file"),
        Line(
            words: "image convert -f raw -O qcow2 -o backing_file=b,backing_fmt=raw a.raw -", status: 1,
            says: "No such file"),
        Line(
            words: "image convert -f raw -O raw -o backing_file=b,backing_fmt=raw a.raw -", status: 2,
            says: "belongs to vhd and qcow2"),
        Line(words: "image convert --vhd-size field -f vhd -O raw - x", status: 2, says: "--vhd-size needs SRC"),
        Line(words: "image info --vhd-size largest -f vhd a.raw", status: 2, says: "geometry"),
        Line(words: "image measure -O qcow2 -o extended_l2=on --size 1500T", status: 1, says: "1.00 PiB"),
        Line(words: "image measure -O qcow2 -o compat=0.10,refcount_bits=8 --size 1G", status: 1, says: "version 3"),
        Line(words: "image create -f vhd -b a.raw -F vmdk x 1M", status: 1, says: "nothing in it could say"),
        Line(words: "image create -f qcow2 -b a.raw -F gzip x 1M", status: 2, says: "gzip"),
        Line(words: "image convert -f raw -O qcow2 missing x", status: 1, says: "No such file"),
        Line(words: "image convert -c -f raw -O vhd a.raw x", status: 2, says: "cannot be compressed"),
        Line(words: "image convert -f qcow2 -O raw - x", status: 1, says: "not a qcow2"),
        Line(words: "image convert -f raw -O qcow2 - -", status: 2, says: "--limit must say"),
        Line(words: "image convert -f vhdx -O qcow2 - x", status: 1, says: "not a VHDX"),
        Line(words: "image convert --verify -f raw -O qcow2 a.raw -", status: 2, says: "cannot be read back"),
        Line(words: "image convert -c -f raw -O qcow2 a.raw -", status: 2, says: "tables of an image in a pipe"),
        Line(words: "image convert -l one -f vhd -O raw - x", status: 1, says: "no internal snapshots"),
        Line(
            words: "image convert --verify --follow . -f vhd -O qcow2 -o cluster_size=4K - x", status: 2,
            says: "names in a stream"),
        Line(words: "image check -f qcow2 -", status: 1, says: "stream"),
        Line(words: "image convert -f raw -O vmdk a.raw x", status: 2, says: "vmdk images can only be read"),
        Line(words: "image convert -f qcow2 -O raw a.raw x", status: 1, says: "try:"),
        Line(words: "image convert -f raw -O qcow2 -o preallocation=some a.raw x", status: 2, says: "metadata"),
        Line(words: "image convert -f raw -O qcow2 -o nonsense=1 a.raw x", status: 2, says: "cluster_size"),
        Line(words: "image convert -f raw -O raw -o cluster_size=64K a.raw x", status: 2, says: "belongs to qcow2"),
        Line(words: "image convert -f raw -O qcow2 -o cluster_size=63K a.raw x", status: 2, says: "power of two"),
        Line(words: "image convert --zeroes some -f raw -O raw a.raw x", status: 2, says: "'search' or 'keep'"),
        Line(words: "image convert --zeroes keep -c -f raw -O qcow2 a.raw x", status: 2, says: "leaves zeroes out"),
        Line(words: "image convert --zeroes keep -f raw -O qcow2 a.raw -", status: 2, says: "DST to be a file"),
        Line(words: "image convert --salvage -f raw -O raw - x", status: 2, says: "SRC and DST to be files"),
        Line(words: "image convert --salvage -f raw -O raw a.raw -", status: 2, says: "SRC and DST to be files"),
        Line(words: "image convert --salvage --verify -f raw -O raw a.raw x", status: 2, says: "gives twice"),
        Line(
            words: "image convert --salvage -f raw -O qcow2 -o backing_file=b,backing_fmt=raw a.raw x", status: 2,
            says: "hide what the parent has"),
        Line(words: "image convert -O qcow2 a.raw x", status: 2, says: "-f"),
        Line(words: "image convert -f raw -O qcow3 a.raw x", status: 2, says: "qcow3"),
        // No command that opens an image guesses its format.
        Line(words: "image check a.raw", status: 1, says: "-f"),
        Line(words: "image resize a.raw 2M", status: 2, says: "-f"),
        Line(words: "image map a.raw", status: 2, says: "-f"),
        Line(words: "image measure a.raw", status: 2, says: "-f"),
        Line(words: "image compare -f raw a.raw a.raw", status: 2, says: "-F"),
        Line(words: "image serve --socket x a.raw", status: 2, says: "-f"),
        // Nobody who asks for TLS is served in the clear.
        Line(words: "image serve -f raw --socket x --tls require a.raw", status: 2, says: "--tls-certificates"),
        Line(words: "image serve -f raw --socket x --no-tls-verify-peer a.raw", status: 2, says: "--tls-certificates"),
        Line(words: "image mirror -O raw --socket x a.raw x", status: 2, says: "-f"),
        Line(words: "image snapshot -l a.raw", status: 2, says: "-f"),
        Line(words: "image bitmap --add a.raw one", status: 2, says: "-f"),
        Line(words: "image rebase -u -b x a.raw", status: 2, says: "-f"),
        Line(words: "image commit a.raw", status: 2, says: "-f"),
        Line(words: "image coalesce a.raw", status: 2, says: "-f"),
        Line(words: "image create -f vhd x 3T", status: 1, says: "too many for the format vhd"),
        Line(words: "image create -f vhd x 2041G", status: 1, says: "ends at 2190433320960 bytes"),
        Line(words: "image convert --limit 512K -f raw -O qcow2 a.raw x", status: 1, says: "524288 are allowed"),
        Line(words: "image convert --size 1M -f raw -O qcow2 a.raw x", status: 2, says: "--size is for streams"),
        Line(words: "image convert --size 1M -f raw -O vhd a.raw -", status: 2, says: "--size is for streams"),
        Line(words: "image convert -f raw -O vhd -o max_size=2T a.raw -", status: 1, says: "max_size"),
        Line(
            words: "image convert -f raw -O vhd -o subformat=fixed,max_size=20G a.raw -", status: 1, says: "max_size"),
        Line(words: "image convert -f raw -O qcow2 -o compression_type=zstd a.raw -", status: 1, says: "type zstd"),
        Line(words: "image convert -f raw -O qcow2 -o data_file_raw=on a.raw -", status: 1, says: "raw data file"),
        Line(words: "image convert --limit=-5G -f raw -O raw a.raw x", status: 2, says: "-5G"),
        Line(words: "image convert --size +1M -f raw -O raw - x", status: 2, says: "+1M"),
        Line(words: "image bench -f raw -s +4K a.raw", status: 2, says: "+4K"),
        Line(
            words: "image measure -O vhd -o subformat=fixed,max_size=20G --size 1G", status: 1,
            says: "tables for growth"),
        Line(words: "image measure -O raw -o preallocation=metadata --size 1G", status: 1, says: "no metadata"),
        Line(
            words: "image measure -O vhd -o backing_file=b,backing_fmt=vmdk --size 1G", status: 1, says: "nothing in it"
        ),
        Line(words: "image create -f qcow2 --data-file a.raw x 1M", status: 2, says: "-o data_file=PATH"),
        Line(
            words: "image create -f qcow2 -b a.raw -F raw -o backing_file=b,backing_fmt=raw x", status: 2,
            says: "give one of them"),
        Line(words: "image snapshot -f qcow2 -d one --json a.raw", status: 2, says: "-l and -c"),
        Line(words: "image create -f qcow2 x", status: 2, says: "SIZE"),
        Line(words: "image create -f qcow2 x 1Q", status: 2, says: "1Q"),
        Line(words: "image create -f qcow2 -b a.raw x", status: 2, says: "-F"),
        Line(words: "image info a.raw", status: 2, says: "--probe"),
        Line(words: "image check -f raw a.raw", status: 63, says: "no structure"),
        Line(words: "image check -f qcow2 -r some a.raw", status: 1, says: "leaks"),
        Line(words: "image resize -f raw a.raw 1Q", status: 2, says: "1Q"),
        Line(words: "image resize -f vhd a.raw 1G", status: 1, says: "not a VHD"),
        Line(words: "image snapshot -f qcow2 a.raw", status: 2, says: "-l"),
        Line(words: "image snapshot -f raw -l a.raw", status: 1, says: "no snapshots"),
        Line(words: "image bitmap -f qcow2 a.raw one", status: 2, says: "--add"),
        Line(words: "image bitmap -f qcow2 --enable --disable a.raw one", status: 2, says: "either"),
        Line(words: "image bitmap -f qcow2 --merge two -b a.raw a.raw one", status: 2, says: "-F"),
        Line(words: "image bitmap -f raw --add a.raw one", status: 1, says: "no bitmaps"),
        Line(words: "image resize -f qcow2 a.raw 1G", status: 1, says: "not a qcow2"),
        Line(words: "image bench -f raw -d 1000 a.raw", status: 2, says: "256"),
        Line(words: "image serve -f raw a.raw", status: 2, says: "--socket"),
        Line(words: "image compare -f raw -F raw a.raw", status: 2, says: "file2"),
        Line(words: "image compare -f raw -F qcow2 a.raw a.raw", status: 2, says: "why:"),
        Line(words: "image create -f raw -b a.raw -F raw x", status: 1, says: "cannot have a parent"),
        Line(words: "image nonsense", status: 2, says: "nonsense"),
        Line(words: "host stop --state-dir x", status: 2, says: "--run-dir"),
    ])
    func aFailureHasItsDocumentedCodeAndReason(_ line: Line) throws {
        let folder = try ScratchFolder("exit")
        let file = folder.file("a.raw")
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", file, "1M"])
        let words = line.words.split(separator: " ").map { word in
            word == "a.raw" ? file : word == "x" || word == "missing" ? folder.file(String(word)) : String(word)
        }
        let outcome = try Tool.run("gantry", words)
        #expect(outcome.status == line.status)
        #expect(outcome.errors.contains(line.says), "\(outcome.errors)")
        #expect(!outcome.errors.contains(".partial"), "\(outcome.errors)")
        #expect(try folder.contents() == ["a.raw"])
    }

    @Test func outputThatDoesNotGetThereIsAFailure() throws {
        let folder = try ScratchFolder("output")
        let file = folder.file("a.raw")
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", file, "1M"])
        let (program, pipe) = (try Tool.find("gantry"), folder.file("pipe"))
        try Tool.check("mkfifo", [pipe])
        for words in ["map --json -f raw", "map -f raw", "info --json -f raw"] {
            let full = try Tool.run("sh", ["-c", "\(program) image \(words) \(file) > /dev/full"])
            #expect(full.status == 1 && full.errors.contains("No space left"), "\(words): \(full.errors)")
            // Who reads no more knows it.
            let closed = try Tool.run(
                "bash", ["-c", "exec 3<>'\(pipe)' 4>'\(pipe)' 3<&-; \(program) image \(words) \(file) >&4"])
            #expect(closed.status == 1 && closed.errors == "", "\(words): \(closed.errors)")
        }
        let full = try Tool.run("sh", ["-c", "\(try Tool.find("xe")) -version > /dev/full"])
        #expect(full.status == 1 && full.errors.contains("No space left"), "\(full.errors)")
    }

    /// What is opened first must not become a standard descriptor: words for the user would go into the image.
    @Test func aClosedDescriptorIsNotAnImages() throws {
        let folder = try ScratchFolder("closed")
        let (raw, made, socket) = (folder.file("a.raw"), folder.file("made"), folder.file("s"))
        try Data((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 / 7) }).write(to: URL(fileURLWithPath: raw))
        let program = try Tool.find("gantry")
        func run(_ words: String) throws -> Tool.Outcome { try Tool.run("sh", ["-c", "'\(program)' image \(words)"]) }
        for format in ["qcow2", "vhd"] {
            let outcome = try run("convert -p -f raw -O \(format) '\(raw)' '\(made)' 2>&- >&- <&-")
            #expect(outcome.status == 0, "\(format)")
            let judge = format == "vhd" ? "vpc" : format
            try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", judge, raw, made])
            try FileManager.default.removeItem(atPath: made)
        }
        // There is nothing to read.
        #expect(try run("convert -f raw -O raw - '\(made)' <&-").status == 1)
        #expect(try folder.contents() == ["a.raw"])
        let before = try Data(contentsOf: URL(fileURLWithPath: raw))
        let served = try Tool.run(
            "bash",
            [
                "-c",
                "'\(program)' image serve -f raw --socket '\(socket)' '\(raw)' >&- 2>&- <&- & "
                    + "until [ -S '\(socket)' ]; do kill -0 $! || exit 9; sleep 0.01; done; kill $!; wait $!",
            ])
        #expect(served.status != 9)
        #expect(try Data(contentsOf: URL(fileURLWithPath: raw)) == before)
    }

    /// Two such names would be one name with U+FFFD, and the second image would replace the first.
    @Test(
        "a name that is not UTF-8 is refused by name (case 6.11)",
        arguments: [
            ("image create -f raw", 2), ("image check -f raw", 1), ("image info -f raw", 2), ("host stop --run-dir", 2),
        ] as [(String, Int32)])
    func aNameThatIsNotUTF8IsRefused(_ words: String, _ status: Int32) throws {
        try expectRefusal("gantry", words + " ", status)
    }

    @Test("other programs refuse such a name, too (case 6.11)")
    func aNameThatIsNotUTF8IsRefusedEverywhere() throws {
        try expectRefusal("xe", "vdi-import filename=", 1)
        try expectRefusal("quicktest", "--", 2)
        let folder = try ScratchFolder("names")
        let words = "serve --state-dir '\(folder.path)'/$'d\\xe8' --run-dir '\(folder.path)/run'"
        let daemon = try Tool.run("bash", ["-c", "'\(try Tool.find("gantryd"))' \(words)"])
        #expect(daemon.status != 0 && daemon.errors.contains("not UTF-8"), "\(daemon.errors)")
        #expect(try folder.contents() == [])
        // What is UTF-8 is taken as it is.
        let name = "dè\u{1F600}.raw"
        try Tool.check("gantry", ["image", "create", "-f", "raw", folder.file(name), "1M"])
        #expect(try folder.contents() == [name])
    }

    private func expectRefusal(_ program: String, _ words: String, _ status: Int32) throws {
        let folder = try ScratchFolder("names")
        let outcome = try Tool.run(
            "bash", ["-c", "cd '\(folder.path)' && '\(try Tool.find(program))' \(words)$'d\\xe8.raw' 1M"])
        #expect(outcome.status == status, "\(words): \(outcome.errors)")
        #expect(outcome.errors.contains("d\\xE8.raw” is not UTF-8"), "\(words): \(outcome.errors)")
        #expect(try folder.contents() == [])
    }

    @Test func helpIsNoFailure() throws {
        for words in [["--help"], ["image", "--help"], ["image", "convert", "--help"], ["host", "stop", "--help"]] {
            let outcome = try Tool.run("gantry", words)
            #expect(outcome.succeeded)
            // The whole command line, although a command that is understood is parsed alone.
            #expect(outcome.output.contains("USAGE: gantry" + words.dropLast().map { " " + $0 }.joined()))
        }
        let refused = try Tool.run("gantry", ["image", "info", "--nonsense", "a.raw"])
        #expect(refused.status == 2 && refused.errors.contains("Usage: gantry image info"), "\(refused.errors)")
    }

    /// A name that is not UTF-8 is no other name: nothing is made, replaced or read under one (case 6.11).
    @Test(arguments: [
        ("create -f raw $'d\\xe8.raw' 1M", 2), ("convert -f raw -O raw mine.raw $'d\\xe9.raw'", 2),
        ("info -f raw $'lat\\xe9.raw'", 2), ("check -f qcow2 $'lat\\xe9.raw'", 1),
    ])
    func aNameThatIsNotUTF8IsNoOtherName(words: String, status: Int32) throws {
        let folder = try ScratchFolder("odd-names")
        try Tool.check("truncate", ["-s", "1M", folder.file("mine.raw"), folder.file("d\u{FFFD}.raw")])
        let before = try folder.contents()
        let outcome = try Tool.run(
            "bash", ["-c", "cd \(folder.path); exec \(try Tool.find("gantry")) image \(words)"])
        #expect(outcome.status == status && outcome.errors.contains("UTF-8"), "\(outcome.errors)")
        #expect(try folder.contents() == before)
    }
}
