import ArgumentParser
import Foundation
import Logging
import Toolstack

/// What this build does with each message: documentation is made from it.
struct Messages: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print, as JSON, how each message of the API is answered: implemented, answered or missing.")

    func run() async throws {
        let folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("gantryd-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        // A toolstack without storage or guests, that no client reaches.
        let toolstack = try await Toolstack.start(
            configuration: ToolstackConfiguration(
                stateDirectory: folder.path + "/state", runDirectory: folder.path + "/run",
                logger: Logger(label: "messages", factory: { _ in SwiftLogNoOpLogHandler() })))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let text = try encoder.encode(toolstack.dispatcher.coverage.mapValues(\.rawValue))
        await toolstack.stop()
        try FileHandle.standardOutput.write(contentsOf: text + Data("\n".utf8))
    }
}
