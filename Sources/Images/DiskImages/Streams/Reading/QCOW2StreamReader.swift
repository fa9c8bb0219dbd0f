import BlockIO
import CoreTypes

/// A qcow2 image as a stream. Tables that come before what they name are followed as they come; other orders need a
/// place to keep bytes until a table names them (`StreamReadOptions.spillFolder`). Internal snapshots are passed over.
struct QCOW2StreamReader {
    private enum Region {
        static let refcountTable: UInt8 = 1
        static let ignored: UInt8 = 2
        static let l1: UInt8 = 3
        static let l2: UInt8 = 4
        static let data: UInt8 = 5
        static let compressed: UInt8 = 6
    }

    private let stream: ForwardStream
    private let header: QCOW2Header
    private let headerBytes: Int
    private let options: StreamReadOptions
    private let cancellation: CancellationFlag
    private let decoder: ClusterDecoder
    private let clusterBits: UInt64
    /// log₂ of the entries of an L2 table.
    private let entryBits: UInt64
    private let isExtended: Bool

    private var clusterSize: UInt64 { 1 << clusterBits }

    init(
        _ source: PrefixedSource, options: StreamReadOptions, progress: ProgressCounter,
        cancellation: CancellationFlag
    ) throws(BlockError) {
        // The beginning is looked at only to know how much the window must hold.
        let bits = BigEndianBytes(source.head).u32(20)
        let cluster = 1 << Int((9...21).contains(bits) ? bits : 9)
        stream = ForwardStream(
            source, largestPeek: max(1 << 20, 2 * cluster), options: options, progress: progress,
            cancellation: cancellation)
        let first = try unsafe Array(stream.peek(cluster, at: 0))
        // Where the file ends is not known; every table is checked when the stream reaches it.
        header = try QCOW2Header(first, fileSize: 1 << 61)
        headerBytes = first.count
        self.options = options
        self.cancellation = cancellation
        clusterBits = UInt64(header.clusterBits)
        isExtended = header.incompatible.contains(.extendedL2)
        entryBits = clusterBits - (isExtended ? 4 : 3)
        decoder = try ClusterDecoder(clusterSize: cluster, isZstd: header.compressionType == 1)
    }

    /// Bytes of the disk.
    func read(into destination: StreamDestination) throws(BlockError) -> UInt64 {
        var options = options
        try checkSupported()
        if header.backingName == nil { options.isWhole() }
        let size = header.size.roundedDown(to: 512)
        let spanBits = clusterBits + entryBits
        let needed = size >> spanBits + (size & (1 << spanBits - 1) == 0 ? 0 : 1)
        guard UInt64(header.l1Entries) >= needed else {
            throw BlockError(
                .invalidImage, "the L1 table has \(header.l1Entries) entries; a disk of this size needs \(needed)")
        }
        let writer = try SparseWriter(destination, size: size, options: options, cancellation: cancellation)
        try stream.claim(0..<UInt64(headerBytes))
        try stream.expect(
            StreamRegion(start: header.refcountTableOffset, kind: Region.refcountTable, unit: 0, count: 1))
        if needed > 0 {
            try stream.expect(StreamRegion(start: header.l1Offset, kind: Region.l1, unit: needed, count: 1))
        }
        while let region = stream.nextRegion() {
            switch region.kind {
            case Region.refcountTable: try readRefcountTable(at: region.start)
            case Region.l1: try readL1(at: region.start, entries: region.unit)
            case Region.l2: try readL2(region, writer)
            case Region.data: try readData(region, writer)
            case Region.compressed: try readCompressed(region, writer)
            default: try stream.pass(region.start..<region.start + UInt64(region.count) << clusterBits)
            }
        }
        _ = try stream.drain()
        return size
    }

    private func checkSupported() throws(BlockError) {
        let unknown = header.incompatible.subtracting(.known)
        guard unknown.isEmpty else {
            let names = header.extensions.names(ofIncompatible: unknown.rawValue)
            throw BlockError(.unsupported, "the image needs features that are not known here: \(names)")
        }
        if header.incompatible.contains(.externalData) {
            throw BlockError(.denied, "the image keeps its data in another file, which is not followed")
        }
        guard header.encryption == 0 else {
            throw BlockError(.unsupported, "the image is encrypted (method \(header.encryption))")
        }
        guard !isExtended || clusterBits >= 14 else {
            throw BlockError(.invalidImage, "extended L2 entries need clusters of 16 KiB or more")
        }
        if let name = header.backingName, !options.overlaysDestination { try checkParent(named: name) }
    }

