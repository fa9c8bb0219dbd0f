import Foundation
import Glibc

/// Files that hold secrets.
enum PrivateFile {
    /// Makes the file at `path`, empty, when there is none, and lets only its owner at it. SQLite gives its other files the
    /// same mode. Throws when the file system does not allow it.
    static func prepare(_ path: String) throws {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: path]) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: path])
        }
    }
}
