import Foundation
import StorageManagers
import TestSupport

/// A loop device on a sparse file; gone with `remove`.
struct LoopDevice {
    let path: String

    init(in folder: ScratchFolder, megabytes: Int) throws {
        let file = folder.file("device")
        try Tool.check("truncate", ["-s", "\(megabytes)M", file])
        path = try Tool.check("losetup", ["--find", "--show", file]).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Nothing is on it that anybody knows.
    var isBlank: Bool { (try? Tool.run("blkid", ["-p", path]).status) == 2 }

    func remove() { _ = try? Tool.run("losetup", ["--detach", path]) }
}
