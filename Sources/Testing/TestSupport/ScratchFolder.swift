import Foundation
import Synchronization

/// A folder of its own for one test, removed when `remove()` is called or the object goes.
/// Below `GANTRY_TEST_SCRATCH` (default: the system's temporary folder).
public final class ScratchFolder: Sendable {
    public let path: String

    /// `inMemory`: on the system's file system in memory where there is one: for a test that waits for the disk again and
    /// again and needs nothing of it.
    public init(_ name: String = "test", inMemory: Bool = false) throws {
        let scratch = ProcessInfo.processInfo.environment["GANTRY_TEST_SCRATCH"]
        var base = scratch ?? NSTemporaryDirectory()
        var run = ""
        if inMemory, FileManager.default.isWritableFile(atPath: "/dev/shm") {
            base = "/dev/shm"
            // By this gantry-test knows what a killed run has left there.
            if let scratch { run = URL(fileURLWithPath: scratch).lastPathComponent + "-" }
        }
        path =
            URL(fileURLWithPath: base)
            .appendingPathComponent("\(run)gantry-\(name)-\(UUID().uuidString.prefix(8))").path
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
