internal import BlockIO
internal import CoreTypes

/// One examination of a qcow2 image that nobody else has open: counts every reference to every cluster of the file and
/// compares with the stored refcounts.
///
/// Bounded memory: L2 tables are read in batches, in the order in which they lie in the file, each one once however
/// many entries name it; counts are kept for a window of the file at a time (`QCOW2CheckWindow`).
///
/// What is found agrees with `qemu-img check` in kind: a refcount above the references is a leak, everything else that
/// contradicts itself a corruption. Stricter than it are: entries that point to the image's own structures, whatever
/// their refcount, and flags that have no meaning.
///
/// Concurrency: one thread.
final class QCOW2Checker {
    enum Mode {
        /// Changes nothing.
        case look
        /// Broken entries of L1 and L2 tables are put right where they lie.
        case fixEntries
        /// Copied bits are made to agree with the stored refcounts.
        case fixCopied
        /// Changes nothing, and looks at nothing but the disk and its snapshots: whether what these have is counted.
        case guardSnapshots
    }

    /// A part of the image that is no guest data and no L2 table.
    struct Structure {
        enum Kind: String {
            case header
            case l1 = "L1 table"
            case refcountTable = "refcount table"
            case refcountBlock = "refcount block"
            case snapshotTable = "snapshot table"
            case snapshotL1 = "L1 table of a snapshot"

            var isRefcount: Bool { self == .refcountTable || self == .refcountBlock }
        }
        var run: ClusterRun
        var kind: Kind
    }

    /// A part of a bitmap, or of their directory.
    struct BitmapPart {
        enum Kind: String {
            case directory = "bitmap directory"
            case table = "bitmap table"
            case bits = "bitmap"
        }
        var run: ClusterRun
        var kind: Kind
        /// Its number in the directory.
        var bitmap: Int
    }

    /// An L2 table, and how often the L1 tables at hand name it.
    struct Table {
        /// Host offset.
        var offset: UInt64
        var weight: UInt64
    }

    let storage: any ImageStorage
    let header: QCOW2Header
    let geometry: QCOW2Geometry
    let words: RefcountWords
    let cancellation: CancellationFlag
    let mode: Mode
    /// Bytes.
    let fileSize: UInt64
    /// Clusters of the file, the last one perhaps in part.
    let fileClusters: UInt64
    let hasDataFile: Bool
    /// L2 entries of 16 bytes, with bits for 32 subclusters.
    let isExtended: Bool

    var report = CheckReport()
    /// Refcounts cannot be put right where they are.
    var needsRebuild = false
    /// Those of the corruptions that are only a copied bit.
    var copiedMismatches: UInt64 = 0
    /// Those that are only a stored count, or where counts are stored.
    var countProblems: UInt64 = 0
    /// Entries of the snapshot table that lack what version 3 demands.
    var incompleteSnapshots = 0
    /// The snapshot table is not where one can be, or ends in what is none: the snapshots that it should name from there on
    /// are lost.
    var snapshotTableIsUnusable = false
    /// Snapshots whose L1 tables are not where any can be. What they have is in use, and nobody knows what it is.
    var unknownSnapshots = 0
    /// No count may come down: something that nobody can read may refer to any cluster.
    var keepsCounts: Bool { unknownSnapshots > 0 }
    /// The L1 table is not where one can be. Nobody knows then what the disk's data are, and nothing is repaired.
    var l1IsUnusable = false
    /// There are no snapshots, and their table is said to be where none can be.
    var snapshotTableIsStray = false
    /// What the bitmaps occupy. Whatever else lies there counts for more: no guest data and no table is given up because a
    /// bitmap names its place.
    var bitmapParts: [BitmapPart] = []
    /// The directory of the bitmaps, where there is one that is valid.
    var bitmapDirectory: QCOW2BitmapDirectory?
    /// Those of its entries that are no bitmaps any more.
    var damagedBitmaps: Set<Int> = []
    /// The directory lies where something else does.
    var bitmapDirectoryIsContested = false
    /// The directory cannot be read: there are no bitmaps any more.
    var bitmapsAreLost = false
    /// Refcount blocks that the references found need, by index; while counts are kept those of all of the file.
    var usedBlocks: Set<Int> = []

    /// Where refcount blocks are whose bytes are no counts, or not only: another structure has the place, too, or two entries of the
    /// table, or the file ends before.
    var doubtfulBlocks: Set<UInt64> = []

    var structures: [Structure] = []
    /// In host order; entries that name no block are 0.
    var refcountTable: [UInt64] = []
    /// The active L1 table in host order.
    var l1: [UInt64] = []
    /// L1 tables of snapshots: offset, entries, and how many snapshots name them.
    var snapshotL1s: [(offset: UInt64, entries: UInt64, weight: UInt64)] = []
    let window: QCOW2CheckWindow
    /// Statistics and findings of tables are taken in the first pass.
    var isFirstPass = true
    let buffer: AlignedBuffer
    /// Where the next cluster lies if a table's clusters follow each other.
    var expectedHost: UInt64 = 0
    /// Most of the tables may lie in holes of the file.
    var skipsHoles = false

