import BlockIO
import CoreTypes
import Synchronization

/// Durability: the order in which metadata reach the file.
extension DynamicVHD {
    func flush() throws(BlockError) {
        try flushGate.flush { () throws(BlockError) in try commit() }
    }

    func close() throws(BlockError) {
        defer {
            lock.exclusive { isClosed = true }
            file.close()
        }
        if isReadOnly { return try file.sync() }
        if !layout.footersAgree { try lock.exclusive { () throws(BlockError) in try prepare() } }
        try flush()
        try lock.exclusive { () throws(BlockError) in
            guard var map = batmap else { return }
            let current = table.fullMap()
            if let storedMap, storedMap.starts(with: current) { return }
            try map.store(current, file: file)
            try file.sync()
            batmap = map
            storedMap = current
        }
    }

    /// One flush. Only one runs at a time, while requests go on.
    private func commit() throws(BlockError) {
        lock.lockExclusive()
        if isClosed {
            lock.unlock()
            throw BlockError(.io, "the image was closed", path: file.path)
        }
        let sectors = table.takeDirty()
        let bitmaps = completedBlocks.map { (block: $0, start: UInt64(table[$0]) * 512) }
        let footerPlace = footerMoved && !file.isBlockDevice ? end : nil
        completedBlocks = []
        footerMoved = false
        lock.unlock()

        do throws(BlockError) {
            if let footerPlace { try file.store(layout.footer.bytes, at: footerPlace) }
            try file.sync()
            if sectors.isEmpty && bitmaps.isEmpty { return }
            for (sector, bytes) in sectors {
                try file.store(bytes, at: header.tableOffset + UInt64(sector) * 512)
            }
            let ones = [UInt8](repeating: 0xFF, count: Int(header.bitmapSize))
            for bitmap in bitmaps { try file.store(ones, at: bitmap.start) }
            try file.sync()
            lock.exclusive {
                let isClean = table.dirtySectors.isEmpty && completedBlocks.isEmpty
                hasUnwrittenTable.store(!isClean, ordering: .releasing)
            }
        } catch {
            lock.exclusive {
                table.restore(sectors.map(\.sector))
                completedBlocks += bitmaps.map(\.block)
                footerMoved = footerMoved || footerPlace != nil
            }
            throw error
        }
    }
}
