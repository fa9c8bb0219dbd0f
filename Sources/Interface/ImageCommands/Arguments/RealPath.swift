import Glibc

/// Paths with symbolic links followed.
enum RealPath {
    /// Nil when there is nothing at the path.
    static func of(_ path: String) -> String? {
        // SAFETY: realpath allocates its result, a C string, which is freed here.
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    /// The file lies in the folder or in one of its folders.
    static func isBeneath(_ path: String, folder: String) -> Bool {
        guard let path = of(path), let folder = of(folder) else { return false }
        return path.hasPrefix(folder == "/" ? folder : folder + "/")
    }

    /// A symbolic link is at the path.
    static func isLink(_ path: String) -> Bool {
        var status = stat()
        // SAFETY: a C string for the call, and a local variable.
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Throws when both paths lead to one file, or to one device by whatever nodes: a source is never its own target.
    static func refuseSame(_ source: String, _ target: String, _ what: String) throws(CommandFailure) {
        if isSame(source, target) {
            throw CommandFailure(what, why: "it is the source itself", advice: "another name")
        }
    }

    /// Throws when standard input, which has no name, comes from the target: `convert - X < X`.
    static func refuseStandardInput(as target: String, _ what: String) throws(CommandFailure) {
        var (first, second) = (stat(), stat())
        // SAFETY: a C string for the call, and local variables.
        guard unsafe fstat(STDIN_FILENO, &first) == 0, unsafe stat(target, &second) == 0, isSame(first, second)
        else { return }
        throw CommandFailure(what, why: "it is the source itself, which is read as a stream", advice: "another name")
    }

    /// Both paths lead to one file, or to one device by whatever nodes.
    static func isSame(_ source: String, _ target: String) -> Bool {
        var (first, second) = (stat(), stat())
        // SAFETY: C strings for the calls, and local variables.
        guard unsafe stat(source, &first) == 0, unsafe stat(target, &second) == 0 else { return false }
        return isSame(first, second)
    }

    private static func isSame(_ first: stat, _ second: stat) -> Bool {
        let isBlock = first.st_mode & S_IFMT == S_IFBLK && second.st_mode & S_IFMT == S_IFBLK
        return (first.st_dev == second.st_dev && first.st_ino == second.st_ino)
            || (isBlock && first.st_rdev == second.st_rdev)
    }

    static func isRegularFile(_ path: String) -> Bool { kind(path) == S_IFREG }

    /// `S_IFREG`, `S_IFBLK`… of what the path leads to; nil when there is nothing.
    static func kind(_ path: String) -> mode_t? {
        var status = stat()
        // SAFETY: a C string for the call, and a local variable.
        return unsafe stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Where what a stream has out of order waits, in a file without a name: beside the target, not a link to it, and
    /// not beside a block device, whose folder is memory, or standard output, which has none.
    static func spillFolder(for target: String) -> String {
        target == "-" || kind(target) == S_IFBLK ? "/var/tmp" : folder(of: of(target) ?? target)
    }

    /// `.` for a name alone.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
