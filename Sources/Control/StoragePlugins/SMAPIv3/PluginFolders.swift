import Foundation
import Logging
import RPCCodec
import StorageInterface

/// Follows the folders of SMAPIv3 plugins below a root: `volume/<plugin>` and `datapath/<scheme>`. Each plugin is asked
/// what it is when its folder appears and whenever something in it changes, and, where that failed, from time to time; until
/// it answers, it stays what it was.
public actor PluginFolders {
    private let root: String
    private let host: PluginHost
    private let firstDelay: Duration
    private var volumes: [String: Known<SMAPIv3Plugin>] = [:]
    private var datapaths: [String: Known<DatapathPlugin>] = [:]

    private struct Known<Plugin: Sendable>: Sendable {
        let folder: ScriptFolder
        /// Nil: it is there and could not be used. Where only the last question failed, what the one before it told.
        let plugin: Plugin?
        /// The last question, if it failed.
        var failure: FailedQuestion?

        /// Whether it is to be asked.
        func isDue(_ present: ScriptFolder, _ now: ContinuousClock.Instant) -> Bool {
            folder != present || failure.map { $0.retryAt <= now } ?? false
        }
    }

    /// - Parameter firstDelay: after so long a question that failed is asked again; the time doubles up to ten minutes.
    public init(root: String, host: PluginHost, firstDelay: Duration = .seconds(15)) {
        self.root = root
        self.host = host
        self.firstDelay = firstDelay
    }

    /// Folders of volume plugins may have the queue's whole name.
    private static let prefix = "org.xen.xapi.storage."

    /// Looks at the folders, asks the new and changed plugins what they are, all at once, and tells what is different
    /// from the last look.
    public func look() async -> DriverFolders.Changes {
        await lookAtDatapaths(below: root + "/datapath")
        var changes = DriverFolders.Changes()
        let present = Self.folders(root + "/volume") { name in
            let type = name.lowercased()
            return type.hasPrefix(Self.prefix) ? String(type.dropFirst(Self.prefix.count)) : type
        }
        for (type, old) in volumes where present[type] == nil {
            if old.plugin != nil { changes.lost.append(type) }
            volumes[type] = nil
        }
        let answers = await ask(present, volumes) { (type, folder) async throws(StorageError) in
            try await self.describe(type, folder)
        }
        for (type, folder, answer) in answers {
            volumes[type] = note(answer, of: folder, after: volumes[type])
            if case .success(let plugin) = answer { changes.found.append(plugin) }
        }
        return changes
    }

    func lookAtDatapaths(below folder: String) async {
        let present = Self.folders(folder) { $0.lowercased() }
        datapaths = datapaths.filter { present[$0.key] != nil }
        let answers = await ask(present, datapaths) { (_, folder) async throws(StorageError) in
            try await self.describeDatapath(folder)
        }
        for (scheme, folder, answer) in answers {
            datapaths[scheme] = note(answer, of: folder, after: datapaths[scheme])
        }
        host.setDatapaths(datapaths.compactMapValues(\.plugin))
    }

    private typealias Answer<Plugin> = Result<Plugin, StorageError>

    /// Asks those that are due, all at once.
    private func ask<Plugin: Sendable>(
        _ present: [String: ScriptFolder], _ known: [String: Known<Plugin>],
        _ question: @escaping @Sendable (String, ScriptFolder) async throws(StorageError) -> Plugin
    ) async -> [(String, ScriptFolder, Answer<Plugin>)] {
        let now = ContinuousClock.now
        return await withTaskGroup(of: (String, ScriptFolder, Answer<Plugin>).self) { group in
            for (name, folder) in present {
                let old = known[name]
                guard old?.isDue(folder, now) ?? true else { continue }
                let isNew = old == nil
                group.addTask {
                    var answer = await Self.answer(question, name, folder)
                    // A host that starts is busy: nobody loses an SR for one answer that did not come in time.
                    if isNew, case .failure = answer { answer = await Self.answer(question, name, folder) }
                    return (name, folder, answer)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func answer<Plugin>(
        _ question: (String, ScriptFolder) async throws(StorageError) -> Plugin, _ name: String, _ folder: ScriptFolder
    ) async -> Answer<Plugin> {
        do throws(StorageError) {
            return .success(try await question(name, folder))
        } catch {
            return .failure(error)
        }
    }

    private func note<Plugin: Sendable>(
        _ answer: Answer<Plugin>, of folder: ScriptFolder, after old: Known<Plugin>?
    ) -> Known<Plugin> {
        switch answer {
        case .success(let plugin): return Known(folder: folder, plugin: plugin)
        case .failure(let error):
            let isSame = old?.folder == folder
            let reason = "\(error)"
            if !isSame || old?.failure?.reason != reason {
                host.logger.error(
                    "a storage plugin does not say what it is",
                    metadata: [
                        "plugin": "\(folder.path)", "reason": "\(reason)",
                        "consequence": old?.plugin == nil ? "it is left out" : "it stays what it was",
                    ])
            }
            return Known(
                folder: folder, plugin: old?.plugin,
                failure: FailedQuestion(reason, first: firstDelay, after: isSame ? old?.failure : nil))
        }
    }

    private nonisolated func describe(
        _ type: String, _ folder: ScriptFolder
    ) async throws(StorageError) -> SMAPIv3Plugin {
        let description = try await Self.describe(type, folder, host.runner)
        for warning in description.warnings {
            host.logger.warning(
                "a storage plugin says more than we know",
                metadata: ["plugin": "\(folder.path)", "what": "\(warning)"])
        }
        return SMAPIv3Plugin(description: description, folder: folder, host: host)
    }

    static func describe(
        _ type: String, _ folder: ScriptFolder, _ runner: ScriptRunner
    ) async throws(StorageError) -> PluginDescription {
        let value = try await runner.call("Plugin.query", in: folder, limits: questionLimits(runner.settings))
        do {
            return try PluginDescription(value, type: type, folder: folder)
        } catch {
            throw error.error("Plugin.query")
        }
    }

    /// A datapath that says nothing of itself has no features.
    private nonisolated func describeDatapath(_ folder: ScriptFolder) async throws(StorageError) -> DatapathPlugin {
        guard folder.has("Plugin.query") else { return DatapathPlugin(folder: folder, features: []) }
        let value = try await host.runner.call(
            "Plugin.query", in: folder, limits: Self.questionLimits(host.runner.settings))
        do {
            let features = try RecordReader(value).texts("features", default: [])
            return DatapathPlugin(folder: folder, features: Set(features))
        } catch {
            throw error.error("Plugin.query")
        }
    }

    private static func questionLimits(_ settings: PluginSettings) -> PluginLimits {
        var limits = settings.limits
        limits.time = min(limits.time, settings.questionTime)
        return limits
    }

    /// Name (as `naming` has it) → folder. Hidden ones and names that no type can have are not looked at.
    private static func folders(_ path: String, naming: (String) -> String) -> [String: ScriptFolder] {
        var found: [String: ScriptFolder] = [:]
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() {
            let word = naming(name)
            guard !name.hasPrefix("."), !word.isEmpty, word.utf8.count <= 64, found[word] == nil,
                word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), let folder = ScriptFolder(path: path + "/" + name)
            else { continue }
            found[word] = folder
        }
        return found
    }
}
