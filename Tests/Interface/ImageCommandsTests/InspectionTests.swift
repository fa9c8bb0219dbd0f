import CoreTypes
import Foundation
import TestSupport
import Testing

@Suite struct InspectionTests {
    @Test(arguments: ImageFormat.allCases)
    func infoAgreesWithQemuOnItsOwnImages(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("info")
        let path = try SampleImage(in: folder, size: 6 << 20, random: &random).path(format)
        let ours = try json(try Tool.check("gantry", ["image", "info", "-f", format.rawValue, "--json", path]))
        let theirs = try json(try Tool.check("qemu-img", ["info", "-f", format.qemuName, "--output=json", path]))
        for key in ["virtual-size", "actual-size", "cluster-size"] {
            #expect(ours[key] as? Int == theirs[key] as? Int, "\(key)")
        }
        #expect(ours["dirty-flag"] as? Bool == theirs["dirty-flag"] as? Bool)
        #expect(ours["filename"] as? String == path)
        #expect(ours["format"] as? String == format.rawValue)
        if format == .qcow2 {
            let mine = try #require((ours["format-specific"] as? [String: Any])?["data"] as? [String: Any])
            let other = try #require((theirs["format-specific"] as? [String: Any])?["data"] as? [String: Any])
            for key in ["compat", "compression-type"] {
                #expect(mine[key] as? String == other[key] as? String, "\(key)")
            }
            #expect(mine["refcount-bits"] as? Int == other["refcount-bits"] as? Int)
        }
        let text = try Tool.check("gantry", ["image", "info", "-f", format.rawValue, path])
        #expect(text.contains("6.00 MiB (6291456 bytes)"))
    }

