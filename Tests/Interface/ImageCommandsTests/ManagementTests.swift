import Foundation
import TestSupport
import Testing

/// Checking, snapshots, chains and sizes, by the command line.
@Suite struct ManagementTests {
    @Test func checkTellsDamageByItsExitCodeAndRepairsIt() throws {
        let folder = try ScratchFolder("check")
        let path = folder.file("disk.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", path, "64M"])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 7 0 1M", path])
        let words = ["image", "check", "-f", "qcow2", "--json"]
        let sound = try json(try Tool.check("gantry", words + [path]))
        #expect(sound["corruptions"] as? Int == 0)
        #expect(sound["leaks"] as? Int == 0)
        #expect(sound["allocated-clusters"] as? Int == 16)
        // The refcount of a cluster in use, zeroed: refcount block at cluster 2, entries of 2 bytes.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: 2 * 65536 + 2 * 7)
        try file.write(contentsOf: Data([0, 0]))
        try file.close()
        let damaged = try Tool.run("gantry", words + [path])
        #expect(damaged.status == 2)
        let found = try #require(json(damaged.output)["corruptions"] as? Int)
        let theirs = try Tool.run("qemu-img", ["check", "-f", "qcow2", "--output=json", path])
        #expect(try json(theirs.output)["corruptions"] as? Int == found)
        let repaired = try json(try Tool.check("gantry", words + ["--repair", "all", path]))
        #expect(repaired["corruptions-fixed"] as? Int == found)
        try Tool.check("qemu-img", ["check", "-f", "qcow2", path])
        // A cluster that nothing names, but is counted: lost space.
        let again = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try again.truncate(atOffset: 64 * 65536)
        try again.seek(toOffset: 2 * 65536 + 2 * 40)
        try again.write(contentsOf: Data([0, 1]))
        try again.close()
        let leaky = try Tool.run("gantry", words + [path])
        #expect(leaky.status == 3)
        #expect(try json(leaky.output)["leaks"] as? Int == 1 && json(leaky.output)["corruptions"] as? Int == 0)
        let tight = try json(try Tool.check("gantry", words + ["-r", "leaks", path]))
        #expect(tight["leaks-fixed"] as? Int == 1 && tight["leaks"] as? Int == 0)
        try Tool.check("qemu-img", ["check", "-f", "qcow2", path])
    }

    /// What the failure of a machine may leave: the tables name more than the file has. The error names what repairs it.
    @Test func aDirtyImageIsWrittenAfterTheCommandThatItsRefusalNames() throws {
        let folder = try ScratchFolder("refused")
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", path, "8M"])
        _ = try Tool.run("qemu-io", ["-f", "qcow2", "-c", "write -P 5 0 4M", "-c", "flush", "-c", "abort", path])
        try Tool.check("truncate", ["-s", "-1M", path])
        let resize = ["image", "resize", "-f", "qcow2", path, "16M"]
        let refused = try Tool.run("gantry", resize)
        #expect(refused.status == 1)
        let quoted = refused.errors.split(separator: "'").first { $0.hasPrefix("gantry image check") }
        let command = try #require(quoted, "\(refused.errors)").split(separator: " ").dropFirst().map(String.init)
        try Tool.check("gantry", command + [path])
        try Tool.check("gantry", resize)
        try Tool.check("qemu-img", ["check", "-f", "qcow2", path])
        let reads = ["read -P 5 0 3M", "read -P 0 3M 1M"].flatMap { ["-c", $0] }
        try Tool.check("qemu-io", ["-f", "qcow2", "-r"] + reads + [path])
    }

    @Test func snapshotsAreMadeListedConvertedAppliedAndDeleted() throws {
        let folder = try ScratchFolder("snapshot")
        let path = folder.file("disk.qcow2")
        try Tool.check("gantry", ["image", "create", "-f", "qcow2", path, "8M"])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 0 1M", path])
        let words = ["image", "snapshot", "-f", "qcow2"]
        try Tool.check("gantry", words + ["-c", "first", path])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 2 0 2M", path])
        let list = try Tool.check("gantry", words + ["-l", "--json", path])
        let all = try #require(JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
        #expect(all.map { $0["name"] as? String } == ["first"])
        #expect(all.first?["disk-size"] as? Int == 8 << 20)
        let table = try Tool.check("gantry", words + ["-l", path])
        #expect(table.contains("first"))
        let seconds = try #require(all.first?["date-sec"] as? Double)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
        #expect(table.contains(formatter.string(from: Date(timeIntervalSince1970: seconds))))
        let old = folder.file("old.raw")
        try Tool.check(
            "gantry", ["image", "convert", "-l", "snapshot.name=first", "-f", "qcow2", "-O", "raw", path, old])
        try Tool.check("qemu-io", ["-f", "raw", "-c", "read -P 1 0 1M", "-c", "read -P 0 1M 7M", old])
        // A name that is the other's id.
        try Tool.check("gantry", words + ["-c", "1", path])
        let newer = folder.file("newer.raw")
        try Tool.check(
            "gantry", ["image", "convert", "-l", "snapshot.name=1", "-f", "qcow2", "-O", "raw", path, newer])
        try Tool.check("qemu-io", ["-f", "raw", "-c", "read -P 2 0 2M", newer])
        try Tool.check(
            "gantry", ["image", "convert", "-l", "snapshot.id=1", "-f", "qcow2", "-O", "raw", path, newer])
        try Tool.check("qemu-io", ["-f", "raw", "-c", "read -P 1 0 1M", newer])
        try Tool.check("gantry", words + ["-d", "2", path])
        try Tool.check("gantry", words + ["-a", "first", path])
        try Tool.check("gantry", ["image", "compare", "-f", "qcow2", "-F", "raw", path, old])
        try Tool.check("gantry", words + ["-d", "first", path])
        #expect(try Tool.run("gantry", words + ["-d", "first", path]).status == 1)
        try Tool.check("qemu-img", ["check", "-f", "qcow2", path])
    }

    @Test func bitmapsAreMadeSwitchedMergedListedAndRemoved() throws {
        let folder = try ScratchFolder("bitmap")
        let (path, other) = (folder.file("disk.qcow2"), folder.file("other.qcow2"))
        let words = ["image", "bitmap", "-f", "qcow2"]
        for image in [path, other] {
            try Tool.check("gantry", ["image", "create", "-f", "qcow2", image, "8M"])
            try Tool.check("gantry", words + ["--add", image, "one"])
            try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 \(image == path ? 1 : 3)M 64k", image])
        }
        let made = try Tool.check("gantry", words + ["--add", "--disable", "-g", "512K", "--json", path, "two"])
        let list = try #require(JSONSerialization.jsonObject(with: Data(made.utf8)) as? [[String: Any]])
        #expect(list.map { $0["name"] as? String } == ["one", "two"])
        #expect(list.map { $0["granularity"] as? Int } == [65536, 512 << 10])
        #expect(list.map { $0["flags"] as? [String] } == [["auto"], []])
        try Tool.check("gantry", words + ["--merge", "one", "--enable", path, "two"])
        try Tool.check("gantry", words + ["--merge", "one", "-b", other, "-F", "qcow2", path, "one"])
        let map = try Tool.check(
            "nbdinfo",
            ["--map=qemu:dirty-bitmap:one", "--", "[", "qemu-nbd", "-r", "-f", "qcow2", "-B", "one", path, "]"])
        let dirty = map.split(separator: "\n").map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
        #expect(dirty.filter { $0.hasSuffix(" 1") } == ["1048576 65536 1", "3145728 65536 1"], "\(map)")
        let info = try json(try Tool.check("gantry", ["image", "info", "-f", "qcow2", "--json", path]))
        let data = (info["format-specific"] as? [String: Any])?["data"] as? [String: Any]
        #expect((data?["bitmaps"] as? [[String: Any]])?.count == 2)
        let text = try Tool.check("gantry", ["image", "info", "-f", "qcow2", path])
        #expect(text.contains("two (512 KiB, enabled)"), "\(text)")
        try Tool.check("gantry", words + ["--clear", path, "one"])
        try Tool.check("gantry", words + ["--remove", path, "two"])
        #expect(try Tool.run("gantry", words + ["--remove", path, "two"]).status == 1)
        #expect(try Tool.run("gantry", words + ["--clear", "--merge", "one", "-b", path, path, "one"]).status == 2)
        try Tool.check("gantry", ["image", "resize", "-f", "qcow2", path, "16M"])
        try Tool.check("qemu-img", ["check", "-f", "qcow2", path])
        let after = try json(try Tool.check("qemu-img", ["info", "--output=json", path]))
        let kept = ((after["format-specific"] as? [String: Any])?["data"] as? [String: Any])?["bitmaps"]
        #expect((kept as? [[String: Any]])?.map { $0["name"] as? String } == ["one"])
    }

    @Test(arguments: ["vhd", "qcow2"])
    func aChildNeedsTheWordOfTheCallerForItsParent(_ format: String) throws {
        let folder = try ScratchFolder("chain")
        let (base, child) = (folder.file("base"), folder.file("child"))
        try Tool.check("gantry", ["image", "create", "-f", format, base, "8M"])
        let content = folder.file("content.raw")
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", content, "8M"])
        try Tool.check("qemu-io", ["-f", "raw", "-c", "write -P 9 64k 3M", content])
        try Tool.check("gantry", ["image", "convert", "-n", "-f", "raw", "-O", format, content, base])
        try Tool.check("gantry", ["image", "create", "-f", format, "-b", "base", "-F", format, child])
        let info = try json(try Tool.check("gantry", ["image", "info", "-f", format, "--json", child]))
        #expect(info["virtual-size"] as? Int == 8 << 20)
        #expect(info["backing-filename-format"] as? String == format)
        let words = ["image", "compare", "-f", format, "-F", "raw", child, content]
        let refused = try Tool.run("gantry", words)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("--parent"))
        try Tool.check("gantry", words + ["--follow", folder.path])
        try Tool.check("gantry", words + ["--parent", "\(format):\(base)"])
    }
}