    init(
        storage: any ImageStorage, mode: Mode = .look, cancellation: CancellationFlag
    ) throws(BlockError) {
        self.storage = storage
        self.mode = mode
        self.cancellation = cancellation
        fileSize = try storage.size()
        header = try QCOW2Image.readHeader(storage, fileSize: fileSize, checksTables: false)
        try Self.checkSupported(header)
        geometry = QCOW2Geometry(
            clusterBits: Int(header.clusterBits), refcountOrder: Int(header.refcountOrder), version: header.version)
        words = RefcountWords(order: geometry.refcountOrder)
        fileClusters = geometry.clusters(fileSize)
        // One more: the last compressed cluster may reach a little past the end.
        let all = fileClusters + 1
        guard all <= QCOW2CheckWindow.most << 8, all << UInt64(geometry.clusterBits) <= QCOW2Limits.hostEnd else {
            throw BlockError(
                .limitExceeded,
                "the file has \(fileClusters) clusters, more than can be checked; convert the image with larger ones")
        }
        hasDataFile = header.incompatible.contains(.externalData)
        isExtended = header.incompatible.contains(.extendedL2)
        window = QCOW2CheckWindow(clusters: all)
        buffer = AlignedBuffer(count: max(256 << 10, geometry.clusterBytes))
        let entries = geometry.clusterSize / (isExtended ? 16 : 8)
        let (span, overflow) = entries.multipliedReportingOverflow(by: geometry.clusterSize)
        guard !overflow, header.size == 0 || (header.size - 1) / span < UInt64(header.l1Entries) else {
            throw BlockError(.invalidImage, "the L1 table has too few entries for the disk's size")
        }
    }

    private static func checkSupported(_ header: QCOW2Header) throws(BlockError) {
        let unknown = header.incompatible.subtracting(.known)
        guard unknown.isEmpty else {
            let names = header.extensions.names(ofIncompatible: unknown.rawValue)
            throw BlockError(.unsupported, "the image needs features that are not known here: \(names)")
        }
        guard header.encryption == 0 else {
            throw BlockError(.unsupported, "the image is encrypted, and encrypted images cannot be checked")
        }
        guard !header.incompatible.contains(.extendedL2) || header.clusterBits >= 14 else {
            throw BlockError(.invalidImage, "extended L2 entries need clusters of 16 KiB or more")
        }
    }

    /// Examines everything. `atWindow` is called when the references of a window are counted.
    func run(_ atWindow: ((QCOW2Checker) throws(BlockError) -> Void)? = nil) throws(BlockError) {
        if header.incompatible.contains(.dirty) {
            report.add(.note, "the image was not closed cleanly: its refcounts may be stale")
        }
        if header.incompatible.contains(.corrupt) { report.add(.note, "the image is marked as corrupt") }
        report.totalClusters = geometry.clusters(header.size)
        do throws(BlockError) {
            try header.checkL1(fileSize: fileSize)
        } catch {
            l1IsUnusable = true
            report.add(
                .corruption, "\(error.message): nothing tells where the data of the disk are", offset: header.l1Offset)
            return
        }
        try surveyStructures()
        let active = try surveyActiveTables()
        if let allocated = try? storage.allocatedSize() {
            skipsHoles = UInt64(active.count) * geometry.clusterSize > allocated
        }
        var base: UInt64 = 0
        let all = fileClusters + 1
        repeat {
            window.move(to: base, count: min(all - base, QCOW2CheckWindow.most))
            try loadStoredCounts()
            for structure in structures {
                window.setStructure(structure.run)
                for cluster in structure.run.start..<structure.run.end { window.add(cluster, 1) }
            }
            for part in bitmapParts {
                for cluster in part.run.start..<part.run.end { window.add(cluster, 1) }
            }
            for table in active { note(table) }
            if mode != .fixEntries { try compareCopiedBitsOfL1() }
            try walk(active, isActive: true)
            try walkSnapshots()
            judgeBitmaps()
            if let atWindow { try atWindow(self) } else { try compareCounts() }
            isFirstPass = false
            base += window.count
        } while base < all
        report.imageEnd = highestCluster.map { ($0 + 1) << UInt64(geometry.clusterBits) } ?? 0
    }

    /// Corruptions that are more than counts and copied bits, both of which follow from the rest. Each of these is counted in
    /// the report, too, as often.
    var otherCorruptions: UInt64 { report.corruptions - copiedMismatches - countProblems }

    /// The last cluster that has a reference or a count.
    var highestCluster: UInt64?
    /// On a device: what is free before that.
    var gaps: [ClusterRun] = []

    /// Where new structures may lie, once all was examined. A file becomes longer: behind its end, where a compressed cluster may
    /// claim a little of the next one. A device does not: behind what is in use there, and between it.
    var free: QCOW2FreeRuns {
        if !storage.isBlockDevice {
            let start = fileClusters + 1
            let end = QCOW2Limits.hostEnd >> UInt64(geometry.clusterBits)
            return QCOW2FreeRuns(tail: ClusterRun(start: start, count: end - min(end, start)))
        }
        let start = highestCluster.map { $0 + 1 } ?? 0
        let whole = wholeClusters
        return QCOW2FreeRuns(
            tail: ClusterRun(start: start, count: whole - min(whole, start)), gaps: gaps.filter { $0.start < start })
    }

    /// Clusters that are in the file with all of their bytes.
    var wholeClusters: UInt64 { fileSize >> UInt64(geometry.clusterBits) }

    /// There is not so much free.
    func noRoom() -> BlockError {
        if !storage.isBlockDevice {
            return BlockError(
                .limitExceeded, "the file is too long for a refcount table; convert the image to repair it")
        }
        return BlockError(
            .noSpace,
            "the device has no room beside the image for what a repair writes anew: write the image into a file, or to a "
                + "larger device, and repair that", path: storage.path)
    }

    /// A table occupies its cluster and is referred to by L1 tables.
    func note(_ table: Table) {
        let cluster = table.offset >> UInt64(geometry.clusterBits)
        window.add(cluster, table.weight)
        window.setStructure(ClusterRun(start: cluster, count: 1))
    }

    func checkCancelled() throws(BlockError) {
        if cancellation.isCancelled { throw BlockError(.cancelled, "the check was cancelled", path: storage.path) }
    }
}
