import Foundation
import TestSupport

/// A file system or a block device that one test needs, gone with the object. Needs root.
final class ScratchMount {
    let path: String

    /// `kind`: "ramfs" has no fallocate, "tmpfs" punches holes and does no more.
    init(_ kind: String, size: String? = nil, in folder: ScratchFolder) throws {
        path = folder.file("mounted-" + kind)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Tool.check("mount", ["-t", kind] + (size.map { ["-o", "size=\($0)"] } ?? []) + ["gantry-test", path])
    }

    func file(_ name: String) -> String { path + "/" + name }

    deinit { _ = try? Tool.run("umount", ["-l", path]) }
}

/// A block device over a file.
final class LoopDevice {
    let path: String

    init(size: Int, sectorSize: Int = 512, in folder: ScratchFolder) throws {
        let file = folder.file("loop-\(sectorSize)")
        _ = FileManager.default.createFile(atPath: file, contents: nil)
        unsafe truncate(file, size)
        let output = try Tool.check("losetup", ["--find", "--show", "--sector-size", String(sectorSize), file])
        path = output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    deinit { _ = try? Tool.run("losetup", ["--detach", path]) }
}

/// Makes or replaces a file.
func save(_ path: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
