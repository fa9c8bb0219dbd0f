import BlockIO
import CoreTypes

/// A qcow2 image of version 3 in the order in which stream readers need it: header, refcount table, refcount blocks, L1
/// table, L2 tables, and the data in the order of the disk. Every cluster of the file is used once, so all refcounts are
/// 1; every part begins on a cluster and its length is known beforehand.
struct QCOW2StreamLayout: StreamLayout {
    var length: UInt64 { clusters << UInt64(geometry.clusterBits) }
    private let geometry: QCOW2Geometry
    private let size: UInt64
    private let base: StreamWriteOptions.Base?
    private let data: UnitBitmap
    /// Clusters of each part, in their order behind the header's, and of the file.
    private let tableClusters: UInt64
    private let blockClusters: UInt64
    private let l1Entries: UInt64
    private let l1Clusters: UInt64
    private let l2Clusters: UInt64
    private let clusters: UInt64

    init(
        size: UInt64, options: CreateOptions, base: StreamWriteOptions.Base? = nil, scan: StoredUnits
    ) throws(BlockError) {
        self.base = base
        let bits = try options.clusterBits()
        geometry = QCOW2Geometry(clusterBits: bits, refcountOrder: try options.refcountOrder(), version: 3)
        try Self.check(size: size, options: options, base: base)
        self.size = size
        data = try scan.bitmap(unit: geometry.clusterSize)
        l1Entries = geometry.l1EntriesNeeded(size: size)
        l1Clusters = geometry.clusters(l1Entries * 8)
        var tables = L2Walk(data, geometry)
        var tableCount: UInt64 = 0
        while tables.next() != nil { tableCount += 1 }
        l2Clusters = tableCount

        // Refcount structures count themselves: they grow until they cover everything.
        let rest = 1 + l1Clusters + l2Clusters + data.count
        var table: UInt64 = 1
        var blocks: UInt64 = 1
        while true {
            let neededBlocks = (rest + table + blocks).dividedRoundingUp(by: geometry.blockEntries)
            let neededTable = geometry.clusters(neededBlocks * 8)
            if neededBlocks <= blocks && neededTable <= table { break }
            blocks = max(blocks, neededBlocks)
            table = max(table, neededTable)
        }
        tableClusters = table
        blockClusters = blocks
        clusters = rest + table + blocks
        guard table << UInt64(bits) <= QCOW2Limits.refcountTableBytes,
            clusters <= QCOW2Limits.hostEnd >> UInt64(bits)
        else {
            throw BlockError(
                .limitExceeded, "\(data.count) clusters of \(geometry.clusterSize) bytes are too many: use larger ones")
        }
    }

    /// Refuses a disk that is too large, and a name that the header's cluster has no place for.
    static func check(
        size: UInt64, options: CreateOptions, base: StreamWriteOptions.Base?
    ) throws(BlockError) {
        let bits = try options.clusterBits()
        let most = min(QCOW2Limits.virtualSize(clusterBits: bits), FormatCapabilities.largestRaw)
        guard size <= most else { throw FormatCapabilities.tooLarge(size, .qcow2, limit: most) }
        let order = try options.refcountOrder()
        _ = try header(
            QCOW2Geometry(clusterBits: bits, refcountOrder: order, version: 3), size: size, base: base
        ).encoded()
    }

    private static func header(
        _ geometry: QCOW2Geometry, size: UInt64, base: StreamWriteOptions.Base?
    ) -> QCOW2Header {
        var header = QCOW2Header()
        header.clusterBits = UInt32(geometry.clusterBits)
        header.size = size
        header.refcountOrder = UInt32(geometry.refcountOrder)
        header.backingName = base?.name
        header.extensions.backingFormat = base?.format.storedName
        header.extensions.featureNames = QCOW2HeaderExtensions.ownFeatureNames
        return header
    }

