extension ChangeTracking {
    /// Appends which parts of `offset ..< offset + length` are marked, in order and without gaps; what lies behind the end of the
    /// disk is. It may stop early.
    public func appendChanges(to extents: inout [ChangedExtent], at offset: UInt64, length: UInt64) {
        let end = offset + length
        var position = offset
        let known = extents.count
        while position < end, extents.count - known < 4096 {
            guard position < size else {
                extents.append(ChangedExtent(offset: position, length: end - position, isChanged: true))
                return
            }
            let limit = min(end, size)
            let first = position / ChangeLog.block
            let isMarked = isChanged(block: first)
            let next = firstBlock(after: first, where: !isMarked, before: ChangeLog.blocks(limit))
            let stop = min(limit, next * ChangeLog.block)
            extents.append(ChangedExtent(offset: position, length: stop - position, isChanged: isMarked))
            position = stop
        }
    }

    /// The first block behind `block` that is marked or not, as wanted; `limit` when there is none before it.
    private func firstBlock(after block: UInt64, where isMarked: Bool, before limit: UInt64) -> UInt64 {
        var index = block + 1
        while index < limit {
            let word = isMarked ? load(Int(index / 64)) : ~load(Int(index / 64))
            let rest = word >> (index % 64)
            if rest != 0 { return min(limit, index + UInt64(rest.trailingZeroBitCount)) }
            index = (index / 64 + 1) * 64
        }
        return limit
    }
}
