import BlockIO
import CoreTypes
import Synchronization

/// Durability: the order in which metadata reach the file.
///
/// First what new metadata will speak of: the data, the zeroes of new bitmaps, the footer at its new place. Then, after
/// a barrier, the bitmaps and the sectors of the block table, in any order: a bit in a block that nothing names is
/// invisible, and a named block whose bits are clear reads as before. Then a second barrier.
extension DynamicVHD {
    func flush() throws(BlockError) {
        try flushGate.flush { () throws(BlockError) in
            try commits.locked { () throws(BlockError) in try commit() }
        }
    }

    /// A named block whose data have not come to the disk is what only a loss of power can leave.
    func writeOut() throws(BlockError) -> Bool {
        if hasVolatileMetadata {
            try commits.locked { () throws(BlockError) in try commit(isDurable: false) }
        }
        return true
    }

    func writeBack(unless isOver: () -> Bool) throws(BlockError) { try file.writeBack(unless: isOver) }

    func close() throws(BlockError) {
        defer {
            lock.exclusive { isClosed = true }
            file.close()
            try? parent?.close()
        }
        if isReadOnly { return try file.sync() }
        if !layout.footersAgree { try lock.exclusive { () throws(BlockError) in try prepare() } }
        try flush()
        try lock.exclusive { () throws(BlockError) in
            // The map comes last: it vouches for bitmaps, which are durable now, unless a write came in between.
            let current = table.fullMap()
            guard batmap != nil, !hasUnwrittenTable.load(ordering: .acquiring),
                storedMap?.starts(with: current) != true
            else { return }
            try storeMap(current)
        }
    }

    /// With the lock held exclusively, or alone. `map` says nothing of a block whose bitmap is not durable.
    func storeMap(_ map: [UInt8]) throws(BlockError) {
        guard var batmap else { return }
        storedMap = nil
        try batmap.store(map, file: file)
        try file.sync()
        self.batmap = batmap
        storedMap = map
    }

    /// One flush, with `commits` held: only one runs at a time, while requests go on. Not `isDurable`: without its barriers.
    func commit(isDurable: Bool = true) throws(BlockError) {
        lock.lockExclusive()
        if isClosed {
            lock.unlock()
            throw BlockError(.io, "the image was closed", path: file.path)
        }
        let sectors = table.takeDirty()
        let changed = bitmaps.takeDirty().compactMap { item in
            table.start(of: item.block).map { (start: $0, bitmap: item.bitmap) }
        }
        let newBitmaps = unwrittenBitmaps
        unwrittenBitmaps = []
        let footerPlace = footerMoved && !file.isBlockDevice ? end : nil
        let footer = footer
        let tableOffset = header.tableOffset
        footerMoved = false
        lock.unlock()

        do throws(BlockError) {
            try storeNewBitmaps(newBitmaps)
            if let footerPlace { try file.store(footer.bytes, at: footerPlace) }
            if isDurable { try file.sync() }
            if sectors.isEmpty && changed.isEmpty { return }
            for (sector, bytes) in sectors { try file.store(bytes, at: tableOffset + UInt64(sector) * 512) }
            for (start, bitmap) in changed { try file.store(bitmap, at: start) }
            if isDurable { try file.sync() }
            lock.exclusive {
                bitmaps.finishWriting(succeeded: true)
                let isClean = table.dirtySectors.isEmpty && bitmaps.dirty.isEmpty
                hasUnwrittenTable.store(!isClean, ordering: .releasing)
            }
        } catch {
            lock.exclusive {
                table.restore(sectors.map(\.sector))
                bitmaps.finishWriting(succeeded: false)
                unwrittenBitmaps = newBitmaps + unwrittenBitmaps
                footerMoved = footerMoved || footerPlace != nil
            }
            throw error
        }
    }
}
