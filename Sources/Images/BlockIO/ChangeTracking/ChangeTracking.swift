import Glibc
import Synchronization

/// The marks of one disk while it is written to: in memory, where a request looks, and in its log.
///
/// A block is marked in the file before the first change to it goes on to the disk, and once: a request whose blocks are all
/// marked pays one atomic load. So whenever this process is killed, the page cache holds the mark of every block that may have
/// been changed (`ChangeLog` says what a loss of the machine's power means). While the disk moves to another image, marks go
/// to the logs of both: whichever of the images is the disk after a crash has a complete log.
///
/// A log that cannot be written is worth nothing, and a guest's disk more than its log: the log is deleted, or emptied where
/// this process may not delete, so that nobody relies on it, and the disk goes on. Only where even that fails does the request
/// fail, before it has changed anything.
@safe
public final class ChangeTracking: @unchecked Sendable {
    // @unchecked: `files` and the parent are touched with `monitor` held; `words` is set up once and has atomic elements.
    private struct Log {
        var file: ChangeLogFile
        var size: UInt64
        /// Of the image that the disk is about to move to.
        var isFollowed = false
    }

    private let monitor = Monitor()
    // SAFETY: one allocation of `wordCount` elements, from init to deinit.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let wordCount: Int
    private var files: [Log] = []
    private var parent: DiskID?
    private var child: DiskID?
    /// Bytes of the disk.
    public let size: UInt64

    /// Opens the log at `path` for a disk of `size` bytes. `.busy` when it stays in somebody else's use for a while.
    public convenience init(path: String, size: UInt64) throws(BlockError) {
        let file = try Self.open(path)
        do throws(BlockError) {
            self.init(size: size, first: file, try file.begin(size: size))
        } catch {
            file.close()
            throw error
        }
    }

    private init(size: UInt64, first: ChangeLogFile, _ log: ChangeLog) {
        self.size = size
        wordCount = (log.bitmap.count + 7) / 8
        unsafe words = .allocate(capacity: wordCount)
        for index in 0..<wordCount {
            var word: UInt64 = 0
            for byte in 0..<min(8, log.bitmap.count - index * 8) {
                word |= UInt64(log.bitmap[index * 8 + byte]) << (UInt64(byte) * 8)
            }
            unsafe (words + index).initialize(to: Atomic(word))
        }
        parent = log.parent
        child = log.child
        files = [Log(file: first, size: log.size)]
    }

    deinit {
        unsafe words.deinitialize(count: wordCount)
        unsafe words.deallocate()
    }

    /// Another process may be at it for a moment: it adds the marks of a snapshot that goes.
    private static func open(_ path: String) throws(BlockError) -> ChangeLogFile {
        var tries = 0
        while true {
            do throws(BlockError) {
                return try ChangeLogFile(path: path)
            } catch {
                tries += 1
                if error.code != .busy || tries > 50 { throw error }
                usleep(100_000)
            }
        }
    }

    /// Some log is being written.
    public var isWritten: Bool { monitor.locked { !files.isEmpty } }

    // MARK: Marks

    /// Before a change of a range, which lies inside the disk.
    @inline(__always)
    func mark(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        if length == 0 { return }
        let first = offset / ChangeLog.block
        let last = (offset + length - 1) / ChangeLog.block
        if areMarked(first, last) { return }
        try markInFiles(first, last)
    }

    @inline(__always)
    private func areMarked(_ first: UInt64, _ last: UInt64) -> Bool {
        var word = Int(first / 64)
        let end = Int(last / 64)
        while word <= end {
            let mask = Self.mask(word, first, last)
            if load(word) & mask != mask { return false }
            word += 1
        }
        return true
    }

    /// The bits of a word that lie in `first ... last`.
    @inline(__always)
    private static func mask(_ word: Int, _ first: UInt64, _ last: UInt64) -> UInt64 {
        let start = UInt64(word) * 64
        let low = first > start ? first - start : 0
        let high = min(63, last - start)
        return (UInt64.max << low) & (UInt64.max >> (63 - high))
    }

    // SAFETY: callers' indices come from ranges inside the disk, or are below `wordCount`.
    @inline(__always)
    func load(_ word: Int) -> UInt64 { unsafe words[word].load(ordering: .acquiring) }

    private func markInFiles(_ first: UInt64, _ last: UInt64) throws(BlockError) {
        try monitor.locked { () throws(BlockError) in
            let range = Int(first / 64)...Int(last / 64)
            let marked = range.map { load($0) | Self.mask($0, first, last) }
            try write(marked, from: range.lowerBound)
            // Seen by others only now that the file has them.
            for (index, word) in marked.enumerated() { store(word, at: range.lowerBound + index) }
        }
    }

    private func store(_ value: UInt64, at word: Int) {
        // SAFETY: as for `load`.
        unsafe words[word].store(value, ordering: .releasing)
    }

