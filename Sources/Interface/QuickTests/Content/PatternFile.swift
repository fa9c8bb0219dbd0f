import Foundation

/// A folder for images on their way, removed at the end.
final class ImageFolder: Sendable {
    let path: String

    /// Made in the system's folder for temporary files, for its owner only.
    init() throws {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("quicktest-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: place, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        path = place.path
    }

    /// The path of a file that is not there yet.
    func fresh(_ ending: String) -> String { "\(path)/\(UUID().uuidString).\(ending)" }

    /// Writes the pattern to a new file of `size` bytes with holes, and returns its path.
    func write(_ pattern: ContentPattern, size: UInt64) throws -> String {
        let file = fresh("raw")
        try Data().write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        for index in 0..<pattern.blocks where pattern.holdsData(index) {
            try handle.seek(toOffset: UInt64(index) * UInt64(ContentPattern.block))
            try handle.write(contentsOf: Data(pattern.bytes(ofBlock: index)))
        }
        try handle.truncate(atOffset: size)
        return file
    }

    func remove(_ file: String) { try? FileManager.default.removeItem(atPath: file) }

    func remove() { remove(path) }
}
