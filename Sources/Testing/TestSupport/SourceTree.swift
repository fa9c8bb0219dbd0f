public import Foundation

/// The sources that the tests were built from, for tests that compare documents, scripts and generated files with the code.
public enum SourceTree {
    /// The package's folder.
    public static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { path, _ in
        path.deletingLastPathComponent()
    }

    /// What lies at `path` in the package's folder, as in `docs/operations.md`.
    public static func url(_ path: String) -> URL { root.appendingPathComponent(path) }
}
