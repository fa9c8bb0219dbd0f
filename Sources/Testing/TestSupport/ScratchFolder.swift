import Foundation
import Synchronization

/// A folder of its own for one test, removed when `remove()` is called or the object goes.
/// Below `GANTRY_TEST_SCRATCH` (default: the system's temporary folder).
public final class ScratchFolder: Sendable {
    public let path: String

    public init(_ name: String = "test") throws {
        let base = ProcessInfo.processInfo.environment["GANTRY_TEST_SCRATCH"] ?? NSTemporaryDirectory()
        path =
            URL(fileURLWithPath: base)
            .appendingPathComponent("gantry-\(name)-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// The path of `name` in this folder; nothing is made.
    public func file(_ name: String) -> String { path + "/" + name }

    public func contents() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    public func remove() { try? FileManager.default.removeItem(atPath: path) }

    deinit { remove() }
}
