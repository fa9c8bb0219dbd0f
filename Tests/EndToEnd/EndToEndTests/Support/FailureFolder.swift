import Foundation

/// The folder by which a debug build of the toolstack is told, while it runs, what to do at a point of its work.
struct FailureFolder {
    enum Action: String {
        /// It ends itself with SIGKILL.
        case kill
        /// The step fails as a driver would.
        case fail
        /// It waits there.
        case hold
    }

    let folder: String

    init(_ folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Once, when the point is reached next.
    func set(_ action: Action, at point: String) throws {
        try Data(action.rawValue.utf8).write(to: URL(fileURLWithPath: folder + "/" + point), options: .atomic)
    }

    func isHeld(at point: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(point).held") }

    func release(_ point: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/\(point).held") }

    /// Takes back what was not reached.
    func clear() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            try FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}
