import Foundation
import Logging
import RPCCodec
import StorageInterface

/// Follows the folders of SMAPIv3 plugins below a root: `volume/<plugin>` and `datapath/<scheme>`. Each plugin is asked
/// what it is when its folder appears and whenever something in it changes.
public actor PluginFolders {
    private let root: String
    private let host: PluginHost
    private var volumes: [String: Known] = [:]
    private var datapaths: [String: Known] = [:]

    private struct Known {
        let folder: ScriptFolder
        /// It is there and can be used.
        let isUsed: Bool
        var datapath: DatapathPlugin?
    }

    public init(root: String, host: PluginHost) {
        self.root = root
        self.host = host
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
            if old.isUsed { changes.lost.append(type) }
            volumes[type] = nil
        }
        let asked = present.filter { volumes[$0.key]?.folder != $0.value }
        await withTaskGroup(of: (String, ScriptFolder, SMAPIv3Plugin?).self) { group in
            for (type, folder) in asked { group.addTask { (type, folder, await self.ask(type, folder)) } }
            for await (type, folder, plugin) in group {
                if let plugin {
                    changes.found.append(plugin)
                } else if volumes[type]?.isUsed == true {
                    changes.lost.append(type)
                }
                volumes[type] = Known(folder: folder, isUsed: plugin != nil)
            }
        }
        return changes
    }

    func lookAtDatapaths(below folder: String) async {
        let present = Self.folders(folder) { $0.lowercased() }
        datapaths = datapaths.filter { present[$0.key] != nil }
        let asked = present.filter { datapaths[$0.key]?.folder != $0.value }
        await withTaskGroup(of: (String, ScriptFolder, DatapathPlugin?).self) { group in
            for (scheme, folder) in asked { group.addTask { (scheme, folder, await self.askDatapath(scheme, folder)) } }
            for await (scheme, folder, plugin) in group {
                datapaths[scheme] = Known(folder: folder, isUsed: plugin != nil, datapath: plugin)
            }
        }
        host.setDatapaths(datapaths.compactMapValues(\.datapath))
    }

    private nonisolated func ask(_ type: String, _ folder: ScriptFolder) async -> SMAPIv3Plugin? {
        do {
            let description = try await Self.describe(type, folder, host.runner)
            for warning in description.warnings {
                host.logger.warning(
                    "a storage plugin says more than we know",
                    metadata: ["plugin": "\(folder.path)", "what": "\(warning)"])
            }
            return SMAPIv3Plugin(description: description, folder: folder, host: host)
        } catch {
            host.logger.error(
                "a storage plugin is left out: it does not say what it is",
                metadata: ["plugin": "\(folder.path)", "reason": "\(error)"])
            return nil
        }
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
    private nonisolated func askDatapath(_ scheme: String, _ folder: ScriptFolder) async -> DatapathPlugin? {
        guard folder.has("Plugin.query") else { return DatapathPlugin(folder: folder, features: []) }
        do {
            let value = try await host.runner.call(
                "Plugin.query", in: folder, limits: Self.questionLimits(host.runner.settings))
            do {
                let features = try RecordReader(value).texts("features", default: [])
                return DatapathPlugin(folder: folder, features: Set(features))
            } catch {
                throw error.error("Plugin.query")
            }
        } catch {
            host.logger.error(
                "a datapath plugin is left out: it does not say what it is",
                metadata: ["plugin": "\(folder.path)", "reason": "\(error)"])
            return nil
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
