import CoreTypes
import DiskImages
import Foundation
import TestSupport
import Testing

/// docs/image-json.md against what the commands print.
@Suite struct JSONDocumentTests {
    /// What the page says of one command.
    private struct Documented {
        var members: Set<String> = []
        var optional: Set<String> = []
    }

    /// By the command's name. A name in backticks is a member's; a question mark behind it, or in the second cell of its
    /// row, means that it may be left out.
    private static func read() throws -> [String: Documented] {
        var sections: [String: Documented] = [:]
        var command = ""
        let page = try String(contentsOf: SourceTree.url("docs/image-json.md"), encoding: .utf8)
        for line in page.split(separator: "\n") {
            if line.hasPrefix("## ") {
                command = line.split(separator: "`").dropFirst().first.map { String($0.prefix { $0 != " " }) } ?? ""
                continue
            }
            if command.isEmpty { continue }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            let isOptionalRow = cells.count > 3 && cells[2].contains("?")
            let parts = line.split(separator: "`", omittingEmptySubsequences: false)
            for index in parts.indices where index % 2 == 1 {
                let name = String(parts[index])
                guard name.wholeMatch(of: /[a-z][a-z0-9_-]*/) != nil else { continue }
                sections[command, default: Documented()].members.insert(name)
                let isMarked = index + 1 < parts.count && parts[index + 1].hasPrefix("?")
                let isInFirstCell = cells.count > 1 && cells[1].contains("`\(name)`")
                if isMarked || (isOptionalRow && isInFirstCell) {
                    sections[command, default: Documented()].optional.insert(name)
                }
            }
        }
        return sections
    }

    private static func members(_ value: Any) -> Set<String> {
        switch value {
        case let object as [String: Any]: object.values.reduce(Set(object.keys)) { $0.union(members($1)) }
        case let array as [Any]: array.reduce([]) { $0.union(members($1)) }
        default: []
        }
    }

    private static func parsed(_ text: String) throws -> Set<String> {
        members(try JSONSerialization.jsonObject(with: Data(text.utf8)))
    }

