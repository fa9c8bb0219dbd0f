import CoreTypes
import Foundation
import TestSupport
import Testing

/// Streams that wait as a whole in a file without a name: what is read more than once, or in another order.
@Suite struct WaitingStreamTests {
    private func sample(_ folder: ScratchFolder) throws {
        var random = SeededRandom.printed()
        _ = try SampleImage(in: folder, size: (6 << 20) + 512, random: &random)
        try shell(
            folder,
            """
            for f in qcow2 vhdx vmdk; do qemu-img convert -f raw -O $f sample.raw $f; done
            gantry image convert -f raw -O vhd sample.raw vhd
            """)
    }

    /// What comes in is compared with what was written, packed, or searched for zeroes.
    @Test func aStreamIsVerifiedCompressedAndSearched() throws {
        let folder = try ScratchFolder("waiting")
        try sample(folder)
        let names = Set(try folder.contents())
        for (format, options, target) in [
            ("raw", "--verify", "vhd"), ("raw", "--verify -c", "qcow2"), ("vhd", "--verify", "raw"),
            ("qcow2", "--verify --zeroes keep", "qcow2"), ("qcow2", "-c --json", "qcow2"), ("vhdx", "--verify", "vhd"),
            ("vmdk", "--verify --zeroes search", "raw"),
        ] {
            let file = format == "raw" ? "sample.raw" : format
            try shell(
                folder,
                """
                cat \(file) | gantry image convert \(options) -f \(format) -O \(target) - out > told
                gantry image compare -f raw -F \(target) sample.raw out; rm out
                """)
        }
        let words = "gantry image convert --verify --json --decompress gzip -f raw -O qcow2"
        try shell(folder, "gzip -c sample.raw | \(words) - out > told")
        let told = try json(String(contentsOfFile: folder.file("told"), encoding: .utf8))
        #expect(told["verified"] as? Bool == true && told["virtual-size"] as? Int == (6 << 20) + 512)
        // Into an image that is there, and holds something else.
        try shell(
            folder,
            """
            tr '\\0' x < sample.raw > there; cat vhd | gantry image convert --verify -n -f vhd -O raw - there
            gantry image compare -f raw -F raw sample.raw there; rm there out told
            """)
        #expect(try Set(folder.contents()) == names)
    }

    /// A snapshot's tables may lie anywhere. One that is on a parent, and one whose disk had another size.
    @Test func aSnapshotComesFromAPipe() throws {
        let folder = try ScratchFolder("waiting-snapshot")
        try sample(folder)
        let words = "gantry image convert -f qcow2"
        try shell(
            folder,
            """
            qemu-img snapshot -c one qcow2; qemu-io -f qcow2 -c 'write -P 9 0 3M' qcow2 > io
            cat qcow2 | \(words) -l one -O raw - was; gantry image compare -s -f raw -F raw sample.raw was
            cat qcow2 | \(words) -l snapshot.name=one --verify -c -O qcow2 - packed
            gantry image compare -s -f raw -F qcow2 sample.raw packed
            cat qcow2 | \(words) -O raw - is; if cmp -s sample.raw is; then exit 1; fi
            cat qcow2 | \(words) -l one -O vhd --limit 8M - - | cat > piped
            gantry image compare -s -f raw -F vhd sample.raw piped
            gantry image create -f qcow2 -b sample.raw -F raw child; qemu-img snapshot -c two child
            qemu-io -f qcow2 -c 'write -P 9 0 3M' child > io
            cat child | \(words) -l two --parent raw:sample.raw -O raw - kept; cmp sample.raw kept
            """)
        let program = try Tool.find("gantry")
        for (line, options, says) in [
            ("cat qcow2", "-f qcow2 -l three", "three"), ("cat sample.raw", "-f raw -l one", "no internal snapshots"),
            ("cat sample.raw", "-f qcow2 -l one", "not a qcow2"),
            ("head -c 300000 qcow2", "-f qcow2 -l one", "snapshot table is not"),
            ("cat child", "-f qcow2 -l two", "--parent"), ("cat qcow2", "-f qcow2 -l one --limit 1M", "allowed"),
            ("cat qcow2", "-f qcow2 -l one --size 1M", "not 1048576"),
        ] {
            let outcome = try Tool.run(
                "bash", ["-c", "cd \(folder.path); \(line) | \(program) image convert \(options) -O raw - bad"])
            #expect(outcome.status == 1 && outcome.errors.contains(says), "\(options): \(outcome.errors)")
            #expect(try !folder.contents().contains { $0 == "bad" || $0.hasSuffix(".partial") })
        }
    }

    /// From a pipe into a pipe, whole or on a parent; never more than was allowed.
    @Test func aStreamGoesFromAPipeIntoAPipe() throws {
        let folder = try ScratchFolder("waiting-pipes")
        try sample(folder)
        let words = "gantry image convert --limit 8M"
        for (format, target) in [
            ("raw", "qcow2"), ("vhd", "raw"), ("qcow2", "vhd"), ("vhdx", "qcow2"), ("vmdk", "vhd"),
        ] {
            try shell(
                folder,
                """
                cat \(format == "raw" ? "sample.raw" : format) | \(words) -f \(format) -O \(target) - - | cat > out
                gantry image compare -f raw -F \(target) sample.raw out
                """)
        }
        try shell(
            folder,
            """
            cp sample.raw base.raw; qemu-io -f raw -c 'write -P 7 70k 9k' -c 'write -z 1M 1M' sample.raw > io
            for f in vhd qcow2; do
                cat sample.raw | \(words) -f raw -O $f -o backing_file=base.raw,backing_fmt=raw - - | cat > out
                gantry image compare -s --parent raw:base.raw -f raw -F $f sample.raw out
            done
            """)
        let program = try Tool.find("gantry")
        for (file, format) in [("sample.raw", "raw"), ("qcow2", "qcow2"), ("vhdx", "vhdx")] {
            let line = "cat \(file) | \(program) image convert --limit 2M -f \(format) -O raw - - | wc -c"
            let outcome = try Tool.run("bash", ["-c", "set -o pipefail; cd \(folder.path); \(line)"])
            #expect(outcome.status == 1 && outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
            #expect(outcome.errors.contains("allowed") || outcome.errors.contains("may be kept"), "\(outcome.errors)")
        }
    }

    /// Runs lines in the folder; throws with what they said when one fails. `gantry` is the one under test.
    private func shell(_ folder: ScratchFolder, _ lines: String) throws {
        let program = try Tool.find("gantry")
        try Tool.check(
            "bash", ["-c", "set -e -o pipefail; gantry() { \(program) \"$@\"; }; cd \(folder.path); \(lines)"])
    }
}
