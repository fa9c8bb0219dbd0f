import Foundation
import Glibc

/// Files that are there as a whole, on disk, or not at all.
public enum DurableFile {
    /// Syncs `draft`, gives it the name `path`, and syncs their folder. Throws what the system says.
    public static func publish(_ draft: String, as path: String) throws {
        try sync(draft)
        guard unsafe rename(draft, path) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        try sync(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    private static func sync(_ path: String) throws {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }
}
