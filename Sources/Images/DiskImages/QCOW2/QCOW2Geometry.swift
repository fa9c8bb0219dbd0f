/// The arithmetic of one image's cluster mapping: how a guest offset splits into table indexes, and a host offset into
/// a refcount table index and a slot. Every value is validated before this is made, so nothing here can overflow.
struct QCOW2Geometry: Sendable {
    /// 9…21.
    let clusterBits: Int
    /// 0…6: a refcount is `1 << refcountOrder` bits wide.
    let refcountOrder: Int
    /// 2 has no zero flag and no feature bits.
    let version: UInt32

    init(clusterBits: Int, refcountOrder: Int, version: UInt32) {
        precondition((9...21).contains(clusterBits) && (0...6).contains(refcountOrder))
        self.clusterBits = clusterBits
        self.refcountOrder = refcountOrder
        self.version = version
    }

    var clusterSize: UInt64 { 1 << UInt64(clusterBits) }
    var clusterBytes: Int { 1 << clusterBits }
    var clusterMask: UInt64 { clusterSize - 1 }

    /// Entries of an L2 table: one cluster of 8-byte words.
    var l2EntryBits: Int { clusterBits - 3 }
    var l2Entries: Int { 1 << l2EntryBits }
    /// Guest bytes below one L2 table.
    var l2Span: UInt64 { 1 << UInt64(clusterBits + l2EntryBits) }

    @inline(__always) func l1Index(_ offset: UInt64) -> Int {
        Int(truncatingIfNeeded: offset >> UInt64(clusterBits + l2EntryBits))
    }

    @inline(__always) func l2Index(_ offset: UInt64) -> Int {
        Int(truncatingIfNeeded: offset >> UInt64(clusterBits)) & (l2Entries - 1)
    }

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
    static let bitmapDirectoryBytes: UInt64 = 64 << 20
    static let backingNameBytes: UInt32 = 1023
    /// Host offsets of anything a table names are below this.
    static let hostEnd: UInt64 = 1 << 56

    /// The largest virtual size that an L1 of `l1Bytes` maps with clusters of `1 << clusterBits` bytes.
    static func virtualSize(clusterBits: Int) -> UInt64 { (l1Bytes / 8) << UInt64(2 * clusterBits - 3) }
}
