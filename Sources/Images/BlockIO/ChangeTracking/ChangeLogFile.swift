import Glibc

/// The file of a `ChangeLog`. Regular files only, and no links: others may write to the folder that it lies in.
public struct ChangeLogFile: Sendable {
    let file: ImageFile

    /// Makes a log, durable but for its name. `.exists` when there is anything at the path.
    public static func create(path: String, _ log: ChangeLog) throws(BlockError) {
        guard log.size <= ChangeLog.largestDisk else {
            throw BlockError(
                .limitExceeded, "disks of more than \(ChangeLog.largestDisk) bytes are not tracked", path: path)
        }
        let file = try ImageFile(path: path, access: .create)
        defer { file.close() }
        do throws(BlockError) {
            // Written out, not left as a hole: a mark that comes later finds its room.
            try file.write(bytes: ChangeLog.header(log) + log.bitmap + (log.boot ?? .none).bytes, at: 0)
            try file.sync()
        } catch {
            unsafe unlink(path)
            throw error
        }
    }

    /// With the file's lock, which whoever writes marks has: `.busy` then.
    public init(path: String) throws(BlockError) { try self.init(path: path, forWriting: true) }

    private init(path: String, forWriting: Bool) throws(BlockError) {
        let flags = (forWriting ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let descriptor = HandedFiles.open(path, flags)
        guard descriptor >= 0 else { throw BlockError(call: "open", errno: errno, path: path) }
        file = try ImageFile(
            descriptor: descriptor, path: path, isReadOnly: !forWriting, locking: forWriting)
        if file.isBlockDevice {
            file.close()
            throw BlockError(.unsupported, "no regular file", path: path)
        }
    }

    public func close() { file.close() }

    /// Whether nobody relies on the log any more: it is deleted, or empty, where this process may not delete it.
    func invalidate() -> Bool {
        // Where the log has another name, or none, that it is not there says nothing.
        if !HandedFiles.isSealed, unsafe unlink(file.path) == 0 || errno == ENOENT { return true }
        return (try? file.truncate(to: 0)) != nil
    }

    /// Deletes or empties the log at `path`, if there is one: nobody relies on it any more. `.busy` while it is written.
    public static func discard(path: String) throws(BlockError) {
        do throws(BlockError) {
            let opened = try ChangeLogFile(path: path)
            defer { opened.close() }
            if !opened.invalidate() { try opened.file.truncate(to: 0) }
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// What can be relied on of the log at `path`, also while somebody writes marks.
    public static func read(path: String) throws(BlockError) -> ChangeLog {
        let opened = try ChangeLogFile(path: path, forWriting: false)
        defer { opened.close() }
        return try opened.read()
    }

    /// The header of the log at `path`, with an empty bitmap.
    public static func readHeader(path: String) throws(BlockError) -> ChangeLog {
        let opened = try ChangeLogFile(path: path, forWriting: false)
        defer { opened.close() }
        return try opened.readHeader()
    }

    /// Throws `.invalidImage` or `.limitExceeded` for what is no log.
    public static func check(path: String) throws(BlockError) {
        let opened = try ChangeLogFile(path: path, forWriting: false)
        defer { opened.close() }
        try opened.requireLength(of: try opened.readHeader())
    }

    private func readHeader() throws(BlockError) -> ChangeLog {
        do throws(BlockError) {
            guard try file.size() >= UInt64(ChangeLog.headerLength) else { return try ChangeLog(header: []) }
            return try ChangeLog(header: try file.bytes(at: 0, count: ChangeLog.headerLength))
        } catch {
            throw error.at(path: file.path)
        }
    }

    private func requireLength(of log: ChangeLog) throws(BlockError) {
        guard try file.size() >= UInt64(ChangeLog.headerLength) + ChangeLog.bitmapLength(log.size) else {
            throw BlockError(
                .invalidImage, "the log is shorter than the bitmap of a disk of \(log.size) bytes", path: file.path)
        }
    }

    func read() throws(BlockError) -> ChangeLog {
        var log = try readHeader()
        let length = ChangeLog.bitmapLength(log.size)
        // Before any memory is taken.
        try requireLength(of: log)
        log.bitmap = try file.bytes(at: UInt64(ChangeLog.headerLength), count: Int(length))
        log.merge([])
        let trailer = try file.bytes(
            at: UInt64(ChangeLog.headerLength) + length, count: ChangeLog.trailerLength)
        log.boot = DiskID(bytes: trailer[...])
        return log.settled(in: Self.presentBoot)
    }

    /// Changes the log in place. Marks are added and durable before the header says anything new, so after a crash the log is
    /// one that promises what the old one did or what the new one does. `body` adds marks and never takes any away.
    public func change(_ body: (inout ChangeLog) -> Void) throws(BlockError) {
        var log = try read()
        // Settled: what it says is now so.
        log.isConsistent = true
        let before = log.size
        body(&log)
        if log.size > before { try makeRoom(for: log.size) }
        try file.write(bytes: log.bitmap, at: UInt64(ChangeLog.headerLength))
        try file.sync()
        try file.write(bytes: ChangeLog.header(log), at: 0)
        try file.sync()
    }

    /// The file gets the length for a larger disk. What lay behind the bitmap, the noted boot, becomes part of it as zeroes.
    private func makeRoom(for size: UInt64) throws(BlockError) {
        let end = UInt64(ChangeLog.headerLength) + ChangeLog.bitmapLength(size)
        try file.truncate(to: end + UInt64(ChangeLog.trailerLength))
    }

    /// Notes that marks are written from now on, durably, and gives what the log holds. The disk has `size` bytes now.
    func begin(size: UInt64) throws(BlockError) -> ChangeLog {
        guard size <= ChangeLog.largestDisk else {
            throw BlockError(
                .limitExceeded, "disks of more than \(ChangeLog.largestDisk) bytes are not tracked", path: file.path)
        }
        let found = try readHeader()
        // Whatever it was, its marks are complete, durable and in their place after this.
        if !found.isConsistent || found.size < size { try change { $0.grow(to: size) } }
        var log = try read()
        log.isConsistent = false
        log.boot = Self.presentBoot
        // In whichever order these reach the disk: with the flag nothing has been written yet, without it and with another
        // boot all counts as changed.
        try file.write(
            bytes: (log.boot ?? .none).bytes, at: UInt64(ChangeLog.headerLength) + ChangeLog.bitmapLength(log.size))
        try file.write(bytes: ChangeLog.header(log), at: 0)
        try file.sync()
        return log
    }

    /// All marks are durable, and then the flag.
    func end(_ log: ChangeLog) throws(BlockError) {
        try file.sync()
        var log = log
        log.isConsistent = true
        try file.write(bytes: ChangeLog.header(log), at: 0)
        try file.sync()
    }

    /// The running kernel's boot; nil when it does not say, and then no log that was cut off can be relied on.
    static var presentBoot: DiskID? {
        #if DEBUG
            if let text = unsafe getenv("GANTRY_BOOT_ID") { return DiskID(unsafe String(cString: text)) }
        #endif
        let descriptor = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 36)
        // SAFETY: reads into the array's own storage, at most its count.
        guard unsafe Glibc.read(descriptor, &bytes, bytes.count) == bytes.count else { return nil }
        return DiskID(String(decoding: bytes, as: UTF8.self))
    }
}
