/// What is written to a disk and must be read again: made from a seed, with holes, so that it need not be kept.
struct ContentPattern: Hashable, Sendable {
    /// Bytes of a piece that is data or a hole as a whole.
    static let block = 65536

    let seed: UInt64
    /// Bytes. What a disk has behind them reads as zeroes.
    let size: UInt64

    /// Blocks in `size`, the last of which may be cut off.
    var blocks: Int { Int((size + UInt64(Self.block) - 1) / UInt64(Self.block)) }

    /// About a third of the blocks, and always the first and the last.
    func holdsData(_ index: Int) -> Bool {
        guard index >= 0, index < blocks else { return false }
        return index == 0 || index == blocks - 1 || Self.mixed(seed ^ UInt64(index)) % 3 == 0
    }

    /// The bytes of a block, `ContentPattern.block` of them; zeroes behind `size`.
    func bytes(ofBlock index: Int) -> [UInt8] {
        guard holdsData(index) else { return Self.zeroes }
        var value = Self.mixed(seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        let count = Int(min(UInt64(Self.block), size - UInt64(index) * UInt64(Self.block)))
        var bytes = Self.zeroes
        for offset in stride(from: 0, to: count, by: MemoryLayout<UInt64>.size) {
            value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let word = value ^ (value >> 29)
            for step in 0..<min(MemoryLayout<UInt64>.size, count - offset) {
                bytes[offset + step] = UInt8(truncatingIfNeeded: word >> UInt64(8 * step))
            }
        }
        return bytes
    }

    private static let zeroes = [UInt8](repeating: 0, count: block)

    /// SplitMix64's output function.
    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Compares what is read from a disk, in pieces of any length, with a pattern.
struct ContentComparison {
    private let pattern: ContentPattern
    /// Bytes compared.
    private(set) var position: UInt64 = 0
    private var current: (index: Int, bytes: [UInt8]) = (-1, [])

    init(_ pattern: ContentPattern) { self.pattern = pattern }

    /// Takes the next bytes. Throws `Mismatch` at the first one that is wrong.
    mutating func take(_ piece: [UInt8]) throws {
        var rest = piece[...]
        while !rest.isEmpty {
            let index = Int(position / UInt64(ContentPattern.block))
            let start = Int(position % UInt64(ContentPattern.block))
            if current.index != index { current = (index, pattern.bytes(ofBlock: index)) }
            let count = min(rest.count, ContentPattern.block - start)
            let (found, expected) = (rest.prefix(count), current.bytes[start..<(start + count)])
            if found != expected {
                let first = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }
                throw Mismatch(
                    "the byte at \(position + UInt64(first?.offset ?? 0)) is not what was written"
                        + " (\(first?.element.0 ?? 0) instead of \(first?.element.1 ?? 0), seed \(pattern.seed))")
            }
            position += UInt64(count)
            rest = rest.dropFirst(count)
        }
    }

    /// All was read. Throws `Mismatch` unless these were `size` bytes, which hold the whole pattern.
    func finish(size: UInt64) throws {
        guard position == size else { throw Mismatch("\(position) bytes were read from a disk of \(size) bytes") }
        guard size >= pattern.size else {
            throw Mismatch("the disk has \(size) bytes, fewer than the \(pattern.size) that were written")
        }
    }
}