    func write(_ device: any BlockDevice, to output: StreamOutput) throws(BlockError) {
        var header = Self.header(geometry, size: size, base: base)
        header.l1Entries = UInt32(clamping: l1Entries)
        header.l1Offset = offset(1 + tableClusters + blockClusters)
        header.refcountTableOffset = offset(1)
        header.refcountTableClusters = UInt32(clamping: tableClusters)
        try output.append(header.encoded())
        try output.pad(0, to: offset(1))
        for block in 0..<blockClusters { try output.append(bigEndian: offset(1 + tableClusters + block)) }
        try output.pad(0, to: offset(1 + tableClusters))
        try writeRefcounts(to: output)
        try writeL1(to: output)
        try writeL2(to: output)
        var runs = data.runs
        while let run = runs.next() {
            let length = UInt64(run.count) << UInt64(geometry.clusterBits)
            try output.append(device, at: offset(run.lowerBound), length: length)
        }
    }

    private func offset(_ cluster: UInt64) -> UInt64 { cluster << UInt64(geometry.clusterBits) }

    /// All ones but behind the end of the file.
    private func writeRefcounts(to output: StreamOutput) throws(BlockError) {
        let words = RefcountWords(order: geometry.refcountOrder)
        func block(_ used: Int) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: geometry.clusterBytes)
            // SAFETY: the array's own bytes; a block has a slot for each.
            unsafe bytes.withUnsafeMutableBytes { buffer in
                for slot in 0..<used { unsafe words.set(buffer, slot, 1) }
            }
            return bytes
        }
        let full = clusters / geometry.blockEntries
        if full > 0 {
            let whole = block(Int(geometry.blockEntries))
            for _ in 0..<min(full, blockClusters) { try output.append(whole) }
        }
        if full < blockClusters {
            try output.append(block(Int(clusters % geometry.blockEntries)))
            try output.pad(0, to: offset(1 + tableClusters + blockClusters))
        }
    }

    private func writeL1(to output: StreamOutput) throws(BlockError) {
        var next = 1 + tableClusters + blockClusters + l1Clusters
        var index: UInt64 = 0
        var tables = L2Walk(data, geometry)
        while let table = tables.next() {
            try output.append(0, count: (table - index) * 8)
            try output.append(bigEndian: offset(next) | QCOW2Entry.copied)
            next += 1
            index = table + 1
        }
        try output.pad(0, to: offset(1 + tableClusters + blockClusters + l1Clusters))
    }

    private func writeL2(to output: StreamOutput) throws(BlockError) {
        let start = output.position
        let entries = UInt64(geometry.l2Entries)
        var next = 1 + tableClusters + blockClusters + l1Clusters + l2Clusters
        /// Tables written, the last one's number, and where its first entry is in the stream.
        var written: UInt64 = 0
        var table: UInt64?
        var base = start
        var runs = data.runs
        while let run = runs.next() {
            var cluster = run.lowerBound
            while cluster < run.upperBound {
                if table != cluster / entries {
                    table = cluster / entries
                    base = start + written * geometry.clusterSize
                    written += 1
                }
                try output.pad(0, to: base + cluster % entries * 8)
                let end = min(run.upperBound, (cluster / entries + 1) * entries)
                while cluster < end {
                    try output.append(bigEndian: offset(next) | QCOW2Entry.copied)
                    next += 1
                    cluster += 1
                }
            }
        }
        try output.pad(0, to: start + written * geometry.clusterSize)
    }

    /// The numbers of the L2 tables that have an entry.
    private struct L2Walk {
        private var runs: UnitBitmap.Runs
        private var pending: Range<UInt64> = 0..<0
        private let bits: UInt64
        private var last: UInt64?

        init(_ data: UnitBitmap, _ geometry: QCOW2Geometry) {
            runs = data.runs
            bits = UInt64(geometry.l2EntryBits)
        }

        mutating func next() -> UInt64? {
            while pending.isEmpty {
                guard let run = runs.next() else { return nil }
                let first = run.lowerBound >> bits
                pending = max(first, last.map { $0 + 1 } ?? first)..<((run.upperBound - 1) >> bits) + 1
            }
            last = pending.lowerBound
            pending = pending.lowerBound + 1..<pending.upperBound
            return last
        }
    }
}
