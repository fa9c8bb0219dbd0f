import CoreTypes
import Foundation
import TestSupport
import Testing

@Suite struct ConvertTests {
    @Test(arguments: Direction.all)
    func everyDirectionGivesAnImageThatQemuFindsEqual(_ direction: Direction) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert")
        let sample = try SampleImage(
            in: folder, size: 512 * Int.random(in: 20_000...40_000, using: &random), random: &random)
        // As long as a name may be.
        let target = folder.file(String(repeating: "t", count: 255))
        let outcome = try Tool.run(
            "gantry",
            [
                "image", "convert", "-p", "-f", direction.source.rawValue, "-O", direction.target.rawValue, "--verify",
                try sample.path(direction.source), target,
            ])
        try #require(outcome.succeeded, "\(outcome.errors)")
        // Standard error is no terminal: whole lines, nothing is drawn over.
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("converting: ") || $0.hasPrefix("verifying: ") }, "\(lines)")
        for phase in ["converting", "verifying"] {
            #expect(lines.contains { $0.hasPrefix("\(phase): 100%") }, "\(lines)")
        }
        #expect(!outcome.errors.contains("\r") && outcome.errors.hasSuffix("\n"))
        let compared = try Tool.run(
            "qemu-img", ["compare", "-f", "raw", "-F", direction.target.qemuName, sample.raw, target])
        #expect(compared.succeeded, "\(compared.output)\(compared.errors)")
        if direction.target == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", target]) }
        #expect(try folder.contents().filter { $0.hasSuffix(".partial") } == [])
    }

    @Test func optionsReachTheNewImage() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert")
        let sample = try SampleImage(in: folder, size: 8 << 20, random: &random)
        let clusters = folder.file("c.qcow2")
        try Tool.check(
            "gantry", ["image", "convert", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=4K", sample.raw, clusters])
        let info = try json(try Tool.check("qemu-img", ["info", "--output=json", clusters]))
        #expect(info["cluster-size"] as? Int == 4096)
        let fixed = folder.file("f.vhd")
        try Tool.check(
            "gantry", ["image", "convert", "-f", "raw", "-O", "vhd", "-o", "subformat=fixed", sample.raw, fixed])
        let size = try FileManager.default.attributesOfItem(atPath: fixed)[.size] as? Int
        #expect(size == (8 << 20) + 512)
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "vpc", sample.raw, fixed])
    }

    /// Six pieces of 64 KiB, in memory: there, space is counted by the page and nothing is cloned.
    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2])
    func zeroesThatTheSourceStoresAreTreatedAsAsked(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = "/dev/shm/gantry-zeroes-\(random.next())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let page = random.bytes(4096).map { $0 | 1 }
        // Of 16 pages: data, zeroes, both in three orders. The sixth piece is a hole.
        var content: [UInt8] = []
        let pieces = [
            "dddddddddddddddd", "0000000000000000", "0000dddddddddddd", "dddddddd00000000", "dddd00000000dddd",
        ]
        for letter in pieces.joined() { content += letter == "d" ? page : [UInt8](repeating: 0, count: 4096) }
        let source = folder + "/source"
        try Data(content).write(to: URL(fileURLWithPath: source))
        try #require(FileHandle(forUpdatingAtPath: source)).truncate(atOffset: 6 * 65536)
        var sizes: [Int] = []
        for how in ["keep", "sample", "search"] {
            let target = folder + "/" + how
            try Tool.check(
                "gantry",
                ["image", "convert", "--zeroes", how, "-f", "raw", "-O", format.rawValue, "--verify", source, target])
            try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", format.qemuName, source, target])
            let info = try json(
                try Tool.check("gantry", ["image", "info", "-f", format.rawValue, "--json", target]))
            sizes.append(try #require(info["actual-size"] as? Int))
        }
        // The second piece whole, four pages before and eight behind data; then also the eight between data.
        #expect(sizes[0] - sizes[1] == (16 + 4 + 8) * 4096 && sizes[1] - sizes[2] == 8 * 4096, "\(sizes)")
        if format == .raw { #expect(sizes[0] == 5 * 65536) }
        // What happens when nothing is said.
        let target = folder + "/default"
        try Tool.check("gantry", ["image", "convert", "-f", "raw", "-O", format.rawValue, source, target])
        let info = try json(try Tool.check("gantry", ["image", "info", "-f", format.rawValue, "--json", target]))
        #expect(info["actual-size"] as? Int == sizes[1])
    }

    /// With what the command does when nothing is said: blocks are shared where that is possible.
    @Test("a disk of stored zeroes becomes an image that is whole (case 6.5)", arguments: ["sample", "search", "keep"])
    func aDiskOfStoredZeroesBecomesAnImageThatIsWhole(_ how: String) throws {
        let folder = try ScratchFolder("convert")
        let (raw, image) = (folder.file("zero.raw"), folder.file("zero.qcow2"))
        try Data(count: 1 << 20).write(to: URL(fileURLWithPath: raw))
        try Tool.check("gantry", ["image", "convert", "--zeroes", how, "-f", "raw", "-O", "qcow2", raw, image])
        try Tool.check("qemu-img", ["check", "-f", "qcow2", image])
        try Tool.check("gantry", ["image", "check", "-f", "qcow2", image])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", raw, image])
    }

    @Test("writing into an existing image replaces its content (case 6.6)")
    func writingIntoAnExistingImageReplacesItsContent() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert")
        let sample = try SampleImage(in: folder, size: 8 << 20, random: &random)
        let target = folder.file("t.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", target, "8M"])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 0xAB 0 8M", target])
        try Tool.check("gantry", ["image", "convert", "-n", "-f", "raw", "-O", "qcow2", sample.raw, target])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", sample.raw, target])
    }

    @Test(
        "what a larger image holds behind the source is no difference (case 6.6)", arguments: [ImageFormat.raw, .qcow2])
    func theRestOfALargerImageIsNoDifference(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert")
        let sample = try SampleImage(in: folder, size: 2 << 20, random: &random)
        let target = folder.file("target")
        try Tool.check("qemu-img", ["create", "-q", "-f", format.rawValue, target, "3M"])
        try Tool.check("qemu-io", ["-f", format.rawValue, "-c", "write -P 0xAB 0 3M", target])
        try Tool.check(
            "gantry", ["image", "convert", "-n", "--verify", "-f", "raw", "-O", format.rawValue, sample.raw, target])
        let out = folder.file("out")
        try Tool.check("qemu-img", ["convert", "-f", format.rawValue, "-O", "raw", target, out])
        let content = try Data(contentsOf: URL(fileURLWithPath: out))
        #expect(try content.prefix(2 << 20) == Data(contentsOf: URL(fileURLWithPath: sample.raw)))
        #expect(content.dropFirst(2 << 20).allSatisfy { $0 == 0xAB })
    }

    /// One flush of the file before it gets its name, one of the folder after, and no other.
    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2])
    func aNewImageIsDurableBeforeItGetsItsName(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("durable")
        let sample = try SampleImage(in: folder, size: 8 << 20, random: &random)
        let trace = folder.file("trace")
        try Tool.check(
            "strace",
            [
                "-f", "-y", "-e", "trace=fsync,fdatasync,sync_file_range,rename,renameat,renameat2,linkat", "-o", trace,
                try Tool.find("gantry"), "image", "convert", "-f", "raw", "-O", format.rawValue, sample.raw,
                folder.file("new"),
            ])
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            .filter { line in
                ["sync(", "rename", "linkat(", "sync_file_range("].contains { line.contains($0) }
                    && !line.contains("resumed>")
            }
        try #require(calls.count == 3, "\(calls)")
        #expect(calls[0].contains("fdatasync(") && calls[0].contains(".partial>"))
        #expect(calls[1].contains("rename(") && calls[1].contains("/new\""))
        #expect(calls[2].contains("fsync(") && !calls[2].contains(".partial"))
    }

    /// What was under the name before stays as it was, and no other file is left.
    @Test("an interrupted conversion leaves nothing (case 6.12)", arguments: [SIGTERM, SIGINT])
    func anInterruptedConversionLeavesNothing(_ signal: Int32) throws {
        let (folder, process) = try conversionUnderWay()
        kill(process.pid, signal)
        #expect(process.end() == 1)
        #expect(try folder.contents() == ["big.raw", "target"])
        #expect(try String(contentsOfFile: folder.file("target"), encoding: .utf8) == "old")
    }

    /// Even a killed one leaves no half-written image under the name that was asked for.
    @Test("a killed conversion leaves the name alone (case 6.12)")
    func aKilledConversionLeavesTheNameAlone() throws {
        let (folder, process) = try conversionUnderWay()
        kill(process.pid, SIGKILL)
        #expect(process.end() == -SIGKILL)
        #expect(try String(contentsOfFile: folder.file("target"), encoding: .utf8) == "old")
    }

    /// A conversion of 256 MiB that has begun to write, over an existing file.
    private func conversionUnderWay() throws -> (ScratchFolder, GantryProcess) {
        let folder = try ScratchFolder("interrupt")
        let source = folder.file("big.raw")
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", source, "256M"])
        try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 0x5A 0 256M", source])
        try "old".write(toFile: folder.file("target"), atomically: true, encoding: .utf8)
        let process = try GantryProcess(["image", "convert", "-f", "raw", "-O", "qcow2", source, folder.file("target")])
        while process.process.isRunning, try !folder.contents().contains(where: { $0.hasSuffix(".partial") }) {
            sched_yield()
        }
        return (folder, process)
    }

    /// Also while it is written: what is private is never anybody else's.
    @Test(arguments: [0o600, 0o640, 0o664])
    func aReplacedFileKeepsItsPermissions(_ mode: Int) throws {
        let folder = try ScratchFolder("permissions")
        let (raw, target) = (folder.file("raw"), folder.file("target"))
        try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: raw))
        try "old".write(toFile: target, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target)
        // Somebody else's, where the test may give files away.
        let isRoot = geteuid() == 0
        if isRoot { #expect(unsafe chown(target, 12345, 23456) == 0) }
        let trace = folder.file("trace")
        try Tool.check(
            "strace",
            [
                "-f", "-y", "-e", "trace=fchmod,write,pwrite64,copy_file_range,rename", "-o", trace,
                try Tool.find("gantry"), "image", "convert", "-f", "raw", "-O", "raw", raw, target,
            ])
        let found = try FileManager.default.attributesOfItem(atPath: target)
        #expect(found[.posixPermissions] as? Int == mode)
        if isRoot {
            #expect(found[.ownerAccountID] as? Int == 12345 && found[.groupOwnerAccountID] as? Int == 23456)
        }
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        let set = try #require(calls.lastIndex { $0.contains("fchmod(") && $0.contains(".partial") })
        let data = try #require(calls.firstIndex { $0.contains("copy_file_range(") || $0.contains("pwrite64(") })
        #expect(set < data)
    }

    @Test("a source is never its own target, decompressed or not (case 6.8)")
    func aCompressedSourceIsNeverItsOwnTarget() throws {
        let folder = try ScratchFolder("same")
        let packed = folder.file("x.gz")
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: folder.file("x")))
        try Tool.check("gzip", [folder.file("x")])
        let before = try Data(contentsOf: URL(fileURLWithPath: packed))
        let outcome = try Tool.run(
            "gantry", ["image", "convert", "-n", "--decompress", "gzip", "-f", "raw", "-O", "raw", packed, packed])
        #expect(outcome.status == 1 && outcome.errors.contains("source itself"), "\(outcome.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: packed)) == before)
    }

    @Test("what the source builds on is never the target (case 6.8)", arguments: ["vhd", "qcow2"])
    func anAncestorOfTheSourceIsNeverTheTarget(_ format: String) throws {
        let folder = try ScratchFolder("convert")
        let (base, child) = (folder.file("base"), folder.file("child"))
        try Tool.check("gantry", ["image", "create", "-f", format, base, "8M"])
        try Tool.check("gantry", ["image", "create", "-f", format, "-b", "base", "-F", format, child])
        let before = try Data(contentsOf: URL(fileURLWithPath: base))
        for words in [[], ["-n"]] {
            let outcome = try Tool.run(
                "gantry",
                ["image", "convert", "-f", format, "-O", format, "--follow", folder.path] + words + [child, base])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("use"), "\(outcome.errors)")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: base)) == before)
        #expect(try folder.contents() == ["base", "child"])
    }

    /// What it should lead to is anybody's guess, and a file in the link's place is not what was asked for.
    @Test func aLinkToNothingIsNoTarget() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let link = folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.file("nothing"))
        let outcome = try Tool.run("gantry", ["image", "convert", "-f", "raw", "-O", "qcow2", sample.raw, link])
        #expect(outcome.status == 1 && outcome.errors.contains("leads to nothing"), "\(outcome.errors)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == folder.file("nothing"))
        #expect(try folder.contents().sorted() == ["link", "sample.raw"])
        // One that leads to a file is followed, and stays.
        try Data().write(to: URL(fileURLWithPath: folder.file("nothing")))
        try Tool.check("gantry", ["image", "convert", "-f", "raw", "-O", "qcow2", sample.raw, link])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", sample.raw, folder.file("nothing")])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == folder.file("nothing"))
    }

    @Test("a source is never its own target (case 6.8)")
    func aSourceIsNeverItsOwnTarget() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("convert")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let before = try Data(contentsOf: URL(fileURLWithPath: sample.raw))
        let link = folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: sample.raw)
        let outcome = try Tool.run("gantry", ["image", "convert", "-f", "raw", "-O", "qcow2", sample.raw, link])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("source itself"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: sample.raw)) == before)
    }
}
