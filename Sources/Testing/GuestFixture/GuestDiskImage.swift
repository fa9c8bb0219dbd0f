import Foundation
public import TestSupport

/// Makes the raw image that a guest of `Work.ext4` expects: an ext4 file system with files and their checksums.
public enum GuestDiskImage {
    /// A file system of `bytes` at `path` holding `/tree` with `files` random files of 1 to `largest` bytes, some of
    /// them in folders, and `/tree/MANIFEST`. Returns the bytes in the files.
    @discardableResult
    public static func make(
        at path: String, bytes: UInt64, files: Int = 24, largest: Int = 300_000, random: inout SeededRandom
    ) throws -> Int {
        let scratch = try ScratchFolder("tree")
        defer { scratch.remove() }
        let tree = scratch.file("tree")
        var names: [String] = []
        var total = 0
        for index in 0..<files {
            let name = index % 3 == 0 ? "file \(index)" : "folder\(index % 5)/file\(index)"
            let url = URL(fileURLWithPath: tree + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            let content = random.bytes(Int.random(in: 1...max(largest, 1), using: &random))
            try Data(content).write(to: url)
            names.append(name)
            total += content.count
        }
        let list = scratch.file("names")
        try Data(names.joined(separator: "\0").utf8).write(to: URL(fileURLWithPath: list))
        try Tool.check("bash", ["-c", #"cd "$1" && xargs -0 sha256sum <"$2" >MANIFEST"#, "bash", tree, list])
        try Tool.check("truncate", ["-s", String(bytes), path])
        let folder = scratch.file("root")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: tree, toPath: folder + "/tree")
        try Tool.check("mke2fs", ["-q", "-t", "ext4", "-d", folder, path])
        return total
    }
}
