import Foundation
import TestSupport

/// A real ext4 file system of a few megabytes on a loop device, to run out of room in.
struct SmallFileSystem {
    static let filler = "filler"
    let mountPoint: String
    private let image: String

    init(in folder: ScratchFolder, megabytes: Int, name: String = "small") throws {
        image = folder.file("\(name).img")
        mountPoint = folder.file(name)
        try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
        try Tool.check("truncate", ["-s", "\(megabytes)M", image])
        try Tool.check("mke2fs", ["-q", "-t", "ext4", "-m", "0", image])
        try Tool.check("mount", ["-o", "loop", image, mountPoint])
    }

    /// Takes all the room but `megabytes`.
    func fill(leaving megabytes: Int) throws {
        // What was deleted is free only when the journal says so.
        try Tool.check("sync", ["-f", mountPoint])
        let free = try Tool.check("stat", ["-f", "-c", "%a %S", mountPoint]).split(separator: " ").compactMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        let bytes = free[0] * free[1] - megabytes << 20
        if bytes > 0 { try Tool.check("fallocate", ["-l", String(bytes), mountPoint + "/" + Self.filler]) }
    }

    /// Gives back what `fill` took.
    func empty() throws { try FileManager.default.removeItem(atPath: mountPoint + "/" + Self.filler) }

    func remove() {
        _ = try? Tool.run("umount", ["-l", mountPoint])
        try? FileManager.default.removeItem(atPath: image)
    }
}
