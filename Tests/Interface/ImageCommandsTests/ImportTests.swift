import Foundation
import TestSupport
import Testing

/// Images of formats that can only be read.
@Suite struct ImportTests {
    struct Source: CustomTestStringConvertible, Sendable {
        let format: String
        let options: [String]
        var testDescription: String { "\(format) \(options.joined(separator: " "))" }
    }

    @Test(arguments: [
        Source(format: "vhdx", options: ["-o", "subformat=dynamic"]),
        Source(format: "vhdx", options: ["-o", "subformat=fixed"]),
        Source(format: "vmdk", options: ["-o", "subformat=monolithicSparse"]),
        Source(format: "vmdk", options: ["-o", "subformat=streamOptimized"]),
    ])
    func whatQemuWritesIsConvertedComparedAndDescribed(_ source: Source) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("import")
        let sample = try SampleImage(in: folder, size: 9 << 20, random: &random)
        let path = folder.file("disk.\(source.format)")
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", source.format] + source.options + [sample.raw, path])
        let target = folder.file("out.qcow2")
        try Tool.check("gantry", ["image", "convert", "-f", source.format, "-O", "qcow2", "--verify", path, target])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", sample.raw, target])
        try Tool.check("gantry", ["image", "compare", "-f", source.format, "-F", "raw", path, sample.raw])
        let info = try json(try Tool.check("gantry", ["image", "info", "--probe", "--json", path]))
        #expect(info["format"] as? String == source.format)
        #expect(info["virtual-size"] as? Int == 9 << 20)
    }

    /// A descriptor's extents are other files: they need the caller's word.
    @Test func extentsOfADescriptorAreUsedOnlyWhenAllowed() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("extents")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let path = folder.file("flat.vmdk")
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=monolithicFlat", sample.raw, path])
        let words = ["image", "compare", "-f", "vmdk", "-F", "raw", path, sample.raw]
        let refused = try Tool.run("gantry", words)
        #expect(refused.status == 2)
        let elsewhere = try ScratchFolder("elsewhere")
        #expect(try Tool.run("gantry", words + ["--follow", elsewhere.path]).status == 2)
        try Tool.check("gantry", words + ["--follow", folder.path])
        try Tool.check("gantry", words + ["--extent", folder.file("flat-flat.vmdk")])
    }

    /// Case 4.5: as QEMU, a qcow2 image stands on images of any format.
    @Test(arguments: [("vmdk", "monolithicSparse"), ("vmdk", "monolithicFlat"), ("vhdx", "dynamic")])
    func aQCOW2ImageStandsOnAnImportedOne(_ format: String, _ subformat: String) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("import-parent")
        let sample = try SampleImage(in: folder, size: 6 << 20, random: &random)
        let (program, p) = (try Tool.find("gantry"), "p.\(format)")
        @discardableResult func shell(_ line: String) throws -> String {
            try Tool.check(
                "bash",
                ["-c", "set -e -o pipefail; gantry() { \(program) image \"$@\"; }; cd \(folder.path); \(line)"])
        }
        try shell("qemu-img convert -f raw -O \(format) -o subformat=\(subformat) \(sample.raw) \(p)")
        let extents = subformat == "monolithicFlat" ? "--extent p-flat.vmdk" : ""
        // Made by us, written and read by QEMU, and by us; the size is the parent's.
        try shell("gantry create -f qcow2 -b \(p) -F \(format) \(extents) made; qemu-img check -q -f qcow2 made")
        try shell("qemu-img compare -f raw -F qcow2 sample.raw made")
        try shell("qemu-io -f qcow2 -c 'write -P 3 1M 200k' made; qemu-img convert -f qcow2 -O raw made made.raw")
        try shell("gantry compare -s --parent \(format):\(p) \(extents) -f qcow2 -F raw made made.raw")
        try shell("gantry convert --follow . -f qcow2 -O raw --verify made out.raw; cmp out.raw made.raw")
        // A new one that is the difference, to a file and through a pipe.
        let new = "convert -f raw -O qcow2 -o backing_file=\(p),backing_fmt=\(format) \(extents) made.raw"
        for line in ["gantry \(new) new", "gantry \(new) - | cat > new"] {
            try shell("rm -f new; \(line); qemu-img check -q -f qcow2 new")
            try shell("qemu-img compare -f raw -F qcow2 made.raw new; test $(stat -c %s new) -lt 1500000")
        }
        let chain = try shell("gantry info -f qcow2 --backing-chain --follow . --json new")
        #expect(chain.contains("\"format\" : \"\(format)\""), "\(chain)")
        try shell(
            "cat new | gantry convert -f qcow2 --parent \(format):\(p) \(extents) -O raw - back; cmp back made.raw")
        let refused = try Tool.run(
            "bash", ["-c", "cd \(folder.path); \(program) image commit -f qcow2 --follow . made"])
        #expect(refused.status == 1 && refused.errors.contains("can only be read"), "\(refused.errors)")
        #expect(refused.errors.contains("convert"))
        try shell("gantry rebase -f qcow2 --follow . -b '' made; gantry compare -s -f qcow2 -F raw made made.raw")
        try shell(
            "gantry rebase -f qcow2 -b \(p) -F \(format) \(extents) made; qemu-img compare -f qcow2 -F raw made made.raw"
        )
    }

    /// Two disks of one name and other content: the extent of one is none of the other's.
    @Test func anExtentOfTheSourceIsNoneOfTheParents() throws {
        let folder = try ScratchFolder("extents-of-two")
        let program = try Tool.find("gantry")
        func shell(_ line: String) throws -> Tool.Outcome {
            try Tool.run(
                "bash",
                ["-c", "set -e -o pipefail; gantry() { \(program) image \"$@\"; }; cd \(folder.path); \(line)"])
        }
        let made = try shell(
            """
            for d in A B; do mkdir $d; head -c 1M /dev/urandom > $d.raw
            qemu-img convert -f raw -O vmdk -o subformat=monolithicFlat $d.raw $d/disk.vmdk; done
            """)
        #expect(made.succeeded, "\(made.errors)")
        let new = "gantry convert -f vmdk -O qcow2 -o backing_file=B/disk.vmdk,backing_fmt=vmdk"
        let (a, b) = ("--extent A/disk-flat.vmdk", "--extent B/disk-flat.vmdk")
        for (target, verify) in [("new.qcow2", "--verify"), ("- | cat > new.qcow2", "")] {
            let refused = try shell("\(new) \(verify) \(a) A/disk.vmdk \(target)")
            #expect(refused.status == 1 && refused.errors.contains("disk-flat.vmdk"), "\(refused.errors)")
            let done = try shell("\(new) \(verify) \(a) \(b) A/disk.vmdk \(target)")
            #expect(done.succeeded, "\(done.errors)")
            let same = try shell("qemu-img compare -f raw -F qcow2 A.raw new.qcow2")
            #expect(same.succeeded, "\(same.output)\(same.errors)")
        }
    }

    /// What a pipe cannot be is said before all of it was stored, and a disk as large as the limit is no unknown one.
    @Test func aPipeCostsNoMoreThanItsLimit() throws {
        let folder = try ScratchFolder("pipe-limit")
        let program = try Tool.find("gantry")
        func shell(_ line: String) throws -> Tool.Outcome {
            try Tool.run(
                "bash",
                ["-c", "set -o pipefail; gantry() { \(program) image \"$@\"; }; cd \(folder.path); \(line)"])
        }
        let long = try shell(
            "(printf vhdxfile; head -c 80M /dev/zero) 2> /dev/null | gantry convert -f vhdx --limit 1M -O qcow2 - out")
        #expect(long.errors.contains("may be kept"), "\(long.errors)")
        let large = try shell(
            """
            qemu-img create -q -f vmdk v 8M
            (head -c 512 v; head -c 80M /dev/zero) 2> /dev/null | gantry convert -f vmdk --limit 4M -O qcow2 - out
            """)
        #expect(large.errors.contains("8388608 bytes"), "\(large.errors)")
        let exact = try shell(
            """
            qemu-img create -q -f vhdx x 4M
            cat x | gantry convert -f vhdx --limit 4M -o preallocation=full -O qcow2 - out
            """)
        #expect(exact.succeeded, "\(exact.errors)")
        let mixed = try shell("gantry convert -f vhdx --parent raw:v -O qcow2 x other")
        #expect(mixed.status == 1 && mixed.errors.contains("its own format"), "\(mixed.errors)")
    }

    @Test func importedFormatsAreNeverWritten() throws {
        let folder = try ScratchFolder("readonly")
        let path = folder.file("disk.vhdx")
        try Tool.check("qemu-img", ["create", "-q", "-f", "vhdx", path, "8M"])
        let lines: [(words: [String], status: Int32)] = [
            (["resize", "-f", "vhdx", path, "16M"], 2), (["check", "-f", "vhdx", path], 63),
        ]
        for (words, status) in lines {
            let outcome = try Tool.run("gantry", ["image"] + words)
            #expect(outcome.status == status)
            #expect(outcome.errors.contains("can only be read"))
        }
    }
}