/// Chains: committing, rebasing, coalescing, by the command line.
@Suite struct ChainCommandTests {
    /// base ← middle ← leaf, with a MiB of its own in each, and what the leaf shows as a raw file.
    private func chain(_ format: String) throws -> (ScratchFolder, shown: String) {
        let folder = try ScratchFolder("chain")
        let shown = folder.file("shown.raw")
        try Tool.check("qemu-img", ["create", "-q", "-f", "raw", shown, "8M"])
        var parent: String?
        for (index, name) in ["base", "middle", "leaf"].enumerated() {
            let words = parent.map { ["-b", $0, "-F", format] } ?? []
            let path = folder.file(name)
            try Tool.check(
                "gantry", ["image", "create", "-f", format, "--follow", folder.path] + words + [path, "8M"])
            let socket = folder.file("s")
            let server = try GantryProcess(
                ["image", "serve", "-f", format, "--follow", folder.path, "--socket", socket, path])
            _ = try server.line()
            let command = "write -P \(index + 1) \(index)M 1536k"
            try Tool.check("qemu-io", ["-f", "raw", "-c", command, "-c", "flush", "nbd+unix:///?socket=\(socket)"])
            kill(server.pid, SIGTERM)
            #expect(server.end() == 0)
            try Tool.check("qemu-io", ["-f", "raw", "-c", command, shown])
            parent = name
        }
        return (folder, shown)
    }

