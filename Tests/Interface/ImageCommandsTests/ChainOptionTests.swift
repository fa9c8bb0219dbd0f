import CoreTypes
import DiskImages
import Foundation
import TestSupport
import Testing

/// Options that say which other files images lean on, and which of two sizes they have: each image gets its own.
@Suite struct ChainOptionTests {
    private func run(_ folder: ScratchFolder, _ line: String) throws -> Tool.Outcome {
        let program = try Tool.find("gantry")
        return try Tool.run(
            "bash",
            ["-c", "set -e -o pipefail; gantry() { \(program) image \"$@\"; }; cd \(folder.path); \(line)"])
    }

    @discardableResult
    private func check(_ folder: ScratchFolder, _ line: String) throws -> Tool.Outcome {
        let outcome = try run(folder, line)
        guard outcome.succeeded else { throw Unexpected("\(line): \(outcome.status) \(outcome.errors)") }
        return outcome
    }

    private func refused(_ folder: ScratchFolder, _ line: String, _ status: Int32, _ says: String) throws {
        let outcome = try run(folder, line)
        #expect(
            outcome.status == status && outcome.errors.contains(says), "\(line): \(outcome.status) \(outcome.errors)")
    }

    @Test func compareReadsEachImageOnItsOwnFiles() throws {
        let folder = try ScratchFolder("own-files")
        try check(
            folder,
            """
            truncate -s 1M a.raw b.raw; printf x | dd of=b.raw bs=1 seek=70000 conv=notrunc status=none; cp a.raw moved
            for name in a b; do
                gantry create -f qcow2 -b $name.raw -F raw $name.q; gantry create -f qcow2 -o data_file=$name.dat $name.d 1M
            done
            gantry create -f qcow2 -b ./a.raw -F raw same.q; qemu-io -f qcow2 -c 'write -P 7 64k 64k' b.d
            """)
        let (parents, data) = (
            "compare -f qcow2 -F qcow2 --parent raw:a.raw", "compare -f qcow2 -F qcow2 --data-file a.dat"
        )
        try refused(folder, "gantry \(parents) a.q b.q", 2, "--parent2")
        try refused(folder, "gantry \(data) a.d b.d", 2, "--data-file2")
        for (line, status) in [
            ("\(parents) --parent2 raw:b.raw a.q b.q", 1), ("\(parents) --parent2 raw:moved a.q b.q", 0),
            ("\(parents) a.q same.q", 0), ("compare -f qcow2 -F qcow2 --follow . --parent2 raw:moved a.q b.q", 0),
            ("\(data) --data-file2 b.dat a.d b.d", 1), ("compare -f raw -F qcow2 --data-file a.dat a.raw a.d", 0),
            ("compare -f qcow2 -F raw --data-file b.dat b.d b.raw", 1),
        ] as [(String, Int32)] {
            let outcome = try run(folder, "gantry \(line)")
            #expect(outcome.status == status, "\(line): \(outcome.errors)")
        }
        try check(
            folder,
            """
            gantry convert -f qcow2 -O raw --data-file b.dat b.d out; qemu-img compare -f qcow2 -F raw b.d out
            gantry snapshot -f qcow2 -c one a.q; mv a.raw away; gantry snapshot -f qcow2 -l a.q | grep one > /dev/null
            """)
        // A parent's data are nobody's to name.
        try refused(folder, "gantry create -f qcow2 -b b.d -F qcow2 child 1M", 1, "is a parent and keeps its data")
        try check(folder, "qemu-img create -q -f qcow2 -u -b b.d -F qcow2 child 1M")
        try refused(
            folder, "gantry map -f qcow2 --data-file b.dat --follow . child", 1, "is a parent and keeps its data")
        // DST stands alone: what is named is SRC's.
        for name in ["b.q", "b.d"] {
            try refused(folder, "gantry convert -n -f raw -O qcow2 b.raw \(name)", 1, "written with -n is one file")
        }
    }

    /// VHDs know their parent, so one that was moved needs to be named once only.
    @Test func twoVHDsOfOneParentThatWasMovedAreCompared() throws {
        let folder = try ScratchFolder("moved-parent")
        try check(
            folder,
            """
            mkdir d; gantry create -f vhd base 4M; gantry create -f vhd other 4M
            gantry create -f vhd -b base -F vhd a; gantry create -f vhd -b ../base -F vhd d/b
            gantry create -f vhd -b other -F vhd c; mv base moved
            gantry compare -f vhd -F vhd --parent vhd:moved a d/b
            """)
        try refused(folder, "gantry compare -f vhd -F vhd --parent vhd:moved a c", 2, "has the identifier")
        try refused(
            folder, "gantry compare -f vhd -F vhd --ignore-identity --parent vhd:moved a c", 2, "on two parents")
    }

    @Test("a parent's name starts where a link at DST leads (case 6.8)")
    func aParentsNameStartsWhereALinkLeads() throws {
        let folder = try ScratchFolder("linked-child")
        try check(
            folder,
            """
            mkdir real links; truncate -s 1M real/base.raw source.raw; truncate -s 64K real/x
            ln -s ../real/x links/x
            gantry convert -f raw -O qcow2 -o backing_file=base.raw,backing_fmt=raw source.raw links/x
            gantry info -f qcow2 real/x | grep base.raw > /dev/null
            cat source.raw | gantry convert -f raw -O qcow2 -o backing_file=base.raw,backing_fmt=raw - links/x
            """)
    }

    @Test(
        "what was disabled on purpose is looked at, and saved, when asked for (case 2.12)",
        arguments: ["dynamic", "fixed"])
    func whatWasDisabledIsLookedAtWhenAskedFor(_ subformat: String) throws {
        let folder = try ScratchFolder("disabled")
        try check(
            folder,
            """
            head -c 3M /dev/zero | tr '\\0' x > a.raw
            gantry convert -f raw -O vhd -o subformat=\(subformat) a.raw a
            """)
        try changeFooters(folder.file("a"), footers: subformat == "fixed" ? 1 : 2) {
            $0.replaceSubrange(..<8, with: Array("v_poison".utf8))
        }
        #expect(try check(folder, "gantry info --probe a").output.contains("disabled on purpose"))
        try refused(folder, "gantry convert -f vhd -O raw a out", 1, "--open-disabled")
        try refused(folder, "gantry check -f vhd a", 1, "--open-disabled")
        for words in ["a.raw", "--open-disabled a.raw", "- "] {
            try refused(folder, "gantry convert -n -f raw -O vhd \(words) a < a.raw", 1, "is not written to")
        }
        try check(folder, "gantry convert --open-disabled -f vhd -O raw a out; cmp a.raw out")
        for repair in ["", "-r leaks", "-r all"] {
            let told = try check(folder, "gantry check --open-disabled \(repair) -f vhd a").output
            #expect(told.contains("v_poison"), "\(told)")
            try refused(folder, "gantry map -f vhd a", 1, "--open-disabled")
        }
    }

    @Test("another parent is taken for recovery only, and told (case 2.10)")
    func anotherParentIsTakenForRecoveryOnly() throws {
        let folder = try ScratchFolder("identity")
        try check(
            folder,
            """
            gantry create -f vhd base 4M; gantry create -f vhd other 4M
            gantry create -f vhd -b base -F vhd child
            """)
        try refused(folder, "gantry convert -f vhd -O raw --parent vhd:other child out", 1, "--ignore-identity")
        let told = try check(folder, "gantry convert -f vhd -O raw --ignore-identity --parent vhd:other child out")
        #expect(told.errors.contains("the parent has the identifier"), "\(told.errors)")
    }

    /// The old VHD's size field is right, says somebody, and its geometry is what programs like its creator go by.
    @Test("the size that is said is that of parents and of DST, too (case 2.2)")
    func theSizeThatIsSaidIsThatOfParentsToo() throws {
        let folder = try ScratchFolder("said-size")
        try check(
            folder,
            """
            head -c 10M /dev/zero | tr '\\0' x > full.raw; truncate -s 10M zero.raw
            gantry convert -f raw -O vhd full.raw old; cp old there; gantry create -f vhd base 10M
            gantry convert -f raw -O vhd -o backing_file=base,backing_fmt=vhd full.raw middle
            gantry create -f vhd --follow . -b middle -F vhd child
            """)
        for name in ["old", "there", "middle"] {
            try changeFooters(folder.file(name), footers: 2) { $0.replaceSubrange(28..<32, with: Array("vpc ".utf8)) }
        }
        let new = "convert --vhd-size field -f raw -O qcow2 -o backing_file=old,backing_fmt=vhd"
        try check(
            folder,
            """
            for words in '' --verify; do
                gantry \(new) $words zero.raw new
                gantry compare -s --vhd-size field --parent vhd:old -f raw -F qcow2 zero.raw new
            done
            gantry \(new) zero.raw - > piped
            gantry compare -s --vhd-size field --parent vhd:old -f raw -F qcow2 zero.raw piped
            gantry convert -n --verify --vhd-size field -f raw -O vhd zero.raw there
            gantry compare -s --vhd-size field -f raw -F vhd zero.raw there
            """)
        try refused(folder, "gantry convert -n -f raw -O vhd zero.raw there", 1, "10485760")
        try refused(
            folder,
            "gantry convert --vhd-size geometry -f raw -O vhd -o backing_file=old,backing_fmt=vhd zero.raw new", 2,
            "size field")
        // What the middle's field knows goes to the base, and the child shows it there.
        try check(
            folder,
            """
            gantry coalesce --vhd-size field --follow . -f vhd --child vhd:child middle; rm middle
            gantry compare -s --follow . -f raw -F vhd full.raw child
            """)
    }

    /// Changes the footers of a VHD, and their checksums.
    private func changeFooters(_ path: String, footers: Int, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for start in [bytes.count - 512, 0].prefix(footers) {
            var footer = Array(bytes[start..<start + 512])
            change(&footer)
            footer.replaceSubrange(64..<68, with: [0, 0, 0, 0])
            let sum = ~footer.reduce(UInt32(0)) { $0 &+ UInt32($1) }
            footer.replaceSubrange(64..<68, with: (0..<4).map { UInt8(sum >> (24 - 8 * $0) & 255) })
            bytes.replaceSubrange(start..<start + 512, with: footer)
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
