import Foundation
public import Logging
import StorageInterface
import Synchronization

/// What the SMAPIv3 plugins of a host share, and what outlives a plugin that is replaced while it runs.
public final class PluginHost: Sendable {
    let runner: ScriptRunner
    let rows: any VolumeRows
    let table: AttachmentTable
    let logger: Logger
    /// Where plugins keep what they measure.
    let metricsFolder: String
    let complaints = Complaints()
    /// Waits; tests do not.
    let pause: @Sendable (Duration) async throws -> Void
    private let schemes = Mutex<[String: DatapathPlugin]>([:])
    private let queues = Mutex<[String: CallQueue]>([:])
    /// By SR uuid.
    private let names = Mutex<[String: Names]>([:])

    /// What a plugin was told last that its SR is called; nil: nothing by this toolstack.
    struct Names: Sendable {
        var label: String?
        var description: String?
    }

    public init(
        settings: PluginSettings, rows: any VolumeRows, table: AttachmentTable, logger: Logger,
        metricsFolder: String = PluginSettings.metricsFolder,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        runner = ScriptRunner(settings: settings, logger: logger) { try await rows.untilLeftoversAreGone() }
        self.rows = rows
        self.table = table
        self.logger = logger
        self.metricsFolder = metricsFolder
        self.pause = pause
    }

    /// Makes the folder where plugins keep what they measure, so that nobody else does; one that is there stays.
    public func makeMetricsFolder() {
        do {
            if FileManager.default.fileExists(atPath: metricsFolder) { return }
            let above = URL(fileURLWithPath: metricsFolder).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                atPath: metricsFolder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
            if let user = runner.settings.sandbox.user, unsafe lchown(metricsFolder, user.user, user.group) != 0 {
                throw CocoaError(.fileWriteNoPermission)
            }
        } catch {
            logger.warning(
                "the folder for what storage plugins measure cannot be made",
                metadata: ["folder": "\(metricsFolder)", "error": "\(error)"])
        }
    }

    func datapath(_ scheme: String) -> DatapathPlugin? { schemes.withLock { $0[scheme.lowercased()] } }
    func setDatapaths(_ all: [String: DatapathPlugin]) { schemes.withLock { $0 = all } }

    func told(_ repository: String) -> Names? { names.withLock { $0[repository] } }
    func setTold(_ repository: String, _ body: @Sendable (inout Names) -> Void) {
        names.withLock { body(&$0[repository, default: Names()]) }
    }
    func forgetTold(_ repository: String) { names.withLock { $0[repository] = nil } }

    /// The turns of the SR with this uuid.
    func queue(_ repository: String) -> CallQueue {
        queues.withLock { queues in
            let queue = queues[repository] ?? CallQueue()
            queues[repository] = queue
            return queue
        }
    }

    /// Calls that change an SR come one after the other, with what is written down of them.
    func inTurn<T: Sendable>(
        _ repository: String, _ body: () async throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        let queue = queue(repository)
        await queue.enter()
        defer { queue.leave() }
        return try await body()
    }
}

/// A folder of datapath scripts; its name is the scheme of the URIs that it takes.
struct DatapathPlugin: Hashable, Sendable {
    let folder: ScriptFolder
    let features: Set<String>
}
