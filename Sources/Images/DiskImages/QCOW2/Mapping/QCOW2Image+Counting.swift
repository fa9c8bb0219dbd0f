import BlockIO
import CLinux
internal import CoreTypes
internal import Synchronization

/// Counting what is stored without a list of it: most of a large image's tables are entries that say nothing, and a list
/// of a million extents takes longer to make than to count.
extension QCOW2Image {
    /// How many aligned units of `unit` bytes (a power of two) have data, as the extents of the whole device with their
    /// holes resolved say it. Nil where only those can tell: units smaller than clusters, a parent, subclusters, an
    /// external data file.
    func unitsWithData(_ unit: UInt64, _ cancellation: CancellationFlag) throws(BlockError) -> UInt64? {
        guard unit >= geometry.clusterSize, parent == nil, !geometry.hasExtendedL2, !hasExternalData else { return nil }
        try checkUsable()
        var count = QCOW2UnitCount(self, unit: unit, holes: try (storage as? ImageFile).map(FileHoles.init))
        let own = AlignedBuffer(count: geometry.clusterBytes)
        let end = size
        var position: UInt64 = 0
        while position < end {
            if cancellation.isCancelled { throw .measuringStopped }
            let next = min(position + geometry.l2Span, end)
            mapping.lockShared()
            defer { mapping.unlock() }
            let index = geometry.l1Index(position)
            if index < l1.count, l1[index] != 0 {
                if isReadOnly {
                    // Tables of an image that nobody writes are read past the cache, which they would only empty.
                    try unsafe readTable(index, into: own.bytes)
                    try unsafe count.add(UnsafeRawBufferPointer(own.bytes), position..<next)
                } else {
                    let table = try unsafe pinTable(index)
                    defer { tables.unpin(index) }
                    try unsafe count.add(UnsafeRawBufferPointer(table), position..<next)
                }
            }
            position = next
        }
        return count.units
    }
}

/// A count under way. Clusters are judged many at a time as long as they lie in the same part of the file, which is all
/// data or all a hole; where some do not, or are compressed or zeroes, one by one.
private struct QCOW2UnitCount {
    /// Units with data so far.
    private(set) var units: UInt64 = 0
    private let image: QCOW2Image
    private let unitBits: UInt64
    private let holes: FileHoles?
    private let limit: UInt64
    /// The last unit that was counted.
    private var last = UInt64.max
    /// Whole clusters that begin at `low ... low + span` are all in a hole, or all in none. At first there are none.
    private var low = QCOW2Entry.copied
    private var span: UInt64 = 0
    private var isHole = false
    private static let mostEntries = 128

    init(_ image: QCOW2Image, unit: UInt64, holes: FileHoles?) {
        self.image = image
        unitBits = UInt64(unit.trailingZeroBitCount)
        self.holes = holes
        limit = image.fileEnd.load(ordering: .relaxed)
    }

    /// Adds the clusters of `range` of the disk, which begins where the table does.
    mutating func add(_ table: UnsafeRawBufferPointer, _ range: Range<UInt64>) throws(BlockError) {
        let geometry = image.geometry
        let bits = UInt64(geometry.clusterBits)
        let entries = Int((range.upperBound - range.lowerBound + geometry.clusterMask) >> bits)
        precondition(entries <= geometry.l2Entries && table.count >= geometry.l2Entries * 8)
        // SAFETY (whole function): `entries` words are in the table, which is aligned, and every index is below that.
        guard let words = unsafe table.assumingMemoryBound(to: UInt64.self).baseAddress else { return }
        let perUnit = 1 << (unitBits - bits)
        var index = 0
        while index < entries {
            let position = range.lowerBound + UInt64(index) << bits
            let toUnitEnd = perUnit - Int(truncatingIfNeeded: position >> bits) & (perUnit - 1)
            let next = min(entries, index + min(Self.mostEntries, perUnit == 1 ? Self.mostEntries : toUnitEnd))
            var others = false
            let found = unsafe gantry_count_words(
                words + index, next - index, QCOW2Entry.copied, geometry.clusterMask, low, span, &others)
            if others {
                for number in index..<next {
                    let word = unsafe UInt64(bigEndian: words[number])
                    let offset = range.lowerBound + UInt64(number) << bits
                    if word != 0, try hasData(word, offset, min(geometry.clusterSize, range.upperBound - offset)) {
                        note(offset)
                    }
                }
            } else if found > 0, !isHole {
                if perUnit == 1 { units += UInt64(found) } else { note(position) }
            }
            index = next
        }
    }

    private mutating func note(_ offset: UInt64) {
        if offset >> unitBits == last { return }
        last = offset >> unitBits
        units += 1
    }

    /// Whether the cluster for byte `offset` of the disk, `length` bytes of which belong to the disk, has data.
    private mutating func hasData(_ entry: UInt64, _ offset: UInt64, _ length: UInt64) throws(BlockError) -> Bool {
        let clusterSize = image.geometry.clusterSize
        switch QCOW2Mapping(entry, image.geometry) {
        case .unallocated, .zeroPlain, .zeroAllocated: return false
        case .compressed: return true
        case .invalid: throw image.invalidEntry(offset)
        case .data(let host, _):
            let (end, overflow) = host.addingReportingOverflow(length)
            if overflow || end > limit { throw image.pastTheEnd(offset, host) }
            if host &- low <= span { return !isHole }
            let (inHole, around) = holes?.around(host) ?? (false, 0..<UInt64.max)
            // Entries with other bits set are above every host offset.
            let first = max((around.lowerBound.roundedUp(to: clusterSize) ?? .max), clusterSize)
            let reach = min(around.upperBound, limit, QCOW2Limits.hostEnd)
            if reach >= clusterSize, reach - clusterSize >= first {
                (low, span, isHole) = (first, reach - clusterSize - first, inHole)
            }
            return !(inHole && end <= around.upperBound)
        }
    }
}
