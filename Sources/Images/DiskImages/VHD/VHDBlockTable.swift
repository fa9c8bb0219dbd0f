import BlockIO
import CoreTypes

/// The block table of an open dynamic VHD in memory, one sector number per block, with what must still be written.
///
/// Not locked by itself: `DynamicVHD` reads it with its lock shared and changes it with the lock exclusive.
@safe
final class VHDBlockTable {
    static let unallocated = UInt32.max

    private(set) var count: Int
    private var storage: AlignedBuffer
    // SAFETY: inside `storage`, bound once to `count` words; every index is checked.
    private var entries: UnsafeMutableBufferPointer<UInt32>
    /// Blocks all of whose sectors are known to be present, by bitmap or batmap.
    private var full: [UInt64]
    /// Sectors of the table that differ from the file.
    private(set) var dirtySectors = Set<Int>()
    /// Blocks in impossible places, of an image that was opened to save what is left; never changed afterwards.
    private var damaged = Set<Int>()

    init(count: Int) {
        self.count = count
        storage = AlignedBuffer(count: max(count, 1) * 4)
        unsafe entries = UnsafeMutableBufferPointer(
            start: storage.bytes.bindMemory(to: UInt32.self).baseAddress, count: count)
        unsafe entries.update(repeating: Self.unallocated)
        full = [UInt64](repeating: 0, count: count / 64 + 1)
    }

    subscript(block: Int) -> UInt32 {
        precondition(block >= 0 && block < count)
        return unsafe entries[block]
    }

    /// File offset of a block's bitmap, nil when it is not there.
    func start(of block: Int) -> UInt64? {
        self[block] == Self.unallocated ? nil : UInt64(self[block]) * 512
    }

    /// Where the last block ends, when blocks have `stride` bytes, at least `floor`.
    func lastEnd(stride: UInt64, atLeast floor: UInt64) -> UInt64 {
        (0..<count).reduce(floor) { reached, block in
            start(of: block).map { max(reached, $0 + stride) } ?? reached
        }
    }

    /// The blocks from `block` on, which is not there, that are not there either; not all of them when they are many.
    func unallocatedRun(from block: Int) -> Range<Int> {
        var next = block + 1
        let limit = min(count, block + 65536)
        while next < limit, self[next] == Self.unallocated { next += 1 }
        return block..<next
    }

    func isFull(_ block: Int) -> Bool { full[block / 64] & 1 << (block % 64) != 0 }
    func setFull(_ block: Int) { full[block / 64] |= 1 << (block % 64) }

    /// A new block at file sector `sector`.
    func assign(_ block: Int, _ sector: UInt32) {
        precondition(block >= 0 && block < count)
        unsafe entries[block] = sector
        dirtySectors.insert(block / 128)
    }

    /// A block is not there, in memory.
    func forget(_ block: Int) {
        precondition(block >= 0 && block < count)
        unsafe entries[block] = Self.unallocated
    }

    /// Another number of blocks. New ones are not there; the sectors of the table that differ from that, or that named
    /// blocks which are no more, are to be written. `stored`: what the file holds for the new ones.
    func resize(to count: Int, stored: [UInt32] = []) {
        for block in min(count, self.count)..<self.count where self[block] != Self.unallocated {
            dirtySectors.insert(block / 128)
        }
        let old = unsafe (storage, entries, min(count, self.count))
        storage = AlignedBuffer(count: max(count, 1) * 4)
        unsafe entries = UnsafeMutableBufferPointer(
            start: storage.bytes.bindMemory(to: UInt32.self).baseAddress, count: count)
        unsafe entries.update(repeating: Self.unallocated)
        for block in unsafe 0..<old.2 { unsafe entries[block] = old.1[block] }
        for (index, entry) in stored.enumerated() where entry != Self.unallocated {
            dirtySectors.insert((self.count + index) / 128)
        }
        for block in min(count, self.count)..<max(count, self.count) where block / 64 < full.count {
            full[block / 64] &= ~(1 << (block % 64))
        }
        full += [UInt64](repeating: 0, count: max(0, count / 64 + 1 - full.count))
        self.count = count
    }

