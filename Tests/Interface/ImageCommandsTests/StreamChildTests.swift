import CoreTypes
import Foundation
import TestSupport
import Testing

/// Images on a parent that are made of what comes out of a pipe.
@Suite struct StreamChildTests {
    /// `base.raw`, and `changed.raw` that differs from it: other data, zeroes over data, data over zeroes, another length.
    private func disks(_ folder: ScratchFolder, megabytes: Int, random: inout SeededRandom) throws {
        _ = try SampleImage(in: folder, size: 6 << 20, random: &random)
        let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        try Data(noise).write(to: URL(fileURLWithPath: folder.file("noise")))
        try shell(
            folder,
            """
            mv sample.raw base.raw; dd if=noise of=base.raw conv=notrunc status=none
            head -c \(megabytes)M base.raw > changed.raw; truncate -s \(megabytes)M changed.raw
            """)
        let writes = [
            "-c", "write -P 7 70k 9k", "-c", "write -z 1M 300k", "-c", "write -P 8 \(megabytes * 1024 - 10)k 2k", "-c",
            "write -z 3000k 700k",
        ]
        try Tool.check("qemu-io", ["-f", "raw"] + writes + [folder.file("changed.raw")])
    }

    /// Every format that a pipe can bring, with sizes that are known and not, in whatever order its parts come.
    @Test(arguments: [ImageFormat.vhd, .qcow2], [5, 7])
    func aChildIsMadeOfAPipe(_ format: ImageFormat, _ megabytes: Int) throws {
        var random = SeededRandom.printed("\(format) \(megabytes)")
        let folder = try ScratchFolder("pipe-child")
        try disks(folder, megabytes: megabytes, random: &random)
        let (f, words) = (format.rawValue, "gantry image convert")
        try shell(folder, "\(words) -f raw -O \(f) base.raw base.img")
        try shell(
            folder,
            """
            \(words) -f raw -O vhd changed.raw vhd; \(words) -f raw -O vhd -o subformat=fixed changed.raw fixed
            \(words) -c -f raw -O qcow2 changed.raw qcow2; qemu-img convert -f raw -O vhdx changed.raw vhdx
            qemu-img convert -f raw -O vmdk changed.raw vmdk
            """)
        let size = megabytes << 20
        let sources = [
            ("raw", "changed.raw", ""), ("raw", "changed.raw", "--size \(size)"), ("vhd", "vhd", ""),
            ("vhd", "fixed", ""), ("qcow2", "qcow2", "--size \(size)"), ("vhdx", "vhdx", ""), ("vmdk", "vmdk", ""),
        ]
        for (number, (source, file, options)) in sources.enumerated() {
            let parent = number % 2 == 0 ? ("base.img", f) : ("base.raw", "raw")
            let new = "-o backing_file=\(parent.0),backing_fmt=\(parent.1)"
            try shell(
                folder,
                """
                rm -f child; cat \(file) | \(words) -f \(source) \(options) -O \(f) \(new) - child
                gantry image compare -s --parent \(parent.1):\(parent.0) -f raw -F \(f) changed.raw child
                gantry image check -f \(f) child
                """)
            if format == .qcow2, number < 2 {
                try shell(
                    folder, "qemu-img check -q -f qcow2 child; qemu-img compare -f raw -F qcow2 changed.raw child")
                // Only what differs.
                try shell(folder, "test $(stat -c %s child) -lt 1000000")
            }
        }
        // One that comes packed, and is looked at again; a parent that has a parent.
        try shell(
            folder,
            """
            gzip -c changed.raw > packed; gantry image create -f \(f) -b base.img -F \(f) middle
            new="-O \(f) -o backing_file=middle,backing_fmt=\(f) --follow ."
            \(words) --verify --decompress gzip -f raw $new packed last
            gantry image compare -s --follow . -f raw -F \(f) changed.raw last
            """)
    }

