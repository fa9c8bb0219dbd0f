import BlockIO

/// The ranges of a stream behind its reader that no table has named so far, in ascending order.
struct UnclaimedRanges {
    /// Some may be empty: taking a whole one out leaves its place.
    private var ranges: [Range<UInt64>] = []
    /// Ranges moved to make room. A stream that is made to split the first of millions again and again ends here.
    private var moved = 0
    private static let mostMoved = 1 << 34

    var bytes: Int { ranges.count * MemoryLayout<Range<UInt64>>.stride }

    /// Adds a range behind all others.
    mutating func append(_ range: Range<UInt64>) {
        if range.isEmpty { return }
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }

    /// Takes a range, which is not empty, out; false, and nothing done, unless all of it is there.
    mutating func remove(_ range: Range<UInt64>) throws(BlockError) -> Bool {
        let index = partition(range.lowerBound)
        guard index < ranges.count, ranges[index].lowerBound <= range.lowerBound,
            ranges[index].upperBound >= range.upperBound
        else { return false }
        let whole = ranges[index]
        if whole.lowerBound == range.lowerBound {
            ranges[index] = range.upperBound..<whole.upperBound
        } else {
            ranges[index] = whole.lowerBound..<range.lowerBound
            if range.upperBound < whole.upperBound {
                moved += ranges.count - index
                guard moved < Self.mostMoved else {
                    throw BlockError(
                        .limitExceeded, "the parts of the image are too disordered for a stream: use a file")
                }
                ranges.insert(range.upperBound..<whole.upperBound, at: index + 1)
            }
        }
        return true
    }

    /// Takes out everything below `offset`.
    mutating func removeAll(below offset: UInt64) -> [Range<UInt64>] {
        let index = partition(offset)
        var removed = Array(ranges[..<index])
        ranges.removeSubrange(..<index)
        if let first = ranges.first, first.lowerBound < offset {
            removed.append(first.lowerBound..<offset)
            ranges[0] = offset..<first.upperBound
        }
        return removed.filter { !$0.isEmpty }
    }

    /// The parts of `range` that are unclaimed.
    func parts(of range: Range<UInt64>) -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        var index = partition(range.lowerBound)
        while index < ranges.count, ranges[index].lowerBound < range.upperBound {
            let part = ranges[index].clamped(to: range)
            if !part.isEmpty { found.append(part) }
            index += 1
        }
        return found
    }

    /// The first range that ends behind `offset`.
    private func partition(_ offset: UInt64) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
