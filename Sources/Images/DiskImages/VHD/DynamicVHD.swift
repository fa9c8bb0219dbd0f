import BlockIO
import CoreTypes
import Synchronization

/// A VHD whose blocks appear in the file when they are first written: a dynamic one, where the rest reads as zeroes, or
/// a differencing one, where the rest, sector by sector, is the parent's.
///
/// A request needs the lock only to look a block up; its I/O runs without, between `enter` and `leave`, and blocks stay
/// where they are meanwhile. `lock` exclusive guards every change of the fields below it.
///
/// Durability: a new block, and new bits of a sector bitmap, are at first only in memory (`table`, `bitmaps`, `end`).
/// `flush` makes data durable, and only then writes the bitmaps and the sectors of the block table that changed. After
/// a crash in between the file is longer than the table says and may lack its trailing footer; `VHDLayout` opens it by
/// the copy at the beginning.
@safe
final class DynamicVHD: VHDDevice, @unchecked Sendable {
    var size: UInt64 { currentSize.load(ordering: .acquiring) }
    var isReadOnly: Bool { file.isReadOnly }
    var preferredAlignment: UInt64 { blockSize }
    var hasVolatileMetadata: Bool { hasUnwrittenTable.load(ordering: .acquiring) }
    let file: any ImageStorage
    let layout: VHDLayout
    let notes: [String]
    let blockSize: UInt64
    let bitmapSize: UInt64
    let isDifferencing: Bool
    /// Opened read-only; closed with this. Nil also for a differencing image that was opened without.
    let parent: (any BlockDevice)?
    /// A clear bit in a block's bitmap means that the sector reads as zeroes. So only where blktap wrote the image;
    /// all others write bitmaps of dynamic images carelessly and read the data.
    let bitmapsCount: Bool
    let flushGate = FlushGate()
    /// Held by the one commit that runs, and by work that rearranges the file.
    let commits = Monitor()
    /// Serialise, for some blocks each, the writes that must complete a sector from the parent with all other writes of
    /// sectors that may not be present.
    let stripes = (0..<32).map { _ in ReadWriteLock() }
    /// Requests between `enter` and `leave`, for who must have the blocks for itself.
    let inFlight = Atomic<Int>(0)
    let isAwaitingQuiet = Atomic<Bool>(false)
    let quiet = Monitor()
    /// Entries of the block table or bitmaps in memory differ from the file. Changed with the lock held exclusively.
    let hasUnwrittenTable = Atomic<Bool>(false)
    let currentSize: Atomic<UInt64>

    let lock = ReadWriteLock()
    var footer: VHDFooter
    var header: VHDHeader
    let table: VHDBlockTable
    let bitmaps = VHDSectorBitmaps()
    /// Where the blocks start whose bitmaps, all ones, the next flush writes: of new ones in an unpublished file.
    var unwrittenBitmaps: [UInt64] = []
    /// The bitmaps of a copy that shares its data share a page as well.
    let sharesBitmaps = Atomic<Bool>(false)
    var batmap: VHDBatmap?
    /// What the batmap on disk says; nil when it is not to be believed.
    var storedMap: [UInt8]?
    /// It speaks of blocks that are not there, which must not become true when they appear.
    var mapNamesAbsent = false
    /// File offset behind the last block and all metadata: where the trailing footer belongs.
    var end: UInt64
    /// The footer must be written at `end`.
    var footerMoved = false
    /// The file has been brought into order for changes.
    var isPrepared = false
    /// Blocks are being moved: no request may begin.
    var isMoving = false
    var isClosed = false

    /// More blocks than any real image has; bounds the memory for a hostile one.
    static let mostBlocks: UInt64 = 16 << 20

    init(
        file: any ImageStorage, layout: VHDLayout, header: VHDHeader, parent: (any BlockDevice)? = nil,
        notes: [String] = [], salvages: Bool = false
    ) throws(BlockError) {
        let blocks = layout.virtualSize.dividedRoundingUp(by: header.blockSize)
        guard blocks <= Self.mostBlocks else {
            throw BlockError(.limitExceeded, "\(blocks) VHD blocks are more than \(Self.mostBlocks)")
        }
        self.file = file
        self.layout = layout
        self.header = header
        self.parent = parent
        self.notes = layout.notes + notes
        footer = layout.footer
        currentSize = Atomic(layout.virtualSize)
        blockSize = header.blockSize
        bitmapSize = header.bitmapSize
        isDifferencing = layout.footer.kind == .differencing
        bitmapsCount = isDifferencing || layout.footer.creator == VHDFooter.tap
        table = VHDBlockTable(count: Int(blocks))
        try table.load(file: file, at: header.tableOffset)
        if let map = try VHDBatmap(file: file, layout: layout, header: header), !map.lies(over: table, header) {
            batmap = map
        } else {
            batmap = nil
        }

        let reserved = try VHDLayout.reservedRanges(
            footer: footer, header: header, batmap: batmap, contentEnd: layout.contentEnd)
        let lastBlockEnd = try table.checkedEnd(
            header: header, reserved: reserved, layout: layout, salvages: salvages && file.isReadOnly)
        end = reserved.reduce(lastBlockEnd) { max($0, $1.upperBound) }

        storedMap = try batmap?.load(file: file)
        if let storedMap {
            for block in 0..<min(table.count, storedMap.count * 8) where storedMap.isBitSet(block) {
                if table.start(of: block) == nil { mapNamesAbsent = true } else { table.setFull(block) }
            }
        }
    }

    // MARK: Lookup

    /// A part of a request that lies in one block.
    struct Part {
        let block: Int
        /// Bytes from the block's first data byte.
        let within: UInt64
        let length: UInt64
    }

    struct Place {
        /// Where the block starts in the file (its bitmap), nil when it is not there.
        let start: UInt64?
        /// Every sector is present.
        let isFull: Bool
        let isPrepared: Bool
    }

    /// The part of a range that lies in the block of its first byte.
    @inline(__always)
    func part(_ offset: UInt64, _ length: UInt64) -> Part {
        let within = offset & (blockSize - 1)
        return Part(block: Int(offset / blockSize), within: within, length: min(length, blockSize - within))
    }

    /// Looks a block up. It stays where it is until `leave`.
    func enter(_ block: Int) throws(BlockError) -> Place {
        while true {
            lock.lockShared()
            if !isMoving { break }
            lock.unlock()
            awaitMove()
        }
        defer { lock.unlock() }
        try checkOpen()
        guard block < table.count else {
            throw BlockError(.outOfRange, "the device was made smaller meanwhile", path: file.path)
        }
        if table.isDamaged(block) { throw table.damage(of: block, path: file.path) }
        let sector = table[block]
        inFlight.wrappingAdd(1, ordering: .relaxed)
        return Place(
            start: sector == VHDBlockTable.unallocated ? nil : UInt64(sector) * 512, isFull: table.isFull(block),
            isPrepared: isPrepared)
    }

    @inline(__always)
    func leave() {
        inFlight.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        if isAwaitingQuiet.load(ordering: .sequentiallyConsistent) { quiet.locked { quiet.wakeAll() } }
    }

    /// With the lock held.
    func checkOpen() throws(BlockError) {
        if isClosed { throw BlockError(.io, "the image was closed", path: file.path) }
    }

    func checkWritable() throws(BlockError) {
        if isReadOnly { throw BlockError(.readOnly, "the image was opened read-only", path: file.path) }
    }
}
