import Foundation
public import Logging
public import StorageInterface

/// Finds the SMAPIv1 drivers in the folders given: executables named `<TYPE>SR`. Asks each what it is, and asks again
/// when its file changes. Not to be used by two tasks at once.
public actor DriverFolders {
    private let folders: [String]
    private let settings: PluginSettings
    private let home: any PluginHome
    private let logger: Logger
    private let attaching = CallQueue()
    private var known: [String: Known] = [:]

    private struct Known {
        let mark: Mark
        /// Nil: it is there and could not be used.
        let manager: SMAPIv1Driver?
    }

    /// What changes when somebody replaces a file.
    private struct Mark: Hashable {
        let path: String
        let inode: UInt
        let size: Int64
        let modified: Int
        let nanoseconds: Int
    }

    /// What a look at the folders found out: types, lower case.
    public struct Changes: Sendable {
        public var found: [any StorageManager] = []
        public var lost: [String] = []
        public var isEmpty: Bool { found.isEmpty && lost.isEmpty }
    }

    public init(folders: [String], settings: PluginSettings, home: any PluginHome, logger: Logger) {
        self.folders = folders
        self.settings = settings
        self.home = home
        self.logger = logger
    }

    /// Looks at the folders, asks the new and changed drivers what they are, all at once, and tells what is different
    /// from the last look.
    public func look() async -> Changes {
        let present = candidates()
        var changes = Changes()
        for (type, old) in known where present[type] == nil {
            if old.manager != nil { changes.lost.append(type) }
            known[type] = nil
        }
        let asked = present.filter { known[$0.key]?.mark != $0.value }
        await withTaskGroup(of: (String, Mark, SMAPIv1Driver?).self) { group in
            for (type, mark) in asked { group.addTask { (type, mark, await self.ask(type, mark.path)) } }
            for await (type, mark, manager) in group {
                if let manager {
                    changes.found.append(manager)
                } else if known[type]?.manager != nil {
                    changes.lost.append(type)
                }
                known[type] = Known(mark: mark, manager: manager)
            }
        }
        return changes
    }

    private func ask(_ type: String, _ path: String) async -> SMAPIv1Driver? {
        let runner = DriverRunner(program: path, settings: settings, home: home, logger: logger, attaching: attaching)
        switch await runner.describe(type: type) {
        case .success(let description):
            for warning in description.warnings {
                logger.warning(
                    "a storage driver says more than we know", metadata: ["driver": "\(path)", "what": "\(warning)"])
            }
            return SMAPIv1Driver(info: description.info, runner: runner)
        case .failure(let reason):
            logger.error(
                "a storage driver is left out: it does not say what it is",
                metadata: ["driver": "\(path)", "reason": "\(reason)"])
            return nil
        }
    }

    /// Driver type → its file. Of two drivers of one type that in the first folder counts.
    private func candidates() -> [String: Mark] {
        var found: [String: Mark] = [:]
        for folder in folders {
            for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() {
                guard name.hasSuffix("SR"), name.count > 2 else { continue }
                let type = name.dropLast(2).lowercased()
                guard settings.allowed?.contains(type) ?? true, found[type] == nil,
                    let mark = Self.mark(folder + "/" + name)
                else { continue }
                found[type] = mark
            }
        }
        return found
    }

    /// Nil unless it is a file that can be executed.
    private static func mark(_ path: String) -> Mark? {
        var status = stat()
        // SAFETY: the call fills the structure.
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, unsafe access(path, X_OK) == 0 else {
            return nil
        }
        return Mark(
            path: path, inode: status.st_ino, size: Int64(status.st_size), modified: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }
}
