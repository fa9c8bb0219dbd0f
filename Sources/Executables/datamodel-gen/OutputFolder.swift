import Foundation

/// A folder whose files of one kind are all written by this program.
struct OutputFolder {
    private let url: URL

    init(_ path: String) { url = URL(fileURLWithPath: path) }

    /// Writes the files and removes others with the suffix.
    func replace(suffix: String, with files: [String: String]) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for old in try FileManager.default.contentsOfDirectory(atPath: url.path)
        where old.hasSuffix(suffix) && files[old] == nil {
            try FileManager.default.removeItem(at: url.appendingPathComponent(old))
        }
        for (name, text) in files { try Data(text.utf8).write(to: url.appendingPathComponent(name)) }
    }
}
