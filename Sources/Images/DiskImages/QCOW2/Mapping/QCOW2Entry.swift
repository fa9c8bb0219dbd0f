/// Words of the L1, L2 and refcount tables (big-endian on disk; here in host order).
enum QCOW2Entry {
    /// Bit 63: the refcount of what the entry names is exactly 1, so it may be written in place.
    static let copied: UInt64 = 1 << 63
    /// Bit 62 of an L2 entry: a compressed cluster.
    static let compressed: UInt64 = 1 << 62
    /// Bit 0 of a standard L2 entry: reads as zeroes (version 3 only).
    static let zero: UInt64 = 1
    /// Bits 9…55: a host offset.
    static let offsetMask: UInt64 = 0x00FF_FFFF_FFFF_FE00
    /// Bits of a standard L2 entry that must be zero: 1…8 and 56…61.
    static let l2Reserved: UInt64 = 0x3F00_0000_0000_01FE
    /// Bits of an L1 entry that must be zero: 0…8 and 56…62.
    static let l1Reserved: UInt64 = 0x7F00_0000_0000_01FF
    /// Bits of a refcount table entry that must be zero.
    static let refcountReserved: UInt64 = 0x1FF
}

/// What one L2 entry says of its guest cluster.
enum QCOW2Mapping: Equatable, Sendable {
    /// Nothing is stored: the backing file, else zeroes.
    case unallocated
    /// Zeroes without a host cluster.
    case zeroPlain
    /// Zeroes, with host cluster `host` kept for later writes.
    case zeroAllocated(host: UInt64, copied: Bool)
    /// Data in host cluster `host`. `copied`: may be written in place.
    case data(host: UInt64, copied: Bool)
    case compressed
    /// Reserved bits, an unaligned offset, or flags that contradict each other.
    case invalid

    @inline(__always)
    init(_ entry: UInt64, _ geometry: QCOW2Geometry) {
        if entry == 0 {
            self = .unallocated
            return
        }
        if entry & QCOW2Entry.compressed != 0 {
            self = geometry.hasExternalData ? .invalid : .compressed
            return
        }
        let host = entry & QCOW2Entry.offsetMask
        let isZero = entry & QCOW2Entry.zero != 0
        let copied = entry & QCOW2Entry.copied != 0
        if entry & QCOW2Entry.l2Reserved != 0 || host & geometry.clusterMask != 0 || (isZero && geometry.version < 3)
            || (host == 0 && copied && !geometry.hasExternalData)
        {
            self = .invalid
        } else if isZero {
            self = host == 0 && !copied ? .zeroPlain : .zeroAllocated(host: host, copied: copied)
        } else {
            self = .data(host: host, copied: copied)
        }
    }
}
