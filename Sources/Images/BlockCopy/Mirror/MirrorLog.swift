public import BlockIO
import CLinux
import CoreTypes
import Glibc
import Synchronization

/// Which granules of a mirror's two images are the same *in their files*: one bit each, set = the same. It is what a mirror
/// goes on from after the process at either side was killed; `DirtyMap` is what it works by meanwhile.
///
/// The two differ where an image keeps metadata in memory: what is done is in the file only when that was written, too. So
/// - a bit is cleared before the first byte of a change reaches either image (`touch`, with the range held; `copied` where
///   the source stays as it is);
/// - it is set when the granule is clean and everything done to it is in both files: by `markSame` of what was copied, when
///   the destination's metadata have been written, or by `settle`, unless it was touched since `rotate`;
/// - but not while the source may have metadata of it in memory: when a guest has touched it since the last time that all
///   of the source was in its file (`sourceIsWritten`).
///
/// With a file the bits live in a shared mapping of it: they are in the page cache with each store and outlive this
/// process. They do not outlive the machine: images and map would have to become durable in step. So the file names the
/// boot in which it was made, and a map of another boot is not taken up: everything is compared as different again.
@safe
public final class MirrorLog: @unchecked Sendable {
    // SAFETY (whole type): `words` points to `wordCount` words of the one mapping that this object owns until deinit; they
    // are touched with the mutex held only. The file is preallocated, and its folder is the data path's own: nobody cuts it.
    private let words: UnsafeMutablePointer<UInt64>
    private let wordCount: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedLength: Int
    private let marks: Mutex<Marks>

    private struct Marks {
        /// Touched since the last `rotate`.
        var recent: [UInt64]
        /// Touched by guests since the last `rotate` that was for a flush of the source, and between the two before.
        var written: [UInt64]
        var unflushed: [UInt64]

        init(wordCount: Int) {
            recent = [UInt64](repeating: 0, count: wordCount)
            written = recent
            unflushed = recent
        }
    }

    public let size: UInt64
    public let granule: UInt64
    /// Path of the file; nil for a map in memory.
    public let path: String?
    /// What it says is of an earlier process.
    public let isResumed: Bool

    private static let headerLength = 4096
    /// With the version of the layout at its end.
    private static let magic: [UInt8] = Array("GANTRYM1".utf8)
    static let largestIdentity = 3500

