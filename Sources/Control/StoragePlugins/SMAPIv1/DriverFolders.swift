import CLinux
import Foundation
public import Logging
public import StorageInterface

/// Finds the SMAPIv1 drivers in the folders given: executables named `<TYPE>SR`. Asks each what it is, and asks again
/// when its file changes, and, where that failed, from time to time: a driver that was asked while the host was overloaded
/// or its file half written is none the worse. Not to be used by two tasks at once.
public actor DriverFolders {
    private let folders: [String]
    private let settings: PluginSettings
    private let home: any PluginHome
    private let logger: Logger
    /// Drivers may share what attaching touches, so the host's calls for that take turns; one that hangs stops only itself.
    private let attaching = CallQueue(longestTurn: .seconds(60))
    private let firstDelay: Duration
    private var known: [String: Known] = [:]

    private struct Known {
        let mark: Mark
        /// Nil: it is there and could not be used. Where only the last question failed, what the one before it told.
        let manager: SMAPIv1Driver?
        /// The last question, if it failed.
        var failure: FailedQuestion?
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

    /// - Parameter firstDelay: after so long a question that failed is asked again; the time doubles up to ten minutes.
    public init(
        folders: [String], settings: PluginSettings, home: any PluginHome, logger: Logger,
        firstDelay: Duration = .seconds(15)
    ) {
        self.firstDelay = firstDelay
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
        let now = ContinuousClock.now
        let asked = present.filter { type, mark in
            guard let known = known[type], known.mark == mark else { return true }
            return known.failure.map { $0.retryAt <= now } ?? false
        }
        await withTaskGroup(of: (String, Mark, Answer).self) { group in
            for (type, mark) in asked {
                let isNew = known[type] == nil
                group.addTask {
                    let answer = await self.ask(type, mark.path)
                    // A host that starts is busy: nobody loses an SR for one answer that did not come in time.
                    if isNew, case .failure = answer { return (type, mark, await self.ask(type, mark.path)) }
                    return (type, mark, answer)
                }
            }
            for await (type, mark, answer) in group { note(answer, of: type, mark, in: &changes) }
        }
        return changes
    }

    private typealias Answer = Result<SMAPIv1Driver, DriverDescription.Misshapen>

    private func note(_ answer: Answer, of type: String, _ mark: Mark, in changes: inout Changes) {
        switch answer {
        case .success(let manager):
            changes.found.append(manager)
            known[type] = Known(mark: mark, manager: manager)
        case .failure(let error):
            let old = known[type]
            let isSameFile = old?.mark == mark
            if !isSameFile || old?.failure?.reason != error.description {
                logger.error(
                    "a storage driver does not say what it is",
                    metadata: [
                        "driver": "\(mark.path)", "reason": "\(error)", "stderr": "\(error.complaint)",
                        "consequence": old?.manager == nil ? "it is left out" : "it stays what it was",
                    ])
            }
            known[type] = Known(
                mark: mark, manager: old?.manager,
                failure: FailedQuestion(
                    error.description, first: firstDelay, after: isSameFile ? old?.failure : nil))
        }
    }

    private func ask(_ type: String, _ path: String) async -> Answer {
        let runner = DriverRunner(program: path, settings: settings, home: home, logger: logger, attaching: attaching)
        return await runner.describe(type: type).map { description in
            for warning in description.warnings {
                logger.warning(
                    "a storage driver says more than we know", metadata: ["driver": "\(path)", "what": "\(warning)"])
            }
            return SMAPIv1Driver(info: description.info, runner: runner)
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