    private static func check(_ command: String, _ printed: [Set<String>], not missing: Set<String> = []) throws {
        let documented = try #require(try read()[command], "docs/image-json.md says nothing of \(command)")
        let all = printed.reduce(Set<String>()) { $0.union($1) }
        #expect(all.subtracting(documented.members) == [], "\(command) prints what is not documented")
        #expect(documented.members.subtracting(all) == missing, "\(command) does not print what is documented")
        #expect(missing.isSubset(of: documented.optional))
        // What may not be left out is in each; nested members are those of some.
        if command != "info", command != "check" {
            let always = documented.members.subtracting(documented.optional)
            for one in printed where command != "mirror" { #expect(always.isSubset(of: one)) }
        }
    }

    @Test func theJSONOfEveryCommandIsAsDocumented() throws {
        let folder = try ScratchFolder("json")
        let (base, path) = (folder.file("base.qcow2"), folder.file("disk.qcow2"))
        func gantry(_ words: String...) throws -> Set<String> {
            try Self.parsed(try Tool.run("gantry", ["image"] + words).output)
        }
        for (format, name) in [("vpc", "a.vhd"), ("vhdx", "a.vhdx"), ("vmdk", "a.vmdk"), ("qcow2", "base.qcow2")] {
            try Tool.check("qemu-img", ["create", "-q", "-f", format, folder.file(name), "8M"])
        }
        try Tool.check("gantry", ["image", "create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", path])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 0 1M", base])
        let snapshot = try gantry("snapshot", "-f", "qcow2", "-c", "s", "--json", base)
        try Self.check("snapshot", [snapshot, gantry("snapshot", "-f", "qcow2", "-l", "--json", base)])
        try Self.check("bitmap", [gantry("bitmap", "-f", "qcow2", "--add", "--json", base, "b")])
        try DiskImage.setHidden(path: folder.file("a.vhd"), true)
        let options = "data_file=\(folder.file("data"))"
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", options, folder.file("d.qcow2"), "1M"])
        var described = [try gantry("info", "-f", "qcow2", "--json", path)]
        for (format, name) in [
            ("raw", "base.qcow2"), ("vhd", "a.vhd"), ("vhdx", "a.vhdx"), ("vmdk", "a.vmdk"), ("qcow2", "d.qcow2"),
        ] {
            described.append(try gantry("info", "-f", format, "--json", folder.file(name)))
        }
        described.append(
            try gantry("info", "-f", "qcow2", "--backing-chain", "--follow", folder.path, "--json", path))
        // In parts, a child, and one whose header says that it is encrypted.
        let (flat, child, secret) = (folder.file("flat.vmdk"), folder.file("child.vmdk"), folder.file("secret.qcow2"))
        try Tool.check("qemu-img", ["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", flat, "1M"])
        try Tool.check(
            "qemu-img", ["create", "-q", "-f", "vmdk", "-b", folder.file("a.vmdk"), "-F", "vmdk", child])
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", secret, "1M"])
        let header = try FileHandle(forUpdating: URL(fileURLWithPath: secret))
        try header.seek(toOffset: 35)
        try header.write(contentsOf: Data([1]))
        try header.close()
        for (format, path) in [("vmdk", flat), ("vmdk", child), ("qcow2", secret)] {
            described.append(try gantry("info", "-f", format, "--json", path))
        }
        // This needs one that is damaged.
        try Self.check("info", described, not: ["bitmaps-damaged"])
        try Self.check("map", [gantry("map", "-f", "qcow2", "--json", "--follow", folder.path, path)])
        try Self.check("measure", [gantry("measure", "-f", "qcow2", "-O", "raw", "--json", base)])
        try Self.check("bench", [gantry("bench", "-f", "qcow2", "-c", "10", "--json", base)])
        // The refcount of a cluster in use, zeroed: refcount block at cluster 2, entries of 2 bytes.
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: base))
        try file.seek(toOffset: 2 * 65536 + 2 * 7)
        try file.write(contentsOf: Data([0, 0]))
        try file.close()
        try Self.check(
            "check",
            [
                gantry("check", "-f", "qcow2", "--json", base),
                gantry("check", "-f", "vhd", "--json", folder.file("a.vhd")),
            ])
    }

    @Test func theJSONOfWhatIsDoneIsAsDocumented() throws {
        let folder = try ScratchFolder("json")
        func gantry(_ command: String, _ words: String..., follows: Bool = true) throws -> Set<String> {
            let chain = follows ? ["--follow", folder.path] : []
            return try Self.parsed(
                try Tool.run("gantry", ["image", command, "-f", "qcow2", "--json"] + chain + words).output)
        }
        let names = ["base", "middle", "leaf"].map { folder.file($0) }
        var made = [try gantry("create", names[0], "8M")]
        for (parent, name) in zip(["base", "middle"], names.dropFirst()) {
            made.append(try gantry("create", "-b", parent, "-F", "qcow2", name))
        }
        try Self.check("create", made)
        try Self.check("resize", [gantry("resize", names[2], "9M")])
        try Self.check("coalesce", [gantry("coalesce", "--child", "qcow2:\(names[2])", names[1])])
        try Self.check("commit", [gantry("commit", names[2])])
        let damaged = folder.file("damaged")
        try Tool.check("gantry", ["image", "create", "-f", "qcow2", damaged, "1M"])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 1 0 1M", damaged])
        try Tool.check("truncate", ["-s", "800K", damaged])
        try Self.check(
            "convert",
            [
                gantry("convert", "-O", "raw", names[2], folder.file("copy")),
                gantry("convert", "--salvage", "-O", "raw", damaged, folder.file("rest")),
            ])
        try Self.check(
            "compare",
            [gantry("compare", "-F", "raw", names[2], folder.file("copy"))]
                + [gantry("compare", "-F", "raw", names[2], names[0])])
        try Self.check(
            "rebase",
            [gantry("rebase", "-b", "copy", "-F", "raw", names[2]), gantry("rebase", "-u", "-b", "", names[2])])
    }

    @Test func theJSONOfServersIsAsDocumented() throws {
        let folder = try ScratchFolder("json")
        let disk = folder.file("disk")
        try Tool.check("truncate", ["-s", "1M", disk])
        var lines: [Set<String>] = []
        for place in [["--socket", folder.file("s")], ["--listen", "127.0.0.1:0"]] {
            let server = try GantryProcess(["image", "serve", "-f", "raw"] + place + [disk])
            lines.append(try Self.parsed(try server.line()))
            kill(server.pid, SIGTERM)
            #expect(server.end() == 0)
        }
        try Self.check("serve", lines)
        let mirror = try GantryProcess([
            "image", "mirror", "-f", "raw", "-O", "qcow2", "--socket", folder.file("m"), disk, folder.file("target"),
        ])
        var answers: [Set<String>] = []
        let exchanges = [
            ("start", "ready"), ("status", "status"), ("verify", "verified"), ("nonsense", "error"),
            ("pivot", "pivoted"),
        ]
        for (command, word) in exchanges {
            try mirror.say(command)
            answers.append(Self.members(try mirror.answer(word)))
        }
        try mirror.say("quit")
        #expect(mirror.end() == 0)
        try Self.check("mirror", answers)
    }
}
