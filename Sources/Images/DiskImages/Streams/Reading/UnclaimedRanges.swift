/// The ranges of a stream behind its reader that no table has named so far, in ascending order.
struct UnclaimedRanges {
    private var ranges: [Range<UInt64>] = []

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

    /// Takes a range out; false, and nothing done, unless all of it is there.
    mutating func remove(_ range: Range<UInt64>) -> Bool {
        let index = partition(range.lowerBound)
        guard index < ranges.count, ranges[index].lowerBound <= range.lowerBound,
            ranges[index].upperBound >= range.upperBound
        else { return false }
        let whole = ranges[index]
        let rest = [whole.lowerBound..<range.lowerBound, range.upperBound..<whole.upperBound].filter { !$0.isEmpty }
        ranges.replaceSubrange(index...index, with: rest)
        return true
    }

    /// Forgets everything below `offset`; true when there was something.
    mutating func forget(below offset: UInt64) -> Bool {
        let index = partition(offset)
        var forgot = index > 0
        ranges.removeSubrange(..<index)
        if let first = ranges.first, first.lowerBound < offset {
            ranges[0] = offset..<first.upperBound
            forgot = true
        }
        return forgot
    }

    /// The parts of `range` that are unclaimed.
    func parts(of range: Range<UInt64>) -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        var index = partition(range.lowerBound)
        while index < ranges.count, ranges[index].lowerBound < range.upperBound {
            found.append(ranges[index].clamped(to: range))
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
