/// The sector bitmaps of blocks that are partly present, as far as they are in memory: all changed ones, and some others.
///
/// Not locked by itself: `DynamicVHD` reads it with its lock shared and changes it with the lock exclusive.
final class VHDSectorBitmaps {
    /// Unchanged bitmaps kept; at 512 bytes each, 2 MiB and a little.
    private static let mostClean = 4096
    /// More changed bitmaps ask for a flush.
    static let mostDirty = 4096

    private var bitmaps: [Int: [UInt8]] = [:]
    /// Differ from the file.
    private(set) var dirty: Set<Int> = []
    /// Are being written: the file may hold either.
    private(set) var writing: Set<Int> = []
    /// Changes when a bitmap leaves memory: what was read of the file before is not to be kept then.
    private(set) var departures: UInt64 = 0

    /// Bitmaps in memory.
    var count: Int { bitmaps.count }

    subscript(block: Int) -> [UInt8]? { bitmaps[block] }

    /// Keeps what the file holds.
    func keep(_ bitmap: [UInt8], of block: Int) {
        if bitmaps.count - dirty.count - writing.count >= Self.mostClean { makeRoom() }
        bitmaps[block] = bitmap
    }

    /// Sets the bits of sectors of a block whose bitmap is in memory; true when all `count` sectors of it are present.
    func set(_ sectors: Range<Int>, of block: Int, sectors count: Int) -> Bool {
        bitmaps[block]?.setBits(sectors)
        dirty.insert(block)
        return bitmaps[block]?.areBitsSet(0..<count) == true
    }

    /// Every bit of a block's bitmap is to be set.
    func fill(_ block: Int, count: Int) {
        bitmaps[block] = [UInt8](repeating: 0xFF, count: count)
        dirty.insert(block)
    }

    /// The changed bitmaps, ascending; `finishWriting` follows.
    func takeDirty() -> [(block: Int, bitmap: [UInt8])] {
        writing = dirty
        dirty = []
        return writing.sorted().compactMap { block in bitmaps[block].map { (block, $0) } }
    }

    func finishWriting(succeeded: Bool) {
        if !succeeded { dirty.formUnion(writing) }
        writing = []
    }

    /// Forgets a block that is no more.
    func remove(_ block: Int) {
        bitmaps[block] = nil
        dirty.remove(block)
        departures &+= 1
    }

    private func makeRoom() {
        departures &+= 1
        var leaving: [Int] = []
        for block in bitmaps.keys where leaving.count < Self.mostClean / 8 {
            if !dirty.contains(block) && !writing.contains(block) { leaving.append(block) }
        }
        for block in leaving { bitmaps[block] = nil }
    }
}

/// A sector bitmap: the most significant bit of the first byte is the first sector.
extension [UInt8] {
    func isBitSet(_ bit: Int) -> Bool { self[bit / 8] & 0x80 >> UInt8(bit % 8) != 0 }

    mutating func setBits(_ bits: Range<Int>) {
        var bit = bits.lowerBound
        while bit < bits.upperBound {
            if bit % 8 == 0 && bits.upperBound - bit >= 8 {
                self[bit / 8] = 0xFF
                bit += 8
            } else {
                self[bit / 8] |= 0x80 >> UInt8(bit % 8)
                bit += 1
            }
        }
    }

    /// Where the run of equal bits that begins at `bit` ends, at most `limit`.
    func endOfRun(at bit: Int, limit: Int) -> Int {
        let isSet = isBitSet(bit)
        let whole: UInt8 = isSet ? 0xFF : 0
        var end = bit + 1
        while end < limit {
            if end % 8 == 0 && self[end / 8] == whole {
                end += 8
            } else if isBitSet(end) == isSet {
                end += 1
            } else {
                return end
            }
        }
        return Swift.min(end, limit)
    }

    func areBitsSet(_ bits: Range<Int>) -> Bool {
        if bits.isEmpty { return true }
        return isBitSet(bits.lowerBound) && endOfRun(at: bits.lowerBound, limit: bits.upperBound) == bits.upperBound
    }

    /// The runs of equal bits in a range.
    func runs(_ bits: Range<Int>) -> [(bits: Range<Int>, isSet: Bool)] {
        var runs: [(bits: Range<Int>, isSet: Bool)] = []
        var bit = bits.lowerBound
        while bit < bits.upperBound {
            let next = endOfRun(at: bit, limit: bits.upperBound)
            runs.append((bit..<next, isBitSet(bit)))
            bit = next
        }
        return runs
    }
}