    /// `check -r` is advised only where it could help.
    @Test func damageThatNothingHereRepairsIsNotSentToTheRepair() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("advice")
        let sample = try SampleImage(in: folder, size: 1 << 20, random: &random)
        let (damaged, first, second) = (folder.file("a.vhdx"), folder.file("a.qcow2"), folder.file("b.qcow2"))
        try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", "vhdx", sample.raw, damaged])
        let file = try #require(FileHandle(forUpdatingAtPath: damaged))
        for place in [64 << 10, 128 << 10] as [UInt64] {
            try file.seek(toOffset: place)
            try file.write(contentsOf: Data(count: 4096))
        }
        try file.close()
        for (path, base) in [(first, second), (second, first)] {
            try Tool.check("qemu-img", ["create", "-q", "-u", "-f", "qcow2", "-b", base, "-F", "qcow2", path, "1M"])
        }
        for (words, says) in [
            (["-f", "vhdx", damaged], "repairs neither"),
            (["-f", "qcow2", "--follow", folder.path, first], "rebase -u"),
        ] {
            let outcome = try Tool.run("gantry", ["image", "map"] + words)
            #expect(outcome.status == 1 && outcome.errors.contains(says), "\(outcome.errors)")
            #expect(!outcome.errors.contains("check -r"), "\(outcome.errors)")
        }
    }

    @Test(arguments: ["gzip", "xz", "zstd"])
    func probeSaysHowWhatIsPackedIsRead(_ compression: String) throws {
        let folder = try ScratchFolder("probe-packed")
        try Data("image".utf8).write(to: URL(fileURLWithPath: folder.file("a")))
        try Tool.check("bash", ["-c", "\(compression) -c \(folder.file("a")) > \(folder.file("packed"))"])
        let outcome = try Tool.run("gantry", ["image", "info", "--probe", folder.file("packed")])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("convert --decompress \(compression)"), "\(outcome.errors)")
    }

    /// What opening finds and is no error is told, wherever an image is read.
    @Test func aParentThatWasChangedAndADiskThatIsShortenedAreTold() throws {
        let folder = try ScratchFolder("notes")
        let (parent, child) = (folder.file("parent.vhd"), folder.file("child.vhd"))
        try Tool.check("gantry", ["image", "create", "-f", "vhd", parent, "8M"])
        try Tool.check("gantry", ["image", "create", "-f", "vhd", "-b", "parent.vhd", "-F", "vhd", child])
        let map = ["image", "map", "-f", "vhd", "--parent", "vhd:\(parent)", child]
        #expect(try Tool.run("gantry", map).errors == "")
        try Tool.check("touch", ["-d", "2030-01-01", parent])
        let told = try Tool.run("gantry", map)
        #expect(told.succeeded && told.errors.contains("changed or copied"), "\(told.errors)")
        let chain = ["-f", "vhd", "--follow", folder.path]
        let described = try JSONSerialization.jsonObject(
            with: Data(try Tool.check("gantry", ["image", "info", "--backing-chain", "--json"] + chain + [child]).utf8))
        let notes = (described as? [[String: Any]])?.map { $0["notes"] as? [String] ?? [] } ?? []
        #expect(
            notes.count == 2 && notes[0].contains { $0.contains("changed or copied") } && notes[1] == [], "\(notes)")
        // Also by what writes, into the parent above all; the last one records what there is now.
        for (words, size) in [
            ("resize", ["8M"]), ("bench -w -c 1", []), ("commit", []), ("rebase -b parent.vhd -F vhd", []),
        ] {
            // A commit writes it, perhaps within the second in which the child was made.
            try Tool.check("touch", ["-d", "2030-01-01", parent])
            let outcome = try Tool.run(
                "gantry", ["image"] + words.split(separator: " ").map(String.init) + chain + [child] + size)
            #expect(outcome.succeeded && outcome.errors.contains("changed or copied"), "\(words): \(outcome.errors)")
        }
        #expect(try Tool.run("gantry", map).errors == "")
        // One entry less than the disk needs.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: parent))
        try file.seek(toOffset: 512)
        var header = [UInt8](try file.read(upToCount: 1024) ?? Data())
        header[31] = 3
        header.replaceSubrange(36..<40, with: [0, 0, 0, 0])
        let sum = ~header.reduce(0 as UInt32) { $0 &+ UInt32($1) }
        for byte in 0..<4 { header[36 + byte] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - byte * 8)) }
        try file.seek(toOffset: 512)
        try file.write(contentsOf: Data(header))
        try file.close()
        let short = try Tool.run("gantry", ["image", "convert", "-f", "vhd", "-O", "raw", parent, folder.file("out")])
        #expect(short.succeeded && short.errors.contains("shortened"), "\(short.errors)")
    }

    @Test func probeFindsMarkedFormatsAndNeverClaimsRaw() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("probe")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        for format in [ImageFormat.vhd, .qcow2] {
            let report = try json(
                try Tool.check("gantry", ["image", "info", "--probe", "--json", try sample.path(format)]))
            #expect(report["format"] as? String == format.rawValue)
        }
        let blank = folder.file("blank")
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", blank, "1M"])
        let outcome = try Tool.run("gantry", ["image", "info", "--probe", blank])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("-f raw"))
    }

    @Test(arguments: ImageFormat.allCases)
    func createMakesAnEmptyImageThatQemuOpens(_ format: ImageFormat) throws {
        let folder = try ScratchFolder("create")
        let path = folder.file("new")
        try Tool.check("gantry", ["image", "create", "-f", format.rawValue, path, "3G"])
        let info = try json(try Tool.check("qemu-img", ["info", "-f", format.qemuName, "--output=json", path]))
        // qemu rounds a VHD's size to whole cylinders for creators it does not know.
        let size = try #require(info["virtual-size"] as? Int)
        #expect(size == 3 << 30)
        let again = try Tool.run("gantry", ["image", "create", "-f", format.rawValue, path, "1G"])
        #expect(again.status == 1)
        #expect(
            try json(try Tool.check("qemu-img", ["info", "-f", format.qemuName, "--output=json", path]))["virtual-size"]
                as? Int == size)
    }

    @Test("compare finds the first difference (case 6.9)")
    func compareFindsTheFirstDifference() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("compare")
        let sample = try SampleImage(in: folder, size: 8 << 20, random: &random)
        let vhd = try sample.path(.vhd)
        let qcow2 = try sample.path(.qcow2)
        let compare = ["image", "compare", "-f", "vhd", "-F", "qcow2", vhd, qcow2]
        #expect(try Tool.run("gantry", compare).status == 0)
        let offset = Int.random(in: 0..<(8 << 20) - 1, using: &random)
        let old = try Data(contentsOf: URL(fileURLWithPath: sample.raw))[offset]
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P \(old ^ 0xFF) \(offset) 1", qcow2])
        let outcome = try Tool.run("gantry", compare)
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("byte \(offset)."), "offset \(offset): \(outcome.output)")
        let missing = try Tool.run(
            "gantry", ["image", "compare", "-f", "vhd", "-F", "qcow2", vhd, folder.file("none")])
        #expect(missing.status == 2)
    }

    @Test(arguments: ImageFormat.allCases)
    func measureWithoutATargetFormatIsForRawAsQemus(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("measure")
        let path = try SampleImage(in: folder, size: 8 << 20, random: &random).path(format)
        let ours = try json(try Tool.check("gantry", ["image", "measure", "-f", format.rawValue, "--json", path]))
        let theirs = try json(try Tool.check("qemu-img", ["measure", "-f", format.qemuName, "--output=json", path]))
        #expect(ours["fully-allocated"] as? Int == theirs["fully-allocated"] as? Int)
        #expect(ours["fully-allocated"] as? Int == 8 << 20)
        let explicit = try Tool.check(
            "gantry", ["image", "measure", "-f", format.rawValue, "-O", "raw", "--json", path])
        let same = try json(explicit)
        #expect(same["required"] as? Int == ours["required"] as? Int)
        #expect(same["fully-allocated"] as? Int == 8 << 20)
    }

    @Test(arguments: ImageFormat.allCases)
    func mapListsDataWhereQemuDoes(_ format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("map")
        let path = try SampleImage(in: folder, size: 32 << 20, random: &random).path(format)
        let ours = try dataRuns(try Tool.check("gantry", ["image", "map", "-f", format.rawValue, "--json", path]))
        let theirs = try dataRuns(try Tool.check("qemu-img", ["map", "-f", format.qemuName, "--output=json", path]))
        #expect(!ours.isEmpty)
        if format == .vhd {
            // qemu tells of whole blocks, we of the sectors that were written in them.
            for run in ours {
                #expect(theirs.contains { $0.contains(run.lowerBound) && $0.upperBound >= run.upperBound })
            }
        } else {
            #expect(ours == theirs)
        }
    }

    /// Every member, of an image on another: which of both has it, whether anything is said of it, and where it lies. Of what nobody
    /// has QEMU says in how many images it has looked.
    @Test func mapSaysOfAChainWhatQemuSays() throws {
        let folder = try ScratchFolder("map-chain")
        let (base, child) = (folder.file("base.qcow2"), folder.file("child.qcow2"))
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", base, "8M"])
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", child, "9M"])
        for (path, commands) in [
            (base, ["write 0 1M", "write -z 2M 512k", "write 4M 192k", "discard 4M 64k"]),
            (child, ["write 512k 256k", "write -z 4160k 64k", "write 6M 64k", "write 8900k 4k"]),
        ] {
            try Tool.check("qemu-io", ["-f", "qcow2"] + commands.flatMap { ["-c", $0] } + [path])
        }
        func lines(_ program: String, _ words: [String]) throws -> [[String: Int]] {
            let text = try Tool.check(program, words)
            let all = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
            let known: Set = ["start", "length", "depth", "present", "zero", "data", "offset"]
            var lines: [[String: Int]] = []
            for one in all {
                var line = one.filter { known.contains($0.key) }.mapValues {
                    ($0 as? Bool).map { $0 ? 1 : 0 } ?? $0 as? Int ?? -1
                }
                if line["present"] == 0 {
                    line["depth"] = 0
                    if let last = lines.last, last["present"] == 0 {
                        lines[lines.count - 1]["length"] = (last["length"] ?? 0) + (line["length"] ?? 0)
                        continue
                    }
                }
                lines.append(line)
            }
            return lines
        }
        let ours = try lines("gantry", ["image", "map", "-f", "qcow2", "--follow", folder.path, "--json", child])
        let theirs = try lines("qemu-img", ["map", "-f", "qcow2", "--output=json", child])
        #expect(ours == theirs)
    }

    /// An image that can only be read is told about with its ancestors, too.
    @Test func theAncestorsOfWhatIsOnlyReadAreTold() throws {
        let folder = try ScratchFolder("import-chain")
        let (base, child) = (folder.file("base.vmdk"), folder.file("child.vmdk"))
        try Tool.check("qemu-img", ["create", "-q", "-f", "vmdk", base, "8M"])
        try Tool.check("qemu-img", ["create", "-q", "-f", "vmdk", "-b", base, "-F", "vmdk", child])
        let words = ["image", "info", "-f", "vmdk", "--backing-chain", "--json"]
        let told = try JSONSerialization.jsonObject(
            with: Data(try Tool.check("gantry", words + ["--parent", "vmdk:\(base)", child]).utf8))
        let all = try #require(told as? [[String: Any]])
        #expect(all.map { $0["filename"] as? String } == [child, base])
        #expect(all.map { $0["format"] as? String } == ["vmdk", "vmdk"])
        let refused = try Tool.run("gantry", words + [child])
        #expect(refused.status == 1 && refused.errors.contains("parent"), "\(refused.errors)")
    }

    /// The joined runs of stored data, checked to cover the disk without gaps.
    private func dataRuns(_ text: String) throws -> [Range<Int>] {
        let all = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        var runs: [Range<Int>] = []
        var position = 0
        for run in all {
            let start = try #require(run["start"] as? Int)
            let length = try #require(run["length"] as? Int)
            #expect(start == position)
            position = start + length
            guard run["data"] as? Bool == true else {
                #expect(run["zero"] as? Bool == true)
                continue
            }
            if let last = runs.last, last.upperBound == start {
                runs[runs.count - 1] = last.lowerBound..<position
            } else {
                runs.append(start..<position)
            }
        }
        return runs
    }
}
