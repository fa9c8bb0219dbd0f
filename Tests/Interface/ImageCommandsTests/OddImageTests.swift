import CoreTypes
import DiskImages
import Foundation
import TestSupport
import Testing

/// Disks of nothing, of more than 2 TiB, of two sizes, and sources that are their own target.
@Suite struct OddImageTests {
    private func run(_ folder: ScratchFolder, _ line: String) throws -> Tool.Outcome {
        let program = try Tool.find("gantry")
        return try Tool.run(
            "bash",
            ["-c", "set -e -o pipefail; gantry() { \(program) image \"$@\"; }; cd \(folder.path); \(line)"])
    }

    @discardableResult
    private func check(_ folder: ScratchFolder, _ line: String) throws -> String {
        let outcome = try run(folder, line)
        guard outcome.succeeded else { throw Unexpected("\(line): \(outcome.status) \(outcome.errors)") }
        return outcome.output
    }

    @Test("a disk of nothing goes through every command (case 1.1)")
    func aDiskOfNothingGoesThroughEveryCommand() throws {
        let folder = try ScratchFolder("nothing")
        for format in ImageFormat.allCases.map(\.rawValue) {
            try check(folder, "gantry create -f \(format) \(format) 0")
            let info = try json(check(folder, "gantry info -f \(format) --json \(format)"))
            #expect(info["virtual-size"] as? Int == 0)
            #expect(try check(folder, "gantry map -f \(format) --json \(format)").split(separator: "\n") == ["[]"])
            _ = try json(check(folder, "gantry measure -f \(format) -O qcow2 --json \(format)"))
            for other in ImageFormat.allCases.map(\.rawValue) {
                try check(folder, "gantry convert --verify -f \(format) -O \(other) \(format) out")
                try check(folder, "gantry compare -s -f \(format) -F \(other) \(format) out")
            }
            if format != "raw" { try check(folder, "gantry check -f \(format) \(format)") }
            try check(folder, "gantry resize -f \(format) \(format) 1M")
            try check(folder, "gantry resize -f \(format) --shrink \(format) 0")
            let after = try json(check(folder, "gantry info -f \(format) --json \(format)"))
            #expect(after["virtual-size"] as? Int == 0)
        }
        #expect(try FileManager.default.attributesOfItem(atPath: folder.file("raw"))[.size] as? Int == 0)
    }

    @Test("two tebibytes are told and served to the byte (case 1.5)", arguments: [-512, 0, 512])
    func twoTebibytesAreToldAndServedToTheByte(_ more: Int) throws {
        let folder = try ScratchFolder("tebibytes")
        let size = (2 << 40) + more
        for format in ["raw", "qcow2"] {
            let path = folder.file(format)
            try check(
                folder,
                "gantry create -f \(format) \(path) \(size); "
                    + "qemu-io -f \(format) -c 'write -P 7 \(size - 512) 512' \(path)")
            #expect(try json(check(folder, "gantry info -f \(format) --json \(path)"))["virtual-size"] as? Int == size)
            let map = try JSONSerialization.jsonObject(
                with: Data(check(folder, "gantry map -f \(format) --json \(path)").utf8))
            let last = try #require((map as? [[String: Any]])?.last)
            #expect((last["start"] as? Int ?? 0) + (last["length"] as? Int ?? 0) == size)
            #expect(last["data"] as? Bool == true)
            let server = try GantryProcess(["image", "serve", "-f", format, "--socket", folder.file("s"), path])
            _ = try server.line()
            let uri = "nbd+unix:///?socket=\(folder.file("s"))"
            #expect(try Tool.check("nbdinfo", ["--size", uri]) == "\(size)\n")
            let words = [
                "read -P 7 \(size - 512) 512", "write -P 8 \(size - 1024) 512", "read -P 8 \(size - 1024) 512",
            ]
            let io = try Tool.run("qemu-io", ["-f", "raw"] + words.flatMap { ["-c", $0] } + [uri])
            #expect(io.succeeded && !io.output.contains("failed"), "\(io.output) \(io.errors)")
            kill(server.pid, SIGTERM)
            #expect(server.end() == 0)
        }
    }

    @Test("holes and data in turn stay so (case 6.5)", arguments: ["raw", "qcow2"])
    func holesAndDataInTurnStaySo(_ format: String) throws {
        let folder = try ScratchFolder("turns")
        try check(
            folder,
            """
            truncate -s 2M a; for i in $(seq 0 2 510); do \
            printf %4096s x | dd of=a bs=4096 seek=$i conv=notrunc status=none; done
            gantry convert --verify -f raw -O \(format) \(format == "raw" ? "" : "-o cluster_size=4k") a b
            gantry compare -s -f raw -F \(format) a b
            """)
        func allocated(_ name: String, _ format: String) throws -> Int {
            try #require(json(check(folder, "gantry info -f \(format) --json \(name)"))["actual-size"] as? Int)
        }
        let (source, copy) = (try allocated("a", "raw"), try allocated("b", format))
        #expect(source < 3 << 19 && copy <= source + (64 << 10), "\(source) and \(copy)")
    }

