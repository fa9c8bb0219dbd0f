/// A log of a disk's changed blocks: which blocks of 64 KiB may differ from what the disk, or its snapshot before this one,
/// held when the log was begun.
///
/// The layout is that of the `.cbtlog` files of XenServer's storage managers, so that logs can be read by what reads those:
/// a header of 48 bytes (parent and child as UUIDs, a flag of 4 bytes in the machine's order, 4 unused bytes, the disk's size
/// in bytes) and a bitmap, the first block in the lowest bit of the first byte. Behind it is what others do not look at: the
/// machine's boot during which the log was opened for writing, 16 bytes.
///
/// **What a log promises**: a block that is not marked is as it was. Whoever opens a log for writing first clears the flag and
/// notes the boot, durably; each block is marked in the file before the first change to it is passed on; the flag comes back
/// when all marks are durable and nobody changes the disk any more. So a log without the flag is
/// - complete, when it was opened during the present boot: a process that was killed has left its marks in the page cache;
/// - of no worth otherwise: the machine lost its memory, and the file system may have kept changes of the disk, also ones that
///   nobody had flushed, without their marks. Everything counts as changed then (`settled`).
public struct ChangeLog: Hashable, Sendable {
    /// Bytes that one bit stands for.
    public static let block: UInt64 = 65536
    static let headerLength = 48
    static let trailerLength = 16
    /// Bytes of the largest disk that has a log; a bound for the memory that a bitmap takes.
    public static let largestDisk: UInt64 = 1 << 46

    /// The disk or snapshot that the changes are relative to; nil where the log is the first of its set.
    public var parent: DiskID?
    /// The newest log that is relative to this one. For others; a tree of logs is known by the parents.
    public var child: DiskID?
    /// The file is closed and its marks are all durable.
    public var isConsistent: Bool
    /// Bytes of the disk.
    public var size: UInt64
    /// The boot during which it was opened for writing last.
    public var boot: DiskID?
    /// One bit a block, the first in the lowest bit; bits behind the last block are zero.
    public var bitmap: [UInt8]

    /// An empty log.
    public init(size: UInt64, parent: DiskID? = nil) {
        self.size = size
        self.parent = parent
        isConsistent = true
        bitmap = [UInt8](repeating: 0, count: Int(Self.bitmapLength(size)))
    }

    /// Bytes of the bitmap of a disk.
    public static func bitmapLength(_ size: UInt64) -> UInt64 { (blocks(size) + 7) / 8 }
    static func blocks(_ size: UInt64) -> UInt64 { size / block + (size % block == 0 ? 0 : 1) }

    // MARK: Bytes

    static func header(_ log: ChangeLog) -> [UInt8] {
        var bytes = (log.parent ?? .none).bytes + (log.child ?? .none).bytes
        bytes += [log.isConsistent ? 1 : 0, 0, 0, 0, 0, 0, 0, 0]
        return bytes + (0..<8).map { UInt8(truncatingIfNeeded: log.size >> (8 * UInt64($0))) }
    }

    /// The header alone, with an empty bitmap. `.invalidImage` for what cannot be one.
    init(header bytes: [UInt8]) throws(BlockError) {
        guard bytes.count == Self.headerLength else {
            throw BlockError(.invalidImage, "a log of changed blocks has at least \(Self.headerLength) bytes")
        }
        parent = DiskID(bytes: bytes[0..<16])
        child = DiskID(bytes: bytes[16..<32])
        isConsistent = bytes[32..<36].contains { $0 != 0 }
        size = bytes[40..<48].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        bitmap = []
        guard size <= Self.largestDisk else {
            throw BlockError(
                .limitExceeded, "the log is of a disk of \(size) bytes; more than \(Self.largestDisk) are not tracked")
        }
    }

    // MARK: Content

    public func isChanged(block: UInt64) -> Bool {
        block / 8 < UInt64(bitmap.count) && bitmap[Int(block / 8)] >> (block % 8) & 1 == 1
    }

    /// What can be relied on: the log as it is, or with every block marked.
    func settled(in present: DiskID?) -> ChangeLog {
        if isConsistent || (boot != nil && boot == present) { return self }
        var log = self
        log.markAll()
        return log
    }

    public mutating func markAll() {
        for index in bitmap.indices { bitmap[index] = 0xff }
        clearTail()
    }

    /// Adds another log's marks. Blocks that this disk does not have are left out.
    public mutating func merge(_ other: [UInt8]) {
        for index in 0..<min(bitmap.count, other.count) { bitmap[index] |= other[index] }
        clearTail()
    }

    /// The disk has grown. The new blocks hold zeroes, which is what a shorter copy of it is filled up with: not changed.
    public mutating func grow(to size: UInt64) {
        guard size > self.size else { return }
        self.size = size
        let missing = Int(Self.bitmapLength(size)) - bitmap.count
        if missing > 0 { bitmap += [UInt8](repeating: 0, count: missing) }
    }

    private mutating func clearTail() {
        let rest = Self.blocks(size) % 8
        if rest != 0, !bitmap.isEmpty { bitmap[bitmap.count - 1] &= UInt8((1 << rest) - 1) }
    }
}

/// A UUID as its 16 bytes.
public struct DiskID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    static let none = DiskID(high: 0, low: 0)

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil for the UUID of zeroes, which stands for none.
    init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == 16, bytes.contains(where: { $0 != 0 }) else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Nil unless the text is a UUID as usual, and not the one of zeroes.
    public init?(_ text: String) {
        var bytes: [UInt8] = []
        var pending: UInt8?
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        for character in groups.joined() {
            let digit: UInt8
            switch character {
            case 48...57: digit = character - 48
            case 97...102: digit = character - 87
            case 65...70: digit = character - 55
            default: return nil
            }
            if let first = pending {
                bytes.append(first << 4 | digit)
                pending = nil
            } else {
                pending = digit
            }
        }
        self.init(bytes: bytes[...])
    }

    var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
    }

    /// In lower case.
    public var text: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
