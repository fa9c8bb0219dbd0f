import CLinux
import Foundation

/// A plugin's folder: executables named `<Interface>.<method>`, found whatever the case of their letters.
struct ScriptFolder: Hashable, Sendable {
    /// Absolute.
    let path: String
    /// Method in lower case → name of its file.
    private let names: [String: String]
    /// What changes when somebody replaces a file.
    private let marks: [String: Mark]

    private struct Mark: Hashable {
        let inode: UInt
        let size: Int64
        let modified: Int
        let nanoseconds: Int
        let isExecutable: Bool
    }

    enum Script: Hashable {
        case program(String)
        case missing
        case notExecutable(String)
    }

    /// More files than any plugin has; the rest is not looked at.
    private static let limit = 4096

    /// Nil unless it is a folder that can be read.
    init?(path: String) {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
        var names: [String: String] = [:]
        var marks: [String: Mark] = [:]
        for name in entries.sorted().prefix(Self.limit) {
            var status = stat()
            let file = path + "/" + name
            // SAFETY: the call fills the structure. Links are followed: methods mostly are links to one program.
            guard unsafe stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            marks[name] = Mark(
                inode: status.st_ino, size: Int64(status.st_size), modified: status.st_mtim.tv_sec,
                nanoseconds: status.st_mtim.tv_nsec, isExecutable: unsafe access(file, X_OK) == 0)
            if name.contains("."), names[name.lowercased()] == nil { names[name.lowercased()] = name }
        }
        self.path = path
        self.names = names
        self.marks = marks
    }

    func script(_ method: String) -> Script {
        guard let name = names[method.lowercased()] else { return .missing }
        let file = path + "/" + name
        return marks[name]?.isExecutable == true ? .program(file) : .notExecutable(file)
    }

    func has(_ method: String) -> Bool {
        if case .program = script(method) { true } else { false }
    }
}
