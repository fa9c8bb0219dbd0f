import BlockIO

/// Which allocation units of a disk are stored: a bit each, in chunks that exist only where a bit is set, so that neither
/// a large disk nor many extents make it large. Filled in ascending order.
struct UnitBitmap {
    private static let unitsPerChunk: UInt64 = 32768
    private static let wordsPerChunk = 512
    /// Bytes of bits at the most: 512 Mi units, which 64 KiB clusters of a dense disk of 32 TiB need.
    static let mostBytes = 64 << 20

    /// Numbers of the chunks that exist, ascending, and their words one behind another.
    private var chunks: [UInt64] = []
    private var words: [UInt64] = []
    /// Units inserted.
    private(set) var count: UInt64 = 0

    /// Adds units. None may lie in an earlier chunk than the last one added; those that are in already do not count.
    mutating func insert(_ units: Range<UInt64>) throws(BlockError) {
        var unit = units.lowerBound
        while unit < units.upperBound {
            let chunk = unit / Self.unitsPerChunk
            if chunks.last != chunk {
                precondition(chunks.last.map { $0 < chunk } ?? true, "units are inserted in ascending order")
                guard (words.count + Self.wordsPerChunk) * 8 <= Self.mostBytes else {
                    throw BlockError(
                        .limitExceeded,
                        "too much is stored, and too scattered, to plan a stream of it: use larger clusters")
                }
                chunks.append(chunk)
                words.append(contentsOf: repeatElement(0, count: Self.wordsPerChunk))
            }
            let within = unit % Self.unitsPerChunk
            let bit = within % 64
            let length = min(64 - bit, units.upperBound - unit)
            let ones: UInt64 = length == 64 ? .max : (1 << length) - 1
            let mask = ones << bit
            let index = words.count - Self.wordsPerChunk + Int(within / 64)
            count += UInt64((mask & ~words[index]).nonzeroBitCount)
            words[index] |= mask
            unit += length
        }
    }

    /// Walks the runs of units in ascending order.
    struct Runs {
        private let map: UnitBitmap
        private var word = 0
        private var bit: UInt64 = 0

        fileprivate init(_ map: UnitBitmap) { self.map = map }

        /// The next run: as long as it goes on within one chunk.
        mutating func next() -> Range<UInt64>? {
            while word < map.words.count {
                let rest = bit < 64 ? map.words[word] >> bit : 0
                if rest == 0 {
                    word += 1
                    bit = 0
                    continue
                }
                bit += UInt64(rest.trailingZeroBitCount)
                let first = unit
                extend()
                return first..<unit
            }
            return nil
        }

        /// Goes to the end of the run that begins here, at most to the end of the chunk.
        private mutating func extend() {
            let chunkEnd = (word / wordsPerChunk + 1) * wordsPerChunk
            while true {
                let ones = UInt64((~(map.words[word] >> bit)).trailingZeroBitCount)
                bit += min(ones, 64 - bit)
                if bit < 64 || word + 1 == chunkEnd || map.words[word + 1] & 1 == 0 { return }
                word += 1
                bit = 0
            }
        }

        private var unit: UInt64 {
            map.chunks[word / wordsPerChunk] * unitsPerChunk + UInt64(word % wordsPerChunk) * 64 + bit
        }
    }

    var runs: Runs { Runs(self) }
}
