/// Clusters in which a repair may put what it writes anew: nothing refers to them, and no count says that they are in use. So
/// the image is what it was until its header names what was put there.
struct QCOW2FreeRuns {
    /// Gaps that are remembered on a device: 1 MiB of them.
    private static let mostGaps = 65536

    /// In the order in which they are taken.
    private var runs: [ClusterRun]
    /// The first run that may not be used up.
    private var first = 0

    /// `gaps`: ascending.
    init(tail: ClusterRun, gaps: [ClusterRun] = []) { runs = [tail] + gaps }

    /// Takes one cluster; nil when none is left.
    mutating func takeOne() -> UInt64? {
        while first < runs.count {
            if runs[first].count > 0 { return take(1, of: first) }
            first += 1
        }
        return nil
    }

    /// Takes clusters that follow each other: the first; nil where there are not so many.
    mutating func take(_ count: UInt64) -> UInt64? {
        runs[first...].firstIndex { $0.count >= count }.map { take(count, of: $0) }
    }

    private mutating func take(_ count: UInt64, of index: Int) -> UInt64 {
        let start = runs[index].start
        runs[index] = ClusterRun(start: start + count, count: runs[index].count - count)
        return start
    }

    /// Adds a cluster behind those that are known.
    static func note(_ cluster: UInt64, in gaps: inout [ClusterRun]) {
        if let last = gaps.last, last.end == cluster {
            gaps[gaps.count - 1].count += 1
        } else if gaps.count < mostGaps {
            gaps.append(ClusterRun(start: cluster, count: 1))
        }
    }
}
