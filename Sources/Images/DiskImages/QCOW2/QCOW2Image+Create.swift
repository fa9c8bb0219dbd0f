public import BlockIO
internal import CoreTypes

extension QCOW2Image {
    /// Writes an empty image of version 3 into an empty file, durable when this returns.
    ///
    /// Layout: header, refcount table, refcount blocks, L1 table; a multiple of a cluster long.
    /// - Parameters:
    ///   - size: virtual bytes; rounded up to 512.
    ///   - clusterBits: log2 of the cluster size, 9…21; 16 is usual.
    /// - Throws: `.exists` when the file is not empty; `.limitExceeded` for a size the format cannot map.
    public static func create(file: ImageFile, size: UInt64, clusterBits: Int = 16) throws(BlockError) {
        do throws(BlockError) {
            try create(storage: file, size: size, clusterBits: clusterBits)
        } catch { throw error.at(path: file.path) }
    }

    static func create(
        storage: any ImageStorage, size: UInt64, clusterBits: Int, refcountOrder: Int = 4
    ) throws(BlockError) {
        guard (9...21).contains(clusterBits), (0...6).contains(refcountOrder) else {
            throw BlockError(.limitExceeded, "clusters of 2^\(clusterBits) bytes; 512 bytes to 2 MiB are legal")
        }
        let most = QCOW2Limits.virtualSize(clusterBits: clusterBits)
        guard let size = size.roundedUp(to: 512), size <= most else {
            throw BlockError(
                .limitExceeded, "clusters of \(1 << clusterBits) bytes allow a virtual size of \(most) bytes at most")
        }
        guard try storage.size() == 0 else {
            throw BlockError(.exists, "the file is not empty; a new image needs an empty one")
        }
        let geometry = QCOW2Geometry(clusterBits: clusterBits, refcountOrder: refcountOrder, version: 3)
        let l1Entries = geometry.l1EntriesNeeded(size: size)
        let l1Clusters = geometry.clusters(l1Entries * 8)
        var tableClusters: UInt64 = 1
        var blocks: UInt64 = 1
        while true {
            let total = 1 + tableClusters + blocks + l1Clusters
            let neededBlocks = total.dividedRoundingUp(by: geometry.blockEntries)
            let neededTable = geometry.clusters(neededBlocks * 8)
            if neededBlocks <= blocks, neededTable <= tableClusters { break }
            blocks = max(blocks, neededBlocks)
            tableClusters = max(tableClusters, neededTable)
        }
        let used = 1 + tableClusters + blocks + l1Clusters
        let bits = UInt64(clusterBits)
        var table: [UInt8] = []
        let words = RefcountWords(order: refcountOrder)
        for index in 0..<blocks {
            table.appendBigEndian((1 + tableClusters + index) << bits)
            var block = [UInt8](repeating: 0, count: geometry.clusterBytes)
            let first = index * geometry.blockEntries
            // SAFETY: the array's own bytes; slots are those of one block.
            unsafe block.withUnsafeMutableBytes { buffer in
                for cluster in first..<max(first, min(used, first + geometry.blockEntries)) {
                    unsafe words.set(buffer, Int(cluster - first), 1)
                }
            }
            try storage.store(block, at: (1 + tableClusters + index) << bits)
        }
        try storage.store(table, at: 1 << bits)
        try storage.truncate(to: used << bits)
        // The header comes last: before it the file is no image.
        try storage.sync()
        var header = QCOW2Header()
        header.clusterBits = UInt32(clusterBits)
        header.size = size
        header.l1Entries = UInt32(l1Entries)
        header.l1Offset = (1 + tableClusters + blocks) << bits
        header.refcountTableOffset = 1 << bits
        header.refcountTableClusters = UInt32(tableClusters)
        header.refcountOrder = UInt32(refcountOrder)
        try storage.store(header.encoded(), at: 0)
        try storage.sync()
    }
}
