import StorageInterface

/// The space that the reclaimer leaves to the guests of an SR: what it merges lies there twice until the merge is over, and
/// an SR that is full stops them all.
struct ReclaimRoom: Sendable {
    /// Bytes, also on the largest SRs.
    var most: UInt64 = 1 << 30
    /// Of all the SR's space, one in so many parts.
    var part: UInt64 = 50

    /// Bytes of an SR of that size that stay free.
    func reserve(of total: UInt64) -> UInt64 { min(most, total / part) }

    /// `.noSpace` when less than the reserve is left beside `growth` further bytes.
    func require(_ growth: UInt64, of space: RepositorySpace) throws(StorageError) {
        let reserve = reserve(of: space.total)
        let (needed, overflow) = growth.addingReportingOverflow(reserve)
        guard !overflow, space.free > needed else {
            throw StorageError(
                .noSpace,
                "There is insufficient space [opterr=merging images may take \(growth) bytes and leaves \(reserve) free, but "
                    + "\(space.free) are free; destroy disks or snapshots, or make the SR larger]")
        }
    }
}