    /// The table's bytes from entry `first` on, for `entries` entries.
    func encoded(_ entries: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.count * 4)
        for index in entries { bytes.appendBigEndian(index < count ? self[index] : Self.unallocated) }
        return bytes
    }

    /// Reads the table from the file.
    func load(file: any ImageStorage, at offset: UInt64) throws(BlockError) {
        // SAFETY: the bytes of `storage`, which nobody else knows yet.
        try unsafe file.readExactly(into: UnsafeMutableRawBufferPointer(entries), at: offset)
        for index in 0..<count { unsafe entries[index] = UInt32(bigEndian: entries[index]) }
    }

    /// Takes the sectors to write, encoded, ascending; `restore` puts them back when writing failed.
    func takeDirty() -> [(sector: Int, bytes: [UInt8])] {
        let taken = dirtySectors.sorted().map { sector in
            (sector, encoded(sector * 128..<(sector + 1) * 128))
        }
        dirtySectors = []
        return taken
    }

    func restore(_ sectors: [Int]) { dirtySectors.formUnion(sectors) }

    /// A bit per block, most significant first, set for full allocated blocks.
    func fullMap() -> [UInt8] {
        var map = [UInt8](repeating: 0, count: (count + 7) / 8)
        for block in 0..<count where isFull(block) && self[block] != Self.unallocated {
            map[block / 8] |= 0x80 >> UInt8(block % 8)
        }
        return map
    }

    /// Checks every entry against the file and the metadata, and each other, and returns where the last block ends (or
    /// 0). `.corrupt` names the first entry that is wrong; with `salvages` such blocks are known to be damaged.
    func checkedEnd(
        header: VHDHeader, reserved: [Range<UInt64>], layout: VHDLayout, salvages: Bool = false
    ) throws(BlockError) -> UInt64 {
        let stride = header.bitmapSize + header.blockSize
        let limit = layout.contentEnd
        var starts: [UInt32] = []
        for block in 0..<count where self[block] != Self.unallocated {
            let start = UInt64(self[block]) * 512
            // A last block may be cut short behind what the disk uses of it, or at the end of a file without footer.
            let used = min(header.blockSize, layout.virtualSize - UInt64(block) * header.blockSize)
            let needed = layout.hasTail ? header.bitmapSize + used : header.bitmapSize
            var problem: String?
            if start > limit || limit - start < needed {
                problem = "VHD block \(block) lies outside the file"
            } else if reserved.contains(where: { start < $0.upperBound && $0.lowerBound < start + stride }) {
                problem = "VHD block \(block) lies over the metadata"
            }
            if let problem {
                guard salvages else { throw BlockError(.corrupt, problem, offset: start) }
                damaged.insert(block)
            } else {
                starts.append(self[block])
            }
        }
        starts.sort()
        var shared = Set<UInt32>()
        for (a, b) in zip(starts, starts.dropFirst()) where UInt64(b - a) * 512 < stride {
            guard salvages else {
                throw BlockError(.corrupt, "two VHD blocks lie over each other", offset: UInt64(b) * 512)
            }
            // Nobody knows whose bytes these are.
            shared.formUnion([a, b])
        }
        if !shared.isEmpty {
            for block in 0..<count where shared.contains(self[block]) { damaged.insert(block) }
        }
        return starts.last.map { UInt64($0) * 512 + stride } ?? 0
    }

    /// A block is not to be read: `damage` says why.
    @inline(__always)
    func isDamaged(_ block: Int) -> Bool { !damaged.isEmpty && damaged.contains(block) }

    func damage(of block: Int, path: String) -> BlockError {
        BlockError(
            .corrupt, "VHD block \(block) lies outside the file, over the metadata or over another block", path: path,
            offset: UInt64(self[block]) * 512)
    }
}
