public import BlockIO
internal import Synchronization

/// An open qcow2 image, version 2 or 3, with the images below it.
///
/// Locks, taken in this order:
/// - `metadata`: one thread at a time changes the mapping, allocates or flushes.
/// - `mapping`: shared while a request uses host offsets it found in the tables; exclusive for the moment in which L1
///   entries or the bytes of L2 tables change. So no cluster is freed below a request under way.
/// - the L2 cache's own lock, for a lookup.
///
/// Durability: data is written at once. Refcount blocks, L2 tables and L1 entries are changed in memory and written by
/// `flush` with a barrier wherever a pointer must not overtake what it points to (QCOW2Image+Flush). A crash at any
/// moment leaves leaked clusters at worst.
public final class QCOW2Image: BlockDevice {
    public var size: UInt64 { virtualSize.load(ordering: .relaxed) }
    public let isReadOnly: Bool

    let storage: any ImageStorage
    /// Where the disk's clusters lie: `storage`, or the external data file.
    let data: any ImageStorage
    /// As it was opened; `pending.header` is the current one.
    let header: QCOW2Header
    /// Bytes the guest sees.
    let virtualSize: Atomic<UInt64>
    /// Bytes that the disk is about to have; 0 while it does not grow.
    let growing = Atomic<UInt64>(0)
    /// Bytes that may be stored: more than `size` while the disk grows, which nobody outside is to know before it has.
    var reach: UInt64 { max(size, growing.load(ordering: .relaxed)) }
    let geometry: QCOW2Geometry
    let mapping = ReadWriteLock()
    let metadata = Monitor()
    /// Taken before all other locks: one resize at a time.
    let resizing = Monitor()
    let tables: QCOW2TableCache
    let snapshotList = QCOW2SnapshotList()
    let bitmapStore = QCOW2BitmapStore()
    let l1: QCOW2L1Table
    /// Refcounts and what is pending; used with `metadata` held. Nil in a read-only image.
    let pending: QCOW2PendingChanges?
    /// End of the space that clusters may be read from: the file's length, rounded up to a cluster.
    let fileEnd: Atomic<UInt64>
    /// There is something that only an ordered flush makes durable.
    let hasPendingMetadata = Atomic<Bool>(false)
    /// L2 or L1 entries in memory differ from the file (lowered refcounts alone are no loss).
    let hasUnwrittenMapping = Atomic<Bool>(false)
    /// Bytes written since a flush began, about: how long the next one takes.
    let unsyncedBytes = Atomic<UInt64>(0)
    /// The image turned out to contradict itself: no more writes.
    let isCorrupt = Atomic<Bool>(false)
    let isClosed = Atomic<Bool>(false)

    /// What unallocated clusters read from; nil without a backing file, or when the policy was to ignore it.
    let parent: (any BlockDevice)?
    /// The image names a backing file: clusters that are to read as zeroes must say so.
    let hasBacking: Bool
    let hasExternalData: Bool
    /// The external data file alone is a valid raw image: what reads as zeroes must be zeroes there.
    let isRawData: Bool

    /// Contexts and buffers for compressed clusters.
    let codecs: CodecPool
    /// Goes up with every compressed cluster that is stored: what was decompressed before may have moved.
    let compressedGeneration = Atomic<UInt64>(0)

    public var preferredAlignment: UInt64 { geometry.clusterSize }
    public var hasVolatileMetadata: Bool { hasUnwrittenMapping.load(ordering: .acquiring) }

    init(
        storage: any ImageStorage, header: QCOW2Header, geometry: QCOW2Geometry, l1: QCOW2L1Table,
        refcounts: QCOW2Refcounts?, fileEnd: UInt64, data: (any ImageStorage)? = nil,
        parent: (any BlockDevice)? = nil
    ) {
        self.storage = storage
        self.header = header
        self.geometry = geometry
        self.l1 = l1
        self.fileEnd = Atomic(fileEnd)
        self.data = data ?? storage
        self.parent = parent
        hasBacking = header.backingName != nil
        hasExternalData = data != nil
        codecs = CodecPool(
            kind: header.compressionType == 1 ? .zstd : .deflate, clusterBytes: geometry.clusterBytes)
        isRawData = data != nil && header.autoclear & QCOW2Header.rawExternalData != 0
        virtualSize = Atomic(header.size & ~511)
        isReadOnly = refcounts == nil
        pending = refcounts.map { QCOW2PendingChanges(refcounts: $0, header: header) }
        tables = QCOW2TableCache(
            tableBytes: geometry.clusterBytes, keyCount: l1.count, memory: 16 << 20, most: 1024)
    }

    func checkUsable() throws(BlockError) {
        if isClosed.load(ordering: .relaxed) { throw BlockError(.io, "the image was closed", path: storage.path) }
    }

    func checkWritable() throws(BlockError) {
        try checkUsable()
        if isReadOnly { throw BlockError(.readOnly, "the image was opened read-only", path: storage.path) }
        if isCorrupt.load(ordering: .relaxed) {
            throw BlockError(
                .corrupt, "the image was found to be corrupt and is not written any more; repair it first",
                path: storage.path)
        }
    }

    public func close() throws(BlockError) {
        if isClosed.load(ordering: .relaxed) { return }
        defer {
            isClosed.store(true, ordering: .relaxed)
            storage.close()
            if hasExternalData { data.close() }
            try? parent?.close()
        }
        if !isReadOnly { try metadata.locked { () throws(BlockError) in try closeMetadata() } }
    }
}

/// What a writable image has changed in memory and not yet made durable. Used with the metadata lock held.
final class QCOW2PendingChanges: @unchecked Sendable {
    // @unchecked: guarded by QCOW2Image.metadata.
    let refcounts: QCOW2Refcounts
    /// The header as the file has it.
    var header: QCOW2Header
    /// L1 entries that the file does not hold yet.
    var l1Entries: [Int] = []
    /// Clusters that no table in memory refers to any more; their counts go down once that is durable.
    var frees: [ClusterRun] = []
    /// Data or refcounts were written that an L2 entry in memory depends on.
    var needsDataBarrier = false
    /// The header says that the stored refcounts may be stale, because they are written lazily.
    var isDirty = false
    /// A change of whole trees failed, and so did putting counts and copied bits right: closing tries again.
    var mustSettle = false
    /// There are snapshots, and nobody has looked yet whether all that they have is counted.
    var mustGuardSnapshots = false
    /// Bytes of the file up to which L2 entries and L1 entries of this session may name clusters; 0: none.
    var namedEnd: UInt64 = 0
    /// How many fill new clusters, which nothing names yet, without the metadata lock.
    var placements = 0
    /// Autoclear bits in the header belong to features that writing does not maintain.
    var mustClearAutoclear: Bool
    /// Clusters that more than one L1 entry, or another structure, claims.
    var contested: Set<UInt64> = []

    init(refcounts: QCOW2Refcounts, header: QCOW2Header) {
        self.refcounts = refcounts
        self.header = header
        mustClearAutoclear = header.autoclear & ~header.maintainedAutoclear != 0
    }

    /// L2 tables that no L1 entry in memory refers to any more: like `frees`.
    var freedTables: [UInt64] = []

    func free(_ run: ClusterRun) {
        if let last = frees.last, last.end == run.start {
            frees[frees.count - 1].count += run.count
        } else {
            frees.append(run)
        }
    }
}
