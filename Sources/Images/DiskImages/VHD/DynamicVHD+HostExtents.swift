import BlockIO
import CoreTypes
import Synchronization

extension DynamicVHD: HostMappedDevice, PlacingDevice {
    var isLinear: Bool { false }
    var knowsHoles: Bool { false }
    var hostFiles: [ImageFile] { files(file, parent) }

    /// Blocks looked at, and extents found, by one call at most, but for the rest of a block.
    private static let blocksPerCall = 65536
    private static let extentsPerCall = 16384

    /// Blocks of which every sector counts are data as wholes; what of them the file does not store, only the file
    /// system knows. Of others the sectors' bits decide, and no place is told, but for what lies behind the end of the file.
    func appendHostExtents(to extents: inout [HostExtent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        let end = offset + length
        let most = extents.count + Self.extentsPerCall
        var position = offset
        for place in try hostPlaces(from: Int(offset / blockSize)) {
            if position >= end || extents.count >= most { return }
            let block = position / blockSize
            if table.isDamaged(Int(block)) { throw table.damage(of: Int(block), path: file.path) }
            let blockEnd = min((position | (blockSize - 1)) + 1, end)
            if place.sector == VHDBlockTable.unallocated {
                let stop = try extents.appendParent(parent, position..<blockEnd, firstFile: 1, most: most)
                if stop < blockEnd { return }
            } else if place.isWhole {
                extents.appendJoining(
                    HostExtent(
                        offset: position, length: blockEnd - position, kind: .data, file: 0,
                        host: UInt64(place.sector) * 512 + bitmapSize + (position & (blockSize - 1))))
            } else {
                var part = position
                let cut = try cut(block, at: place.sector)
                let body = UInt64(place.sector) * 512 + bitmapSize
                while part < blockEnd {
                    var plain: [Extent] = []
                    try appendExtents(to: &plain, at: part, length: blockEnd - part)
                    guard let last = plain.last, last.end > part else { return }
                    for extent in plain { extents.append(extent, cut, blockSize: blockSize, body: body) }
                    part = last.end
                }
            }
            position = blockEnd
        }
    }

    /// The places of the blocks from `first` on, as the table says at this moment.
    private func hostPlaces(from first: Int) throws(BlockError) -> [(sector: UInt32, isWhole: Bool)] {
        try lock.shared { () throws(BlockError) in
            try checkOpen()
            return (first..<max(first, min(table.count, first + Self.blocksPerCall))).map {
                (table[$0], table.isFull($0) || !(bitmapsCount || isDifferencing))
            }
        }
    }

    /// Gives a range the blocks it needs. What is around it in a new block reads as zeroes.
    func place(
        at offset: UInt64, length: UInt64, put: (ImageFile, UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) -> UInt64 {
        try checkRange(offset, length)
        guard !isReadOnly, !isDifferencing, let target = file as? ImageFile else { return 0 }
        let part = part(offset, length)
        let place = try enter(part.block)
        defer { leave() }
        var start = place.start
        if !place.isFull || !place.isPrepared || start == nil { start = try makeWritable(part.block) }
        guard let start else { return 0 }
        try put(target, start + bitmapSize + part.within, part.length)
        return part.length
    }

    func noteSharing() {
        file.useCache()
        sharesBitmaps.store(true, ordering: .relaxed)
    }
}