    private func checkParent(named name: String) throws(BlockError) {
        guard let parent = options.parent else {
            throw BlockError(
                .denied,
                "the stream is a qcow2 image on a parent “\(name)”, which is not followed; name the parent explicitly")
        }
        guard let word = header.extensions.backingFormat, let given = parent.format else { return }
        guard let format = ParentFormat(parsing: word) else {
            throw BlockError(.unsupported, "the backing file is of the format “\(word)”, which is not read here")
        }
        guard format == given else {
            throw BlockError(
                .invalidImage,
                "the image says that its parent is \(format.name), and \(given.name) was given")
        }
    }

    // MARK: Tables

    /// Calls `body` with index and value of every entry of a table of words that is not 0.
    private func forEachEntry(
        at start: UInt64, count: UInt64, _ name: String, _ body: (UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) {
        var first: UInt64 = 0
        while first < count {
            let some = min(count - first, 65536)
            let bytes = BigEndianBytes(try stream.array(Int(some) * 8, at: start + first * 8, name))
            for index in 0..<some {
                let entry = bytes.u64(Int(index) * 8)
                if entry != 0 { try body(first + index, entry) }
            }
            first += some
        }
    }

    /// Refcounts do not matter to a reader: their blocks are known and passed over.
    private func readRefcountTable(at start: UInt64) throws(BlockError) {
        let count = UInt64(header.refcountTableClusters) << (clusterBits - 3)
        try forEachEntry(at: start, count: count, "the refcount table") { (_, entry) throws(BlockError) in
            let offset = entry & ~QCOW2Entry.refcountReserved
            guard offset < QCOW2Limits.hostEnd else { return }
            try stream.expect(StreamRegion(start: offset, kind: Region.ignored, unit: 0, count: 1))
        }
    }

    private func readL1(at start: UInt64, entries: UInt64) throws(BlockError) {
        try forEachEntry(at: start, count: entries, "the L1 table") { (index, entry) throws(BlockError) in
            let offset = entry & QCOW2Entry.offsetMask
            guard entry & QCOW2Entry.l1Reserved == 0, offset != 0, offset & (clusterSize - 1) == 0 else {
                throw BlockError(.corrupt, "entry \(index) of the L1 table does not name a table", offset: offset)
            }
            try stream.expect(StreamRegion(start: offset, kind: Region.l2, unit: index, count: 1))
        }
    }

    private func readL2(_ region: StreamRegion, _ writer: SparseWriter) throws(BlockError) {
        let table = BigEndianBytes(try stream.array(Int(clusterSize), at: region.start, "an L2 table"))
        let first = region.unit << entryBits
        let clusters = (writer.size + clusterSize - 1) >> clusterBits
        var run: StreamRegion?
        for index in 0..<min(1 << entryBits, clusters - first) {
            let at = Int(index) * (isExtended ? 16 : 8)
            let entry = table.u64(at)
            let parts = isExtended ? table.u64(at + 8) : 0
            if entry == 0 && parts == 0 { continue }
            guard let found = try examine(entry, parts: parts, cluster: first + index, writer) else { continue }
            if let known = run, let joined = join(known, found) {
                run = joined
            } else {
                if let run { try stream.expect(run) }
                run = found
            }
        }
        if let run { try stream.expect(run) }
    }

    private func join(_ a: StreamRegion, _ b: StreamRegion) -> StreamRegion? {
        let isNext =
            a.kind == b.kind && a.kind != Region.compressed && a.mask == b.mask
            && b.start == a.start + UInt64(a.count) << clusterBits && b.unit == a.unit + UInt64(a.count)
        guard isNext else { return nil }
        return StreamRegion(start: a.start, kind: a.kind, unit: a.unit, count: a.count + 1, mask: a.mask)
    }

    /// What one entry of an L2 table says; zeroes are made at once. `parts`: the second word of an extended entry.
    private func examine(
        _ entry: UInt64, parts: UInt64, cluster: UInt64, _ writer: SparseWriter
    ) throws(BlockError) -> StreamRegion? {
        func illegal() -> BlockError {
            BlockError(.corrupt, "the L2 entry for byte \(cluster << clusterBits) of the disk is not legal")
        }
        if entry & QCOW2Entry.compressed != 0 {
            let offsetBits = 62 - (clusterBits - 8)
            let offset = entry & (1 << offsetBits - 1)
            let extra = (entry & (QCOW2Entry.compressed - 1)) >> offsetBits
            let length = (extra + 1) * 512 - offset % 512
            guard parts == 0, entry & QCOW2Entry.copied == 0, offset < QCOW2Limits.hostEnd else { throw illegal() }
            return StreamRegion(
                start: offset, kind: Region.compressed, unit: cluster, count: UInt32(clamping: length))
        }
        let host = entry & QCOW2Entry.offsetMask
        let isZero = entry & QCOW2Entry.zero != 0
        guard entry & QCOW2Entry.l2Reserved == 0, host & (clusterSize - 1) == 0,
            !isZero || (header.version >= 3 && !isExtended), host != 0 || entry & QCOW2Entry.copied == 0
        else { throw illegal() }
        if isExtended {
            let (stored, zero) = (UInt32(truncatingIfNeeded: parts), UInt32(truncatingIfNeeded: parts >> 32))
            guard stored & zero == 0, stored == 0 || host != 0 else { throw illegal() }
            for part in 0..<UInt64(32) where zero & 1 << UInt32(part) != 0 {
                try writer.zero(at: cluster << clusterBits + part * clusterSize / 32, length: clusterSize / 32)
            }
            if host == 0 { return nil }
            return StreamRegion(
                start: host, kind: stored == 0 ? Region.ignored : Region.data, unit: cluster, count: 1, mask: stored)
        }
        if isZero { try writer.zero(at: cluster << clusterBits, length: clusterSize) }
        if host == 0 { return nil }
        return StreamRegion(start: host, kind: isZero ? Region.ignored : Region.data, unit: cluster, count: 1)
    }

    // MARK: Data

    private func readData(_ region: StreamRegion, _ writer: SparseWriter) throws(BlockError) {
        let offset = region.unit << clusterBits
        let end = region.start + UInt64(region.count) << clusterBits
        if region.mask != .max {
            let part = clusterSize / 32
            for cluster in 0..<UInt64(region.count) {
                for index in 0..<UInt64(32) where region.mask & 1 << UInt32(index) != 0 {
                    let within = cluster << clusterBits + index * part
                    try move(part, from: region.start + within, to: offset + within, endingAt: end, writer)
                }
            }
            return
        }
        let length = UInt64(region.count) << clusterBits
        var done: UInt64 = 0
        while done < length {
            let some = min(length - done, UInt64(stream.largestPeek))
            try move(some, from: region.start + done, to: offset + done, endingAt: end, writer)
            done += some
        }
    }

    /// Moves a part of a data region. The file may end inside its last cluster: the rest of that reads as zeroes.
    private func move(
        _ length: UInt64, from start: UInt64, to offset: UInt64, endingAt end: UInt64, _ writer: SparseWriter
    ) throws(BlockError) {
        guard offset < writer.size else { return }
        let count = min(length, writer.size - offset)
        let bytes = try unsafe stream.takeSome(Int(count), at: start)
        // SAFETY: used before the next call of the stream.
        try unsafe writer.write(bytes, at: offset)
        let got = UInt64(bytes.count)
        if got == count { return }
        guard stream.knownLength > end - clusterSize else {
            throw stream.truncated("the cluster of byte \(offset) of the disk", at: start)
        }
        try writer.zero(at: offset + got, length: count - got)
    }

    private func readCompressed(_ region: StreamRegion, _ writer: SparseWriter) throws(BlockError) {
        let offset = region.unit << clusterBits
        let input = try unsafe stream.peek(Int(region.count), at: region.start)
        guard let (content, used) = unsafe decoder.decode(input) else {
            if input.count < Int(region.count) {
                throw stream.truncated("the compressed cluster of byte \(offset) of the disk", at: region.start)
            }
            throw BlockError(
                .invalidImage, "the compressed cluster of byte \(offset) of the disk is damaged", offset: region.start)
        }
        // Its true length is known only now: the next one may begin in the sector where this one ends.
        try stream.claim(region.start..<region.start + UInt64(used))
        try unsafe writer.write(content, at: offset)
    }
}
