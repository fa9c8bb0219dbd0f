internal import BlockIO
internal import CoreTypes
internal import Synchronization

/// The bits of one persistent bitmap in memory. Setting bits is atomic; everything else needs the image's mapping lock
/// exclusively, while those who set hold it shared.
@safe
final class QCOW2DirtyBits: @unchecked Sendable {
    // @unchecked: single words are atomic, and they stay from init to deinit.
    // SAFETY: `words` has `wordCount` elements; indexes are checked against it.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    let wordCount: Int
    let granularityBits: UInt64
    /// Bits in use.
    let bitCount: UInt64

    /// Bytes that bits for a disk of `size` bytes take.
    static func memory(size: UInt64, granularityBits: UInt8) -> UInt64 {
        size.dividedRoundingUp(by: 1 << UInt64(granularityBits)).dividedRoundingUp(by: 64) * 8
    }

    convenience init(size: UInt64, granularityBits: UInt8) {
        self.init(
            bitCount: size.dividedRoundingUp(by: 1 << UInt64(granularityBits)), granularityBits: UInt64(granularityBits)
        )
    }

    /// Of the same disk, as fine, without any bits.
    convenience init(like other: QCOW2DirtyBits) {
        self.init(bitCount: other.bitCount, granularityBits: other.granularityBits)
    }

    private init(bitCount: UInt64, granularityBits: UInt64) {
        self.granularityBits = granularityBits
        self.bitCount = bitCount
        wordCount = Int(bitCount.dividedRoundingUp(by: 64))
        unsafe words = .allocate(capacity: max(1, wordCount))
        for index in 0..<max(1, wordCount) { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe words.deinitialize(count: max(1, wordCount))
        unsafe words.deallocate()
    }

    subscript(index: Int) -> UInt64 {
        get {
            precondition(index >= 0 && index < wordCount)
            return unsafe words[index].load(ordering: .relaxed)
        }
        set {
            precondition(index >= 0 && index < wordCount)
            unsafe words[index].store(newValue, ordering: .relaxed)
        }
    }

    /// Sets the bits of a range of bytes, not empty and inside the disk.
    func set(_ offset: UInt64, _ length: UInt64) {
        guard bitCount > 0 else { return }
        let last = min((offset + length - 1) >> granularityBits, bitCount - 1)
        var bit = offset >> granularityBits
        while bit <= last {
            let index = Int(bit / 64)
            let from = bit % 64
            let upTo = min(63, from + (last - bit))
            let mask = (UInt64.max << from) & (UInt64.max >> (63 - upTo))
            precondition(index < wordCount)
            if unsafe words[index].load(ordering: .relaxed) & mask != mask {
                unsafe words[index].bitwiseOr(mask, ordering: .relaxed)
            }
            bit += upTo - from + 1
        }
    }

    /// Whether all bits of a range of bytes, not empty and inside the disk, are set.
    func contains(_ offset: UInt64, _ length: UInt64) -> Bool {
        guard bitCount > 0 else { return true }
        let last = min((offset + length - 1) >> granularityBits, bitCount - 1)
        var bit = offset >> granularityBits
        while bit <= last {
            let index = Int(bit / 64)
            let upTo = min(63, bit % 64 + (last - bit))
            let mask = (UInt64.max << (bit % 64)) & (UInt64.max >> (63 - upTo))
            if self[index] & mask != mask { return false }
            bit += upTo - bit % 64 + 1
        }
        return true
    }

    /// The same bits of a disk of the same size. Nobody sets any meanwhile.
    func isEqual(to other: QCOW2DirtyBits) -> Bool {
        guard granularityBits == other.granularityBits, bitCount == other.bitCount else { return false }
        return (0..<wordCount).allSatisfy { self[$0] == other[$0] }
    }

    func fill(_ isSet: Bool) {
        for index in 0..<wordCount { self[index] = isSet ? .max : 0 }
        trim()
    }

    /// Bits past the end of the disk are zero.
    func trim() { if bitCount % 64 != 0 { self[wordCount - 1] &= (1 << (bitCount % 64)) - 1 } }

    /// The ranges of bytes whose bits are set, joined; nil when there are more than `most`.
    func ranges(size: UInt64, most: Int) -> [Range<UInt64>]? {
        var all: [Range<UInt64>] = []
        for index in 0..<wordCount {
            var word = self[index]
            var base = UInt64(index) * 64
            while word != 0 {
                let skip = UInt64(word.trailingZeroBitCount)
                word >>= skip
                let count = UInt64((~word).trailingZeroBitCount)
                let low = (base + skip) << granularityBits
                let high = min(size, (base + skip + count) << granularityBits)
                if let last = all.last, last.upperBound == low {
                    all[all.count - 1] = last.lowerBound..<high
                } else if low < high {
                    if all.count == most { return nil }
                    all.append(low..<high)
                }
                word = count == 64 ? 0 : word >> count
                base += skip + count
            }
        }
        return all
    }

    /// The part of the stored form that is in cluster `number`, whole.
    func bytes(cluster number: Int, of clusterBytes: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(clusterBytes)
        let first = number * (clusterBytes / 8)
        for index in first..<first + clusterBytes / 8 {
            let word = index < wordCount ? self[index] : 0
            for shift in 0..<UInt64(8) { bytes.append(UInt8(truncatingIfNeeded: word >> (shift * 8))) }
        }
        return bytes
    }

    func load(_ bytes: [UInt8], cluster number: Int) {
        let first = number * (bytes.count / 8)
        for index in first..<min(wordCount, first + bytes.count / 8) {
            var word: UInt64 = 0
            for shift in 0..<8 { word |= UInt64(bytes[(index - first) * 8 + shift]) << UInt64(shift * 8) }
            self[index] = word
        }
        trim()
    }
}
