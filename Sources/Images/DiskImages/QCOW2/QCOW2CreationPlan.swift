internal import BlockIO
internal import CoreTypes

/// Where everything of a new image lies, in clusters: header, refcount table, refcount blocks, L1 table and, when they
/// are preallocated, L2 tables and data clusters. Without gaps, so every cluster below `end` has a count of 1.
struct QCOW2CreationPlan {
    let geometry: QCOW2Geometry
    let size: UInt64
    let preallocation: CreateOptions.Preallocation
    let l1Entries: UInt64
    private(set) var tableClusters: UInt64 = 1
    private(set) var blocks: UInt64 = 1
    private let l1Clusters: UInt64
    /// L2 tables and data clusters; 0 without preallocation. With an external data file its clusters are not here.
    private let l2Tables: UInt64
    private let dataClusters: UInt64
    private let hasExternalData: Bool
    private let hasParent: Bool

    var l1Start: UInt64 { 1 + tableClusters + blocks }
    private var l2Start: UInt64 { l1Start + l1Clusters }
    private var dataStart: UInt64 { l2Start + l2Tables }
    var end: UInt64 { dataStart + (hasExternalData ? 0 : dataClusters) }

    init(_ geometry: QCOW2Geometry, size: UInt64, options: CreateOptions) throws(BlockError) {
        self.geometry = geometry
        self.size = size
        hasExternalData = options.dataFile != nil
        hasParent = options.parent != nil
        // Without tables that name all of it, a raw external data file could hold what the image calls empty.
        preallocation =
            options.dataFileIsRaw && options.preallocation == .off ? .metadata : options.preallocation
        l1Entries = geometry.l1EntriesNeeded(size: size)
        l1Clusters = geometry.clusters(l1Entries * 8)
        l2Tables = preallocation == .off ? 0 : l1Entries
        dataClusters = preallocation == .off ? 0 : geometry.clusters(size)
        while true {
            let neededBlocks = end.dividedRoundingUp(by: geometry.blockEntries)
            let neededTable = geometry.clusters(neededBlocks * 8)
            if neededBlocks <= blocks, neededTable <= tableClusters { break }
            blocks = max(blocks, neededBlocks)
            tableClusters = max(tableClusters, neededTable)
            guard tableClusters * geometry.clusterSize <= QCOW2Limits.refcountTableBytes else {
                throw BlockError(
                    .limitExceeded,
                    "preallocation of \(size) bytes needs a refcount table of more than 8 MiB; "
                        + "use larger clusters or narrower refcounts")
            }
        }
    }

    /// Writes all but the header, tables one at a time. No barrier.
    func write(to storage: any ImageStorage) throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        if storage.isBlockDevice {
            // What the device holds would show through.
            try storage.writeZeroes(at: l1Start << bits, length: l1Clusters << bits)
            if !hasExternalData, dataClusters > 0, preallocation != .full {
                try storage.zero(at: dataStart << bits, length: dataClusters << bits, mayUnmap: true)
            }
        } else {
            try storage.truncate(to: end << bits)
        }
        try writeRefcounts(to: storage)
        guard l2Tables > 0 else { return }
        if !hasExternalData {
            switch preallocation {
            case .off, .metadata: break
            case .falloc:
                guard try storage.preallocate(at: dataStart << bits, length: dataClusters << bits) else {
                    throw BlockError(
                        .unsupported, "the file system cannot reserve space; use preallocation=full or metadata")
                }
            case .full: try writeData(to: storage)
            }
        }
        try writeTables(to: storage)
    }

    private func writeRefcounts(to storage: any ImageStorage) throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        let words = RefcountWords(order: geometry.refcountOrder)
        var table: [UInt8] = []
        var full: [UInt8]?
        for index in 0..<blocks {
            table.appendBigEndian((1 + tableClusters + index) << bits)
            let count = Int(min(end - min(end, index * geometry.blockEntries), geometry.blockEntries))
            var block = full ?? [UInt8](repeating: 0, count: geometry.clusterBytes)
            if full == nil || UInt64(count) < geometry.blockEntries {
                block = [UInt8](repeating: 0, count: geometry.clusterBytes)
                // SAFETY: the array's own bytes; slots are those of one block.
                unsafe block.withUnsafeMutableBytes { buffer in
                    for slot in 0..<count { unsafe words.set(buffer, slot, 1) }
                }
                if UInt64(count) == geometry.blockEntries { full = block }
            }
            try storage.store(block, at: (1 + tableClusters + index) << bits)
        }
        table += [UInt8](repeating: 0, count: Int(tableClusters << bits) - table.count)
        try storage.store(table, at: 1 << bits)
    }

    /// L2 tables that name every data cluster. Over a parent, with extended entries, nothing in them is stored yet.
    private func writeTables(to storage: any ImageStorage) throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        var l1: [UInt8] = []
        var cluster: UInt64 = 0
        let start = hasExternalData ? 0 : dataStart
        for index in 0..<l2Tables {
            l1.appendBigEndian((l2Start + index) << bits | QCOW2Entry.copied)
            var table: [UInt8] = []
            table.reserveCapacity(geometry.clusterBytes)
            for _ in 0..<min(dataClusters - cluster, UInt64(geometry.l2Entries)) {
                table.appendBigEndian((start + cluster) << bits | QCOW2Entry.copied)
                if geometry.hasExtendedL2 {
                    table.appendBigEndian(hasParent ? 0 : UInt64(UInt32.max))
                }
                cluster += 1
            }
            table += [UInt8](repeating: 0, count: geometry.clusterBytes - table.count)
            try storage.store(table, at: (l2Start + index) << bits)
        }
        try storage.store(l1, at: l1Start << bits)
    }

    private func writeData(to storage: any ImageStorage) throws(BlockError) {
        let zeroes = [UInt8](repeating: 0, count: 1 << 20)
        var position = dataStart << UInt64(geometry.clusterBits)
        let end = end << UInt64(geometry.clusterBits)
        while position < end {
            let count = min(UInt64(zeroes.count), end - position)
            try storage.store(count == UInt64(zeroes.count) ? zeroes : Array(zeroes.prefix(Int(count))), at: position)
            position += count
        }
    }
}