    @Test("a stream that comes from its own target is refused (case 6.8)")
    func aStreamThatComesFromItsOwnTargetIsRefused() throws {
        let folder = try ScratchFolder("itself")
        try check(folder, "head -c 1M /dev/urandom > x; cp x kept; ln -s x link; ln x hard; cp x other")
        for words in [
            "-n -f raw -O raw - x", "-n -f raw -O raw - link", "-n -f raw -O raw - hard", "-f raw -O qcow2 - x",
        ] {
            let outcome = try run(folder, "gantry convert \(words) < x")
            #expect(outcome.status == 1 && outcome.errors.contains("the source itself"), "\(words): \(outcome.errors)")
            try check(folder, "cmp x kept")
        }
        try check(folder, "gantry convert -n -f raw -O raw - other < x; cat x | gantry convert -n -f raw -O raw - x")
        try check(folder, "cmp other kept; cmp x kept")
    }

    @Test("a hidden image is told to be hidden (case 2.11)")
    func aHiddenImageIsToldToBeHidden() throws {
        let folder = try ScratchFolder("hidden")
        try check(folder, "gantry create -f vhd a 1M")
        for isHidden in [false, true] {
            try DiskImage.setHidden(path: folder.file("a"), isHidden)
            let info = try json(check(folder, "gantry info -f vhd --json a"))
            let data = try #require((info["format-specific"] as? [String: Any])?["data"] as? [String: Any])
            #expect(data["hidden"] as? Bool == (isHidden ? true : nil))
            #expect(try check(folder, "gantry info -f vhd a").contains("hidden: yes") == isHidden)
        }
    }

    @Test("whoever knows better says which size a VHD has (case 2.2)")
    func whoeverKnowsBetterSaysWhichSizeAVHDHas() throws {
        let folder = try ScratchFolder("two-sizes")
        try check(folder, "gantry create -f vhd a 10G")
        try makeVirtualPCs(folder.file("a"), footers: 2)
        func size(_ words: String) throws -> Int? {
            try json(check(folder, "gantry info -f vhd --json \(words) a"))["virtual-size"] as? Int
        }
        #expect(try size("") == (10 << 30) - 40960 && size("--vhd-size geometry") == (10 << 30) - 40960)
        #expect(try size("--vhd-size field") == 10 << 30)
        try check(folder, "gantry convert --vhd-size field -f vhd -O raw a out; test $(stat -c %s out) = 10737418240")
        try check(folder, "gantry check -r --vhd-size field -f vhd a; gantry resize --vhd-size field -f vhd a 10G")
        #expect(try size("") == 10 << 30)
        try check(folder, "gantry resize --vhd-size field -f vhd a +1G")
        #expect(try size("") == 11 << 30)
    }

    @Test("a fixed VHD by Virtual PC has one size, however it comes (case 2.2)")
    func aFixedVHDHasOneSizeHoweverItComes() throws {
        let folder = try ScratchFolder("one-size")
        try check(folder, "gantry create -f vhd -o subformat=fixed a 10M")
        try makeVirtualPCs(folder.file("a"), footers: 1)
        let size = try #require(json(check(folder, "gantry info -f vhd --json a"))["virtual-size"] as? Int)
        #expect(size < 10 << 20)
        let known = "--size \(size) - out"
        for command in ["a out", "- out < a", "- out --verify < a", "\(known) < a", "\(known) --verify < a"] {
            try check(folder, "rm -f out; gantry convert -f vhd -O raw \(command); test $(stat -c %s out) = \(size)")
            try check(folder, "rm -f out; gantry convert -f vhd -O qcow2 \(command)")
            let made = try json(check(folder, "gantry info -f qcow2 --json out"))
            #expect(made["virtual-size"] as? Int == size, "\(command)")
        }
        try check(folder, "rm out; cat a | gantry convert -f vhd -O raw - out; test $(stat -c %s out) = \(size)")
        // The size that the disk must have is one of these, too.
        try check(
            folder,
            """
            cat a | gantry convert -f vhd -O raw \(known); test $(stat -c %s out) = \(size)
            truncate -s \(size) there; cat a | gantry convert -n -f vhd -O raw --size \(size) - there; cmp out there
            """)
        // So are limits, and a DST that is no longer than the disk.
        try check(
            folder,
            """
            head -c \(size) /dev/zero | tr '\\0' x > there; cat a | gantry convert -n -f vhd -O raw - there; cmp out there
            cat a | gantry convert --limit \(size) -f vhd -O raw - limited; cmp out limited
            truncate -s \(size - 512) short
            if cat a | gantry convert -n -f vhd -O raw - short; then exit 9; fi
            if cat a | gantry convert --limit \(size - 512) -f vhd -O raw - bad; then exit 9; fi; test ! -e bad
            """)
        for other in [10 << 20, size + 512, size - 512] {
            for more in ["", "--verify"] {
                let outcome = try run(folder, "cat a | gantry convert \(more) -f vhd -O raw --size \(other) - bad")
                #expect(outcome.status == 1, "\(other): \(outcome.errors)")
            }
        }
    }

    /// Writes Virtual PC's name into the footers of a VHD.
    private func makeVirtualPCs(_ path: String, footers: Int) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for start in [bytes.count - 512, 0].prefix(footers) {
            bytes.replaceSubrange(start + 28..<start + 32, with: Array("vpc ".utf8))
            bytes.replaceSubrange(start + 64..<start + 68, with: [0, 0, 0, 0])
            let sum = ~bytes[start..<start + 512].reduce(UInt32(0)) { $0 &+ UInt32($1) }
            bytes.replaceSubrange(start + 64..<start + 68, with: (0..<4).map { UInt8(sum >> (24 - 8 * $0) & 255) })
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
