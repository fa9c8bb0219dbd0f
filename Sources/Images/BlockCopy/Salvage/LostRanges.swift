/// Ranges of a disk that could not be read: ascending, and none touches the next.
public struct LostRanges: Sendable {
    /// Ranges that are kept apart: 1 MiB of them.
    static let most = 65536

    /// In bytes.
    public private(set) var ranges: [Range<UInt64>] = []
    /// There were more of them than are kept apart: neighbours became one, with what could be read between them.
    public private(set) var isCoarse = false

    public init() {}

    /// Bytes in all of the ranges.
    public var bytes: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

    /// Adds a range, which may be known in part.
    mutating func insert(_ range: Range<UInt64>) {
        if range.isEmpty { return }
        let first = index(of: range.lowerBound)
        var end = first
        var whole = range
        while end < ranges.count, ranges[end].lowerBound <= whole.upperBound {
            whole = min(whole.lowerBound, ranges[end].lowerBound)..<max(whole.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: CollectionOfOne(whole))
        if ranges.count > Self.most { joinNearest(to: first) }
    }

    /// The first range that ends at `offset` or behind it.
    private func index(of offset: UInt64) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Makes one of a range and that neighbour of it which is nearer.
    private mutating func joinNearest(to index: Int) {
        isCoarse = true
        let before = index > 0 ? ranges[index].lowerBound - ranges[index - 1].upperBound : .max
        let behind = index + 1 < ranges.count ? ranges[index + 1].lowerBound - ranges[index].upperBound : .max
        let first = before <= behind ? index - 1 : index
        let whole = ranges[first].lowerBound..<ranges[first + 1].upperBound
        ranges.replaceSubrange(first...first + 1, with: CollectionOfOne(whole))
    }
}
