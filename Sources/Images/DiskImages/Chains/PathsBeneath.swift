import BlockIO
import CLinux
import Glibc

/// Opens files by names that images hold, only beneath one folder: no name leaves it, by `..`, an absolute path or a
/// symbolic link (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS).
struct PathsBeneath {
    /// Absolute, without symbolic links.
    private let folder: [Substring]
    private let base: String
    /// What the files are to the image, for errors.
    private let role: String

    init(folder: String, role: String = "parent") throws(BlockError) {
        // SAFETY: realpath allocates the result, which is freed here.
        guard let resolved = unsafe realpath(folder, nil) else {
            throw BlockError(call: "realpath", errno: errno, path: folder)
        }
        base = unsafe String(cString: resolved)
        unsafe free(resolved)
        self.folder = base.split(separator: "/")
        self.role = role
    }

    /// The path leads to something beneath the folder, all symbolic links followed.
    static func isBeneath(_ path: String, folder: String) -> Bool {
        guard let path = real(path), let folder = real(folder) else { return false }
        return path.hasPrefix(folder == "/" ? folder : folder + "/")
    }

    /// Nil where there is nothing.
    static func real(_ path: String) -> String? {
        // SAFETY: realpath allocates the result, which is freed here.
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Opens the first of `names` that exists, read-only. Relative names start at the folder of `child`.
    func open(_ names: [String], from child: String) throws(BlockError) -> ImageFile {
        var failure = BlockError(.notFound, "the image needs a \(role) and names none", path: child)
        for name in names {
            do throws(BlockError) {
                return try open(name, from: child)
            } catch {
                failure = error
                if error.code != .notFound { throw error }
            }
        }
        throw failure
    }

    private func open(_ name: String, from child: String) throws(BlockError) -> ImageFile {
        guard let path = try beneath(name, from: child) else {
            throw BlockError(.denied, "the \(role) “\(name)” is outside of \(base)", path: child)
        }
        // SAFETY: Swift's own temporary C string.
        let directory = unsafe Glibc.open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory < 0 { throw BlockError(call: "open", errno: errno, path: base) }
        defer { Glibc.close(directory) }
        // SAFETY: Swift's own temporary C string.
        let descriptor = unsafe gantry_open_beneath(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        if descriptor < 0 {
            if descriptor == -ENOENT {
                throw BlockError(.notFound, "the \(role) “\(name)” does not exist", path: child, systemError: ENOENT)
            }
            if descriptor == -ELOOP || descriptor == -EXDEV {
                throw BlockError(
                    .denied, "the \(role) “\(name)” is reached through a link or outside of \(base)", path: child)
            }
            throw BlockError(call: "openat2", errno: -descriptor, path: base + "/" + path)
        }
        return try ImageFile(descriptor: descriptor, path: base + "/" + path, isReadOnly: true)
    }

    /// The path relative to the folder, without `.` and `..`; nil when it lies outside.
    private func beneath(_ name: String, from child: String) throws(BlockError) -> String? {
        if name.isEmpty || name.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            throw BlockError(.denied, "the name of the \(role) is empty or has control characters", path: child)
        }
        var parts: [Substring] = []
        if !name.hasPrefix("/") {
            let slash = child.lastIndex(of: "/")
            let directory = slash.map { String(child[..<$0]) + "/" } ?? "."
            // SAFETY: as in init.
            guard let resolved = unsafe realpath(directory, nil) else {
                throw BlockError(call: "realpath", errno: errno, path: directory)
            }
            parts = unsafe String(cString: resolved).split(separator: "/")
            unsafe free(resolved)
        }
        for part in name.split(separator: "/") where part != "." {
            if part == ".." {
                if parts.popLast() == nil { return nil }
            } else {
                parts.append(part)
            }
        }
        guard parts.count > folder.count, parts.starts(with: folder) else { return nil }
        return parts[folder.count...].joined(separator: "/")
    }
}
