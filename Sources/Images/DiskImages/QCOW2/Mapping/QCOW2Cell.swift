/// One L2 entry of either form, as sets of units: the whole cluster (bit 0) with standard entries, its 32 subclusters
/// with extended ones. A unit in neither set is read from the backing file, or as zeroes.
struct QCOW2Cell: Equatable, Sendable {
    /// Offset of the host cluster, if `hasHost`.
    var host: UInt64 = 0
    var hasHost = false
    /// The host cluster has one reference: it may be written in place.
    var copied = false
    /// Units with data in the host cluster.
    var stored: UInt32 = 0
    /// Units that read as zeroes.
    var zero: UInt32 = 0
    /// The entry of a compressed cluster, else 0.
    var compressed: UInt64 = 0
    /// Reserved bits, an unaligned offset, or sets that contradict each other.
    var isInvalid = false

    var isCompressed: Bool { compressed != 0 }

    init() {}

    /// `bitmap`: the second word of an extended entry, 0 with standard ones.
    init(_ word: UInt64, bitmap: UInt64, _ geometry: QCOW2Geometry) {
        if word & QCOW2Entry.compressed != 0 {
            compressed = word
            isInvalid = bitmap != 0 || geometry.hasExternalData
            return
        }
        let flag = word & QCOW2Entry.zero != 0
        host = word & QCOW2Entry.offsetMask
        copied = word & QCOW2Entry.copied != 0
        hasHost = host != 0 || (copied && geometry.hasExternalData)
        isInvalid =
            word & QCOW2Entry.l2Reserved != 0 || host & geometry.clusterMask != 0 || (copied && !hasHost)
            || (flag && (geometry.version < 3 || geometry.hasExtendedL2))
        if geometry.hasExtendedL2 {
            stored = UInt32(truncatingIfNeeded: bitmap)
            zero = UInt32(truncatingIfNeeded: bitmap >> 32)
            if stored & zero != 0 || (stored != 0 && !hasHost) { isInvalid = true }
        } else {
            stored = hasHost && !flag ? 1 : 0
            zero = flag ? 1 : 0
        }
    }

    /// The words of the entry; the second is of extended ones.
    func words(_ geometry: QCOW2Geometry) -> (UInt64, UInt64) {
        if isCompressed { return (compressed, 0) }
        let word = hasHost ? host | (copied ? QCOW2Entry.copied : 0) : 0
        if geometry.hasExtendedL2 { return (word, UInt64(zero) << 32 | UInt64(stored)) }
        return (word | (zero != 0 ? QCOW2Entry.zero : 0), 0)
    }

    /// Gives the entry another host cluster, which it alone refers to.
    mutating func setHost(_ offset: UInt64) {
        host = offset
        hasHost = true
        copied = true
        compressed = 0
    }

    mutating func dropHost() {
        host = 0
        hasHost = false
        copied = false
        compressed = 0
        stored = 0
    }
}

// SAFETY (whole file): a table is one cluster of bytes and `number` is below its number of entries.
extension QCOW2Geometry {
    @inline(__always)
    func cell(_ table: UnsafeRawPointer, _ number: Int) -> QCOW2Cell {
        let at = number << entryBits
        let word = unsafe UInt64(bigEndian: table.load(fromByteOffset: at, as: UInt64.self))
        let bitmap = unsafe hasExtendedL2 ? UInt64(bigEndian: table.load(fromByteOffset: at + 8, as: UInt64.self)) : 0
        return QCOW2Cell(word, bitmap: bitmap, self)
    }

    func cell(_ table: UnsafeMutableRawBufferPointer, _ number: Int) -> QCOW2Cell {
        precondition(number >= 0 && number < l2Entries)
        guard let base = table.baseAddress else { preconditionFailure("a table has bytes") }
        return unsafe cell(UnsafeRawPointer(base), number)
    }

    func store(_ cell: QCOW2Cell, _ table: UnsafeMutableRawBufferPointer, _ number: Int) {
        precondition(number >= 0 && number < l2Entries)
        let (word, bitmap) = cell.words(self)
        unsafe table.storeBytes(of: word.bigEndian, toByteOffset: number << entryBits, as: UInt64.self)
        if hasExtendedL2 {
            unsafe table.storeBytes(of: bitmap.bigEndian, toByteOffset: number << entryBits + 8, as: UInt64.self)
        }
    }

    /// Bytes of a table that entries occupy.
    func bytes(ofEntries range: Range<Int>) -> Range<Int> {
        range.lowerBound << entryBits..<range.upperBound << entryBits
    }
}
