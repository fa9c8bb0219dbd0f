import Glibc

/// A folder for trials of what opens files by their names: GANTRY_FUZZ_SCRATCH, which `Fuzz/run` makes and removes, best in
/// memory. Without it no trial means anything: its `fatalError`s end the run.
enum ScratchFolder {
    static let path: String = {
        guard let root = getenv("GANTRY_FUZZ_SCRATCH").map({ String(cString: $0) }) else {
            fatalError("GANTRY_FUZZ_SCRATCH names a folder for files of this target")
        }
        let path = "\(root)/\(getpid())"
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { fatalError("cannot make \(path)") }
        return path
    }()

    /// Replaces a file's content.
    static func write(_ bytes: some Collection<UInt8>, to name: String) {
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { fatalError("cannot write \(name)") }
        defer { close(descriptor) }
        let bytes = Array(bytes)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            fatalError("the scratch folder is full")
        }
    }

    /// The same, with holes where pages were never written.
    static func write(sparse content: PagedBytes, to name: String) {
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0, ftruncate(descriptor, content.count) == 0 else { fatalError("cannot write \(name)") }
        defer { close(descriptor) }
        var page = [UInt8](repeating: 0, count: PagedBytes.pageSize)
        for offset in stride(from: 0, to: content.count, by: page.count) where content.isStored(offset) {
            let count = min(page.count, content.count - offset)
            page.withUnsafeMutableBytes { content.read(into: $0, at: offset) }
            guard pwrite(descriptor, page, count, offset) == count else { fatalError("the scratch folder is full") }
        }
    }

    /// Nil when there is no such file.
    static func read(_ name: String) -> [UInt8]? {
        let descriptor = open(path + "/" + name, O_RDONLY)
        if descriptor < 0 { return nil }
        defer { close(descriptor) }
        let length = Int(lseek(descriptor, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: length)
        guard pread(descriptor, &bytes, length, 0) == length else { fatalError("\(name) cannot be read") }
        return bytes
    }

    static func remove(_ name: String) { unlink(path + "/" + name) }
}
