import BlockIO

/// What applying a VHDX log changes in the file, as a map: the new pages stay where they are, in the log, and are read
/// from there. Memory is bounded by the log's length.
struct VHDXChanges: Sendable {
    static let pageBytes: UInt64 = 4096

    /// A page of the file with its new content in the log: 8 bytes, 4084 bytes of a data sector, 4 bytes.
    struct Page: Sendable {
        let offset: UInt64
        let dataSector: UInt64
        let first: UInt64
        let last: UInt32
    }

    private enum Change {
        case page(Page)
        case zeroes(Range<UInt64>)
    }

    /// By offset.
    private(set) var pages: [Page] = []
    /// By offset, apart from each other. Pages lie over them.
    private(set) var zeroes: [Range<UInt64>] = []
    /// The file has at least this many bytes afterwards.
    private(set) var length: UInt64 = 0
    /// Zeroed ranges of one log; in truth there are a few.
    private static let mostZeroes = 16384

    var isEmpty: Bool { pages.isEmpty && zeroes.isEmpty }

    init() {}

    /// - Parameter fileLength: the file's real length, in bytes.
    init(log: VHDXLog, entries: [VHDXLogEntry], file: any ImageStorage, fileLength: UInt64) throws(BlockError) {
        var changes: [Change] = []
        var zeroCount = 0
        for entry in entries {
            guard entry.flushedLength <= fileLength else {
                throw BlockError(
                    .corrupt,
                    "the VHDX file was cut off: it has \(fileLength) of the \(entry.flushedLength) bytes that its log "
                        + "knows of")
            }
            guard entry.lastLength <= UInt64(Int64.max) else { throw Self.invalid(entry) }
            length = max(length, entry.lastLength)
            var dataIndex = entry.descriptorSectors
            for sector in 0..<entry.descriptorSectors {
                let bytes = LittleEndianBytes(
                    try file.array(at: log.offset(of: sector, in: entry), count: Int(VHDXLogEntry.sectorBytes)))
                let used = sector == 0 ? VHDXLogEntry.headerBytes : 0
                let before = sector == 0 ? 0 : sector * 128 - 2
                for at in stride(from: used, to: Int(VHDXLogEntry.sectorBytes), by: Int(VHDXLogEntry.descriptorBytes)) {
                    guard before + UInt64((at - used) / 32) < entry.descriptorCount else { break }
                    guard bytes.u64(at + 24) == entry.sequence else { throw Self.invalid(entry) }
                    if bytes.hasMark("desc", at: at) {
                        let place = log.offset(of: dataIndex, in: entry)
                        changes.append(.page(try Self.page(bytes, at, entry, dataIndex, place, file)))
                        dataIndex += 1
                    } else if bytes.hasMark("zero", at: at), let range = Self.range(bytes, at) {
                        zeroCount += 1
                        changes.append(.zeroes(range))
                    } else {
                        throw Self.invalid(entry)
                    }
                    guard zeroCount <= Self.mostZeroes else {
                        throw BlockError(.limitExceeded, "the VHDX log zeroes more than \(Self.mostZeroes) ranges")
                    }
                }
            }
        }
        resolve(changes)
    }

    private static func page(
        _ bytes: LittleEndianBytes, _ at: Int, _ entry: VHDXLogEntry, _ index: UInt64, _ place: UInt64,
        _ file: any ImageStorage
    ) throws(BlockError) -> Page {
        let offset = bytes.u64(at + 16)
        guard offset % pageBytes == 0, offset <= UInt64(Int64.max) - pageBytes,
            index < entry.length / VHDXLogEntry.sectorBytes
        else { throw invalid(entry) }
        let sector = LittleEndianBytes(try file.array(at: place, count: Int(VHDXLogEntry.sectorBytes)))
        guard sector.hasMark("data", at: 0), sector.u32(4) == UInt32(truncatingIfNeeded: entry.sequence >> 32),
            sector.u32(4092) == UInt32(truncatingIfNeeded: entry.sequence)
        else { throw invalid(entry) }
        return Page(offset: offset, dataSector: place, first: bytes.u64(at + 8), last: bytes.u32(at + 4))
    }

    private static func range(_ bytes: LittleEndianBytes, _ at: Int) -> Range<UInt64>? {
        let length = bytes.u64(at + 8)
        let offset = bytes.u64(at + 16)
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard length % pageBytes == 0, offset % pageBytes == 0, !overflow else { return nil }
        return offset..<end
    }

    private static func invalid(_ entry: VHDXLogEntry) -> BlockError {
        BlockError(.corrupt, "entry \(entry.sequence) of the VHDX log contradicts itself")
    }

    /// Goes from the newest change to the oldest: what a later change decided stays.
    private mutating func resolve(_ changes: [Change]) {
        var newest: [UInt64: Page] = [:]
        for change in changes.reversed() {
            switch change {
            case .page(let page):
                if newest[page.offset] == nil && !isZeroed(page.offset) { newest[page.offset] = page }
            case .zeroes(let range): insert(range)
            }
        }
        pages = newest.values.sorted { $0.offset < $1.offset }
        if let last = pages.last { length = max(length, last.offset + Self.pageBytes) }
    }

    private func isZeroed(_ offset: UInt64) -> Bool {
        let index = firstZeroes(endingAfter: offset)
        return index < zeroes.count && zeroes[index].lowerBound <= offset
    }

    /// Adds a range, joined with those that it meets.
    private mutating func insert(_ range: Range<UInt64>) {
        if range.isEmpty { return }
        let first = firstZeroes(endingAfter: range.lowerBound - min(range.lowerBound, 1))
        var end = first
        var joined = range
        while end < zeroes.count, zeroes[end].lowerBound <= range.upperBound {
            joined = min(joined.lowerBound, zeroes[end].lowerBound)..<max(joined.upperBound, zeroes[end].upperBound)
            end += 1
        }
        zeroes.replaceSubrange(first..<end, with: [joined])
    }

    /// The index of the first zeroed range that ends after `offset`.
    func firstZeroes(endingAfter offset: UInt64) -> Int {
        Self.partition(zeroes.count) { zeroes[$0].upperBound > offset }
    }

    /// The index of the first page that ends after `offset`.
    func firstPage(endingAfter offset: UInt64) -> Int {
        Self.partition(pages.count) { pages[$0].offset + Self.pageBytes > offset }
    }

    /// The first index for which `isAfter` holds, which it does for all that follow.
    private static func partition(_ count: Int, _ isAfter: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isAfter(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The first changed bytes in `range`; nil when there are none.
    func firstChange(in range: Range<UInt64>) -> Range<UInt64>? {
        var found: Range<UInt64>?
        let page = firstPage(endingAfter: range.lowerBound)
        if page < pages.count { found = pages[page].offset..<pages[page].offset + Self.pageBytes }
        let zero = firstZeroes(endingAfter: range.lowerBound)
        if zero < zeroes.count, zeroes[zero].lowerBound < found?.lowerBound ?? .max { found = zeroes[zero] }
        guard let found, found.overlaps(range) else { return nil }
        return found.clamped(to: range)
    }
}