    /// The image in the pipe has a parent itself, and so has the new one: another, or the same.
    @Test(arguments: [ImageFormat.vhd, .qcow2])
    func aChildIsMadeOfAChildInAPipe(_ format: ImageFormat) throws {
        var random = SeededRandom.printed("\(format)")
        let folder = try ScratchFolder("pipe-child-child")
        try disks(folder, megabytes: 6, random: &random)
        let (f, words) = (format.rawValue, "gantry image convert")
        try shell(
            folder,
            """
            \(words) -f raw -O \(f) -o backing_file=base.raw,backing_fmt=raw changed.raw child
            truncate -s 6M empty.raw
            for parent in base.raw empty.raw; do
                cat child | \(words) -f \(f) --parent raw:base.raw -O \(f) -o backing_file=$parent,backing_fmt=raw - new
                gantry image compare -s --parent raw:$parent -f raw -F \(f) changed.raw new; rm new
            done
            """)
    }

    /// What a parent loses while it is compared reads as zeroes, and the child would be without it.
    @Test(arguments: ["raw", "qcow2"])
    func aParentThatIsCutShortMeanwhileIsAnError(_ parent: String) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pipe-child-cut")
        try disks(folder, megabytes: 6, random: &random)
        try shell(folder, "gantry image convert -f raw -O \(parent) base.raw base.img; cp base.img kept")
        let program = try Tool.find("gantry")
        // A pipe holds less than a mebibyte, so what compares has begun.
        let source = "{ head -c 3M; truncate -s 1M base.img; cat; } < changed.raw"
        let outcome = try Tool.run(
            "bash",
            [
                "-c",
                "cd \(folder.path); \(source) | \(program) image convert -f raw -O qcow2 "
                    + "-o backing_file=base.img,backing_fmt=\(parent) - child",
            ])
        #expect(outcome.status == 1 && outcome.errors.contains("base.img: the file was cut short"), "\(outcome.errors)")
        #expect(try !folder.contents().contains("child"))
        try shell(
            folder,
            """
            mv kept base.img
            cat changed.raw | gantry image convert -f raw -O qcow2 -o backing_file=base.img,backing_fmt=\(parent) - child
            gantry image compare -s --parent \(parent):base.img -f raw -F qcow2 changed.raw child
            """)
    }

    /// Its reader holds back what may be the footer, and gives whole pieces to who compares them.
    @Test func whatAFixedVHDHasInCommonWithTheParentIsNotStored() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pipe-child-fixed")
        try Data(random.bytes(3 << 20)).write(to: URL(fileURLWithPath: folder.file("base.raw")))
        try shell(
            folder,
            """
            gantry image convert -f raw -O vhd -o subformat=fixed base.raw fixed
            cat fixed | gantry image convert -f vhd -O qcow2 -o backing_file=base.raw,backing_fmt=raw - child
            gantry image compare -s --parent raw:base.raw -f raw -F qcow2 base.raw child
            test $(stat -c %s child) -lt 400000
            """)
    }

    @Test func whatCannotBecomeAChildLeavesNothing() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pipe-child-bad")
        try disks(folder, megabytes: 5, random: &random)
        try shell(folder, "gantry image convert -f raw -O qcow2 changed.raw q")
        let before = Set(try folder.contents())
        let new = "-O qcow2 -o backing_file=base.raw,backing_fmt=raw"
        let tries = [
            ("head -c 300000 q", "-f qcow2 \(new)", 1, "ends after"),
            ("cat q", "-f qcow2 --limit 1M \(new)", 1, "allowed"),
            ("cat q", "-f qcow2 --size 1M \(new)", 1, "not 1048576"),
            ("cat q", "-c -f qcow2 \(new)", 2, "not compressed"),
            ("cat changed.raw", "-f raw -O raw -o backing_file=base.raw,backing_fmt=raw", 2, "belongs to"),
            ("cat q", "-f qcow2 -O qcow2 -o backing_file=none,backing_fmt=raw", 1, "No such file"),
        ]
        let program = try Tool.find("gantry")
        for (line, options, status, says) in tries {
            let outcome = try Tool.run(
                "bash", ["-c", "cd \(folder.path); \(line) | \(program) image convert \(options) - out"])
            #expect(outcome.status == status && outcome.errors.contains(says), "\(options): \(outcome.errors)")
            #expect(try Set(folder.contents()) == before)
        }
    }

    /// Runs lines in the folder; throws with what they said when one fails. `gantry` is the one under test.
    private func shell(_ folder: ScratchFolder, _ lines: String) throws {
        let program = try Tool.find("gantry")
        try Tool.check(
            "bash", ["-c", "set -e -o pipefail; gantry() { \(program) \"$@\"; }; cd \(folder.path); \(lines)"])
    }
}
