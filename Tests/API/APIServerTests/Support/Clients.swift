import Dispatch
import Foundation
import TestSupport

/// Programs that talk to the server under test.
enum Clients {
    /// Runs a Python script with these arguments and returns what it printed. On a thread of its own: the server needs
    /// the ones that tests run on.
    static func python(_ script: String, _ arguments: [String]) async throws -> String {
        try await run("python3", ["-c", script] + arguments)
    }

    static func run(_ name: String, _ arguments: [String]) async throws -> String {
        try await onThread { try Tool.check(name, arguments) }
    }

    static func outcome(_ name: String, _ arguments: [String]) async throws -> Tool.Outcome {
        try await onThread { try Tool.run(name, arguments) }
    }

    private static func onThread<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
        }
    }
}