    /// With the monitor held.
    private func write(_ marked: [UInt64], from word: Int) throws(BlockError) {
        try eachFile { (log) throws(BlockError) in
            let length = Int(ChangeLog.bitmapLength(log.size))
            let bytes = Self.bytes(marked).prefix(max(0, length - word * 8))
            try log.file.file.write(bytes: Array(bytes), at: UInt64(ChangeLog.headerLength + word * 8))
        }
    }

    /// A log for which `body` fails is deleted, or empty, which is no valid log.
    private func eachFile(_ body: (Log) throws(BlockError) -> Void) throws(BlockError) {
        for index in files.indices.reversed() {
            let log = files[index]
            do throws(BlockError) {
                try body(log)
            } catch {
                guard log.file.invalidate() else { throw error }
                log.file.close()
                files.remove(at: index)
            }
        }
    }

    private static func bytes(_ words: [UInt64]) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (UInt64($0) * 8)) } }
    }

    /// What is marked now, as a log's bitmap.
    private var bitmap: [UInt8] {
        Array(Self.bytes((0..<wordCount).map(load)).prefix(Int(ChangeLog.bitmapLength(size))))
    }

    public func isChanged(block: UInt64) -> Bool {
        block < ChangeLog.blocks(size) && load(Int(block / 64)) >> (block % 64) & 1 == 1
    }

    // MARK: Moves

    /// From when this returns on the log at `path`, of the image that the disk is about to move to and of `size` bytes, has the
    /// same marks and the same parent, durably, and gets all that come.
    public func follow(path: String, size: UInt64) throws(BlockError) {
        let file = try Self.open(path)
        do throws(BlockError) {
            try monitor.locked { () throws(BlockError) in
                let (bitmap, parent) = (bitmap, parent)
                try file.change { log in
                    log.grow(to: size)
                    log.merge(bitmap)
                    log.parent = parent
                }
                files.append(Log(file: file, size: try file.begin(size: size).size, isFollowed: true))
            }
        } catch {
            file.close()
            throw error
        }
    }

    /// The disk has moved: only the log that was followed counts. `stays`: it has not, only its own does. Where that one could
    /// not be written and is gone, nothing is tracked any more: the other is of an image that is not the disk.
    public func settle(stays: Bool) {
        for log in release(stays: stays) { log.close() }
    }

    /// The same; the logs that do not count any more are the caller's to close, for whom storage does not answer perhaps.
    public func release(stays: Bool) -> [ChangeLogFile] {
        monitor.locked {
            let released = files.filter { $0.isFollowed == stays }.map(\.file)
            files.removeAll { $0.isFollowed == stays }
            for index in files.indices { files[index].isFollowed = false }
            return released
        }
    }

    // MARK: The set of logs

    /// Adds the marks of the log at `path`, of a snapshot that goes, and takes its parent. Durable when this returns.
    public func merge(logAt path: String?, parent: DiskID?) throws(BlockError) {
        let other = try path.map { path throws(BlockError) in try ChangeLogFile.read(path: path).bitmap } ?? []
        try monitor.locked { () throws(BlockError) in
            if files.isEmpty { throw BlockError(.notFound, "the disk's log of changed blocks is not being written") }
            var log = ChangeLog(size: size)
            log.bitmap = bitmap
            log.merge(other)
            let marked = (0..<wordCount).map { index in
                (0..<min(8, log.bitmap.count - index * 8)).reduce(load(index)) {
                    $0 | UInt64(log.bitmap[index * 8 + $1]) << (UInt64($1) * 8)
                }
            }
            try write(marked, from: 0)
            for (index, word) in marked.enumerated() { store(word, at: index) }
            self.parent = parent
            try eachFile { (log) throws(BlockError) in
                try log.file.file.sync()
                try log.file.file.write(bytes: header(log, isConsistent: false), at: 0)
                try log.file.file.sync()
            }
        }
    }

    private func header(_ log: Log, isConsistent: Bool) -> [UInt8] {
        var header = ChangeLog(size: 0, parent: parent)
        header.child = child
        header.size = log.size
        header.isConsistent = isConsistent
        return ChangeLog.header(header)
    }

    /// No change comes any more: the logs are complete, durable and closed.
    public func close() throws(BlockError) {
        try monitor.locked { () throws(BlockError) in
            try eachFile { (log) throws(BlockError) in
                try log.file.file.sync()
                try log.file.file.write(bytes: header(log, isConsistent: true), at: 0)
                try log.file.file.sync()
            }
            for log in files { log.file.close() }
            files = []
        }
    }

    /// For tests: what a killed process leaves, its files closed and nothing told. `isFollowed`: only of such.
    func drop(isFollowed: Bool? = nil) {
        monitor.locked { for log in files where isFollowed == nil || log.isFollowed == isFollowed { log.file.close() } }
    }
}