    private func same(_ folder: ScratchFolder, _ name: String, _ format: String, _ shown: String) throws {
        try Tool.check(
            "gantry",
            ["image", "compare", "-s", "-f", format, "-F", "raw", "--follow", folder.path, folder.file(name), shown])
    }

    @Test(arguments: ["vhd", "qcow2"])
    func anImageIsTakenOutOfTheMiddleOfItsChain(_ format: String) throws {
        let (folder, shown) = try chain(format)
        try same(folder, "leaf", format, shown)
        let names = try Tool.check(
            "gantry",
            [
                "image", "info", "-f", format, "--backing-chain", "--json", "--follow", folder.path,
                folder.file("leaf"),
            ])
        let infos = try #require(JSONSerialization.jsonObject(with: Data(names.utf8)) as? [[String: Any]])
        #expect(infos.count == 3)
        try Tool.check(
            "gantry",
            [
                "image", "coalesce", "-f", format, "--follow", folder.path, "--child",
                "\(format):\(folder.file("leaf"))", folder.file("middle"),
            ])
        try FileManager.default.removeItem(atPath: folder.file("middle"))
        try same(folder, "leaf", format, shown)
        try Tool.check(
            "gantry", ["image", "commit", "-f", format, "--follow", folder.path, folder.file("leaf")])
        try Tool.check(
            "gantry", ["image", "compare", "-s", "-f", format, "-F", "raw", folder.file("base"), shown])
    }