    /// A map that says nothing is the same. `identity` names the two images; `path` nil: in memory, for this process alone.
    public convenience init(
        size: UInt64, granule: UInt64 = 65536, path: String? = nil, identity: String = ""
    ) throws(BlockError) {
        guard let path else {
            try self.init(descriptor: -1, size: size, granule: granule, path: nil, isResumed: false)
            return
        }
        guard identity.utf8.count <= Self.largestIdentity else {
            throw BlockError(.limitExceeded, "the names of a mirror's images are too long for its map", path: path)
        }
        unsafe unlink(path)
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw BlockError(call: "open", errno: errno, path: path) }
        defer { Glibc.close(descriptor) }
        // Memory or disk for all of it now: a store to a mapping cannot be refused, it can only kill.
        let length = UInt64(Self.headerLength) + Self.mapLength(size, granule)
        let status = gantry_preallocate(descriptor, 0, length)
        if status < 0 {
            unsafe unlink(path)
            throw BlockError(call: "fallocate", errno: -status, path: path)
        }
        try self.init(descriptor: descriptor, size: size, granule: granule, path: path, isResumed: false)
        try Self.store(Self.header(size, granule, identity), to: descriptor, path)
    }

    /// The map that an earlier process left, in the same boot, of the same images; nil when there is none that can be
    /// trusted, and a file that cannot be is removed.
    public static func resume(path: String, size: UInt64, identity: String) throws(BlockError) -> MirrorLog? {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw BlockError(call: "open", errno: errno, path: path) }
        defer { Glibc.close(descriptor) }
        var status = stat()
        var found = [UInt8](repeating: 0, count: headerLength)
        // SAFETY: reads into the array's own storage.
        let count = unsafe found.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        let granule: UInt64 = 65536
        guard !bootIdentity().isEmpty, count == headerLength,
            unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            UInt64(clamping: status.st_size) == UInt64(headerLength) + mapLength(size, granule),
            found == header(size, granule, identity)
        else {
            unsafe unlink(path)
            return nil
        }
        return try MirrorLog(descriptor: descriptor, size: size, granule: granule, path: path, isResumed: true)
    }

    /// What a file at `path` says of which images it is, without trusting the rest. Nil when there is no such file.
    public static func identity(at path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var found = [UInt8](repeating: 0, count: headerLength)
        // SAFETY: reads into the array's own storage.
        let count = unsafe found.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == headerLength, found.starts(with: magic) else { return nil }
        let length = Int(found[Self.identityOffset]) << 8 | Int(found[Self.identityOffset + 1])
        guard length <= largestIdentity else { return nil }
        return String(decoding: found[(identityOffset + 2)..<(identityOffset + 2 + length)], as: UTF8.self)
    }

    /// Removes a file that is of no use, if there is one.
    public static func remove(_ path: String) { unsafe unlink(path) }

    private init(descriptor: Int32, size: UInt64, granule: UInt64, path: String?, isResumed: Bool) throws(BlockError) {
        self.size = size
        self.granule = granule
        self.path = path
        self.isResumed = isResumed
        let length = Int(Self.mapLength(size, granule))
        wordCount = length / 8
        mappedLength = length + (path == nil ? 0 : Self.headerLength)
        let flags = path == nil ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
        let start = unsafe mmap(nil, max(mappedLength, 4096), PROT_READ | PROT_WRITE, flags, descriptor, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            throw BlockError(call: "mmap", errno: errno, path: path ?? "")
        }
        unsafe mapping = start
        unsafe words = (start + (path == nil ? 0 : Self.headerLength)).assumingMemoryBound(to: UInt64.self)
        marks = Mutex(Marks(wordCount: wordCount))
    }

    deinit { unsafe munmap(mapping, max(mappedLength, 4096)) }

    /// Removes the file; the map goes on in memory.
    public func discard() { if let path { unsafe unlink(path) } }

    // MARK: Bits

    /// Before a guest's change of the range in either image.
    func touch(_ offset: UInt64, _ length: UInt64) {
        // The disk may be larger than the map: what lies behind it is nobody's.
        guard length > 0, offset < size else { return }
        let (first, last) = (offset / granule, (min(size, offset + length) - 1) / granule)
        marks.withLock { marks in
            Self.forEachWord(first, last) { index, mask in
                unsafe words[index] &= ~mask
                marks.recent[index] |= mask
                marks.written[index] |= mask
            }
        }
    }

    /// The destination was made like the source in the range, whose whole granules are meant. With the range held.
    func copied(_ offset: UInt64, _ length: UInt64) {
        guard length > 0, offset < size else { return }
        let (first, last) = (offset / granule, (min(size, offset + length) - 1) / granule)
        marks.withLock { marks in
            Self.forEachWord(first, last) { index, mask in
                unsafe words[index] &= ~mask
                marks.recent[index] |= mask
            }
        }
    }

    /// Everything done to the range in the destination, whole granules of which are meant, is in its file. With the range
    /// held. `isWritten`: all that was done in the source is in its file, too; else that of guests' recent changes is not.
    func markSame(_ offset: UInt64, _ length: UInt64, sourceIsWritten isWritten: Bool) {
        let first = offset.dividedRoundingUp(by: granule)
        let end = offset + length >= size ? size.dividedRoundingUp(by: granule) : (offset + length) / granule
        guard end > first else { return }
        marks.withLock { marks in
            Self.forEachWord(first, end - 1) { index, mask in
                let unsure = isWritten ? 0 : marks.written[index] | marks.unflushed[index]
                unsafe words[index] |= mask & ~unsure
            }
        }
    }

    /// A part at a time, so that no writer waits for the whole map.
    private func inParts(_ body: (inout Marks, Range<Int>) -> Void) {
        var start = 0
        while start < wordCount {
            let part = start..<min(wordCount, start + 4096)
            marks.withLock { body(&$0, part) }
            start = part.upperBound
        }
    }

    /// From here on `settle` leaves alone what is touched later. `forFlush`: a flush of the source follows.
    func rotate(forFlush isForFlush: Bool) {
        inParts { (marks, part) in
            for index in part {
                marks.recent[index] = 0
                if !isForFlush { continue }
                marks.unflushed[index] |= marks.written[index]
                marks.written[index] = 0
            }
        }
    }

    /// All that was done to the source before `rotate` is in its file.
    func sourceIsWritten() {
        inParts { (marks, part) in
            for index in part {
                marks.written[index] &= marks.recent[index]
                marks.unflushed[index] = 0
            }
        }
    }

    /// What was done to the source before this mirror may be in memory only.
    func doubtSource() {
        marks.withLock { marks in for index in 0..<wordCount { marks.written[index] = .max } }
    }

    /// Every change of the destination that was under way at `rotate` has ended, and is in its file.
    func settle(clean dirty: DirtyMap) {
        inParts { (marks, part) in
            for index in part {
                let unsure = marks.recent[index] | marks.written[index] | marks.unflushed[index]
                unsafe words[index] |= dirty.cleanWord(index) & ~unsure
            }
        }
    }

    /// Marks dirty what is not known to be the same.
    func markDifferent(in dirty: DirtyMap) {
        marks.withLock { _ in
            for index in 0..<wordCount { dirty.markWord(index, unsafe ~words[index]) }
        }
    }

    /// Nothing is known to be the same.
    func forgetAll() {
        marks.withLock { marks in
            for index in 0..<wordCount {
                unsafe words[index] = 0
                marks.recent[index] = .max
            }
        }
    }

    /// Bytes in granules that are known to be the same, the last counted whole.
    public var sameBytes: UInt64 {
        marks.withLock { _ in
            var count: UInt64 = 0
            for index in 0..<wordCount { count += UInt64(unsafe words[index].nonzeroBitCount) }
            return count * granule
        }
    }

    private static func forEachWord(_ first: UInt64, _ last: UInt64, _ body: (Int, UInt64) -> Void) {
        var index = first
        while index <= last {
            let from = index % 64
            let upTo = min(63, from + (last - index))
            body(Int(index / 64), (UInt64.max << from) & (UInt64.max >> (63 - upTo)))
            index += upTo - from + 1
        }
    }

    // MARK: File

    private static func mapLength(_ size: UInt64, _ granule: UInt64) -> UInt64 {
        size.dividedRoundingUp(by: granule).dividedRoundingUp(by: 64) * 8
    }

    private static let identityOffset = 64

    /// Magic, granule, size, boot, identity.
    private static func header(_ size: UInt64, _ granule: UInt64, _ identity: String) -> [UInt8] {
        var bytes = magic
        for value in [granule, size] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
            }
        }
        bytes += bootIdentity().prefix(36)
        bytes += [UInt8](repeating: 0, count: identityOffset - bytes.count)
        let name = Array(identity.utf8)
        bytes += [UInt8(name.count >> 8), UInt8(name.count & 0xff)] + name
        return bytes + [UInt8](repeating: 0, count: headerLength - bytes.count)
    }

    /// The kernel's name for the time since it was started.
    private static func bootIdentity() -> [UInt8] {
        let descriptor = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 36)
        // SAFETY: reads into the array's own storage.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        return Array(bytes.prefix(max(0, count)))
    }

    private static func store(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(BlockError) {
        // SAFETY: writes the array's own storage. A page, whose space is there: never in parts.
        let count = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw BlockError(call: "pwrite", errno: errno, path: path) }
    }
}
