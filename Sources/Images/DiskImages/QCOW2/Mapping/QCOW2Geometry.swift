/// The arithmetic of one image's cluster mapping: how a guest offset splits into table indexes, and a host offset into
/// a refcount table index and a slot. Every value is validated before this is made, so nothing here can overflow.
struct QCOW2Geometry: Sendable {
    /// 9…21.
    let clusterBits: Int
    /// 0…6: a refcount is `1 << refcountOrder` bits wide.
    let refcountOrder: Int
    /// 2 has no zero flag and no feature bits.
    let version: UInt32
    /// L2 entries are two words: the second says which of the cluster's 32 subclusters are stored, and which are zero.
    let hasExtendedL2: Bool
    /// Data clusters are in another file, each at its guest offset, and have no refcounts.
    let hasExternalData: Bool
    /// log2 of the bytes of an L2 entry.
    let entryBits: Int
    /// log2 of the bytes that one state of the mapping covers: a cluster, or a subcluster with extended L2 entries.
    let unitBits: Int

    init(
        clusterBits: Int, refcountOrder: Int, version: UInt32, hasExtendedL2: Bool = false,
        hasExternalData: Bool = false
    ) {
        precondition((9...21).contains(clusterBits) && (0...6).contains(refcountOrder))
        precondition(!hasExtendedL2 || clusterBits >= QCOW2Limits.extendedClusterBits)
        self.clusterBits = clusterBits
        self.refcountOrder = refcountOrder
        self.version = version
        self.hasExtendedL2 = hasExtendedL2
        self.hasExternalData = hasExternalData
        entryBits = hasExtendedL2 ? 4 : 3
        unitBits = hasExtendedL2 ? clusterBits - 5 : clusterBits
    }

    init(_ header: QCOW2Header) {
        self.init(
            clusterBits: Int(header.clusterBits), refcountOrder: Int(header.refcountOrder), version: header.version,
            hasExtendedL2: header.incompatible.contains(.extendedL2),
            hasExternalData: header.incompatible.contains(.externalData))
    }

    var clusterSize: UInt64 { 1 << UInt64(clusterBits) }
    var clusterBytes: Int { 1 << clusterBits }
    var clusterMask: UInt64 { clusterSize - 1 }

    var unitSize: UInt64 { 1 << UInt64(unitBits) }
    var unitMask: UInt64 { unitSize - 1 }

    /// Entries of an L2 table: one cluster of entries of 8 bytes, or 16 with extended L2.
    var l2EntryBits: Int { clusterBits - entryBits }
    var l2Entries: Int { 1 << l2EntryBits }
    /// Guest bytes below one L2 table.
    var l2Span: UInt64 { 1 << UInt64(clusterBits + l2EntryBits) }

    @inline(__always) func l1Index(_ offset: UInt64) -> Int {
        Int(truncatingIfNeeded: offset >> UInt64(clusterBits + l2EntryBits))
    }

    @inline(__always) func l2Index(_ offset: UInt64) -> Int {
        Int(truncatingIfNeeded: offset >> UInt64(clusterBits)) & (l2Entries - 1)
    }

    /// The subcluster of its cluster that a guest (or host) offset lies in, 0…31; of extended L2 entries only.
    @inline(__always) func subcluster(_ offset: UInt64) -> Int {
        Int(truncatingIfNeeded: (offset & clusterMask) >> UInt64(unitBits))
    }

    /// The units of a cluster that the bytes `range` of it touch, as bits.
    func units(_ range: Range<UInt64>) -> UInt32 {
        if range.isEmpty { return 0 }
        let low = UInt32(truncatingIfNeeded: range.lowerBound >> UInt64(unitBits))
        let high = UInt32(truncatingIfNeeded: (range.upperBound - 1) >> UInt64(unitBits))
        return (UInt32.max << low) & (UInt32.max >> (31 - high))
    }

    /// The unit of its cluster that an offset lies in, as a bit.
    func unit(_ offset: UInt64) -> UInt32 { hasExtendedL2 ? 1 << UInt32(subcluster(offset)) : 1 }

    /// All units of a cluster, as bits.
    var allUnits: UInt32 { hasExtendedL2 ? .max : 1 }

    /// L1 entries that a disk of `size` bytes needs.
    func l1EntriesNeeded(size: UInt64) -> UInt64 { size.dividedShift(clusterBits + l2EntryBits) }

    /// log2 of the refcounts in one refcount block.
    var blockEntryBits: Int { clusterBits + 3 - refcountOrder }
    /// Refcounts in one refcount block, which is one cluster.
    var blockEntries: UInt64 { 1 << UInt64(blockEntryBits) }

    @inline(__always) func blockIndex(cluster: UInt64) -> UInt64 { cluster >> UInt64(blockEntryBits) }
    @inline(__always) func blockSlot(cluster: UInt64) -> Int {
        Int(truncatingIfNeeded: cluster & (blockEntries - 1))
    }

    /// Clusters needed for `bytes`.
    func clusters(_ bytes: UInt64) -> UInt64 { bytes.dividedShift(clusterBits) }
}

extension UInt64 {
    /// This divided by `1 << bits`, rounded up, without overflow.
    @inline(__always) fileprivate func dividedShift(_ bits: Int) -> UInt64 {
        (self >> UInt64(bits)) + (self & ((1 << UInt64(bits)) - 1) == 0 ? 0 : 1)
    }
}

/// Limits on what an image may ask us to allocate or address; the same as QEMU's.
enum QCOW2Limits {
    static let l1Bytes: UInt64 = 32 << 20
    static let refcountTableBytes: UInt64 = 8 << 20
    static let snapshots: UInt32 = 65536
    static let snapshotTableBytes: UInt64 = 64 << 20
    /// Of all snapshots together, in an image that is opened for writing; ours.
    static let snapshotL1Bytes: UInt64 = 1 << 30
    static let bitmapDirectoryBytes: UInt64 = 64 << 20
    static let backingNameBytes: UInt32 = 1023
    /// Host offsets of anything a table names are below this.
    static let hostEnd: UInt64 = 1 << 56

    /// Extended L2 entries need clusters of at least this many bits, as a subcluster is not below 512 bytes.
    static let extendedClusterBits = 14

    /// The largest virtual size that an L1 of `l1Bytes` maps with clusters of `1 << clusterBits` bytes.
    static func virtualSize(clusterBits: Int, hasExtendedL2: Bool = false) -> UInt64 {
        (l1Bytes / 8) << UInt64(2 * clusterBits - (hasExtendedL2 ? 4 : 3))
    }
}