    @Test(arguments: ["vhd", "qcow2"])
    func anImageIsMadeToNeedNoParent(_ format: String) throws {
        let (folder, shown) = try chain(format)
        try Tool.check(
            "gantry",
            ["image", "rebase", "-f", format, "--follow", folder.path, "-b", "base", "-F", format, folder.file("leaf")])
        try FileManager.default.removeItem(atPath: folder.file("middle"))
        try same(folder, "leaf", format, shown)
        try Tool.check(
            "gantry", ["image", "rebase", "-f", format, "--follow", folder.path, "-b", "", folder.file("leaf")])
        try FileManager.default.removeItem(atPath: folder.file("base"))
        try Tool.check(
            "gantry", ["image", "compare", "-s", "-f", format, "-F", "raw", folder.file("leaf"), shown])
    }

    /// For a parent that was moved: only the name changes, and nothing is copied.
    @Test(arguments: ["vhd", "qcow2"])
    func anUnsafeRebaseChangesTheNameOnly(_ format: String) throws {
        let (folder, shown) = try chain(format)
        let leaf = folder.file("leaf")
        let before = try FileManager.default.attributesOfItem(atPath: leaf)[.size] as? Int
        try FileManager.default.moveItem(atPath: folder.file("middle"), toPath: folder.file("moved"))
        let words = ["image", "rebase", "-f", format, "--follow", folder.path, "-b", "moved", "-F", format, leaf]
        // The old parent is missing, so what it showed cannot be kept but by the caller's word.
        #expect(try Tool.run("gantry", words).status == 1)
        try Tool.check("gantry", words + ["-u"])
        try same(folder, "leaf", format, shown)
        let info = try json(try Tool.check("gantry", ["image", "info", "-f", format, "--json", leaf]))
        #expect((info["backing-filename"] as? String)?.hasSuffix("moved") == true)
        let after = try FileManager.default.attributesOfItem(atPath: leaf)[.size] as? Int
        #expect(after == before)
    }

    @Test(arguments: ["zlib", "zstd"])
    func compressedImagesHoldTheSame(_ type: String) throws {
        let folder = try ScratchFolder("compress")
        let raw = folder.file("text.raw")
        try Tool.check("bash", ["-c", "seq 1 700000 > \(raw); truncate -s 8M \(raw)"])
        let target = folder.file("packed.qcow2")
        try Tool.check(
            "gantry",
            [
                "image", "convert", "-c", "--verify", "-f", "raw", "-O", "qcow2", "-o", "compression_type=\(type)", raw,
                target,
            ])
        try Tool.check("qemu-img", ["check", "-f", "qcow2", target])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", raw, target])
        let length = try #require(FileManager.default.attributesOfItem(atPath: target)[.size] as? Int)
        #expect(length < 4 << 20)
    }
}
