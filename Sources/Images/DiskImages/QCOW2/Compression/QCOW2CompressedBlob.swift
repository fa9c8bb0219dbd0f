/// Where a compressed cluster lies: bytes `offset ..< end` of the file, an estimate from above in whole sectors.
struct QCOW2CompressedBlob: Equatable, Sendable {
    let offset: UInt64
    /// Bytes up to the end of the last sector that the entry counts.
    let length: UInt64
    var end: UInt64 { offset + length }

    /// Bits of the entry that hold the offset; the number of further sectors lies above them.
    static func offsetBits(_ geometry: QCOW2Geometry) -> UInt64 { UInt64(62 - (geometry.clusterBits - 8)) }

    init(entry: UInt64, _ geometry: QCOW2Geometry) {
        let bits = Self.offsetBits(geometry)
        offset = entry & ((1 << bits) - 1)
        let sectors = (entry & (QCOW2Entry.compressed - 1)) >> bits
        length = (sectors + 1) * 512 - offset % 512
    }

    /// The entry for `count` bytes (at least 1, less than a cluster) at `offset`; nil where no entry can name them.
    static func entry(offset: UInt64, count: Int, _ geometry: QCOW2Geometry) -> UInt64? {
        let bits = offsetBits(geometry)
        let end = offset + UInt64(count)
        guard count > 0, end < QCOW2Limits.hostEnd, offset < 1 << bits else { return nil }
        let sectors = (end - 1) / 512 - offset / 512
        guard sectors < 1 << (62 - bits) else { return nil }
        return QCOW2Entry.compressed | sectors << bits | offset
    }

    /// The host clusters that have a reference from this blob: all that it touches.
    func clusters(_ geometry: QCOW2Geometry) -> ClusterRun {
        let bits = UInt64(geometry.clusterBits)
        let first = offset >> bits
        return ClusterRun(start: first, count: ((end - 1) >> bits) - first + 1)
    }
}
