import DatapathControl

/// Numbers of data paths that only grow, also when a data path is started anew and counts from zero. A value.
struct DiskTotals: Sendable {
    private struct Seen: Sendable {
        var last = DatapathCounters()
        var total = DatapathCounters()
    }

    /// By VDI.
    private var disks: [String: Seen] = [:]
    /// By SR: what all its disks did together since we look, those that are gone included.
    private(set) var repositories: [String: DatapathCounters] = [:]

    subscript(vdi: String) -> DatapathCounters? { disks[vdi]?.total }

    /// Takes what the VDI's data path says now.
    mutating func take(_ now: DatapathCounters, vdi: String, sr: String) {
        var seen = disks[vdi] ?? Seen()
        let increase = now.increase(since: seen.last)
        seen.last = now
        seen.total = seen.total.adding(increase)
        disks[vdi] = seen
        repositories[sr] = (repositories[sr] ?? DatapathCounters()).adding(increase)
    }

    /// Forgets the disks that are not in use any more.
    mutating func keep(_ vdis: Set<String>) { disks = disks.filter { vdis.contains($0.key) } }
}

extension DatapathCounters {
    private static let parts: [any WritableKeyPath<DatapathCounters, UInt64> & Sendable] = [
        \.reads, \.readBytes, \.readNanoseconds, \.writes, \.writtenBytes, \.writeNanoseconds, \.flushes,
        \.flushNanoseconds, \.discards, \.discardedBytes,
    ]

    private static let histograms: [any WritableKeyPath<DatapathCounters, [UInt64]?> & Sendable] = [
        \.readLatency, \.writeLatency, \.flushLatency,
    ]

    /// What was added since `before`. Numbers that are smaller come from another process, which began at zero.
    fileprivate func increase(since before: DatapathCounters) -> DatapathCounters {
        let isNew = Self.parts.contains { self[keyPath: $0] < before[keyPath: $0] }
        var all = DatapathCounters()
        for part in Self.parts { all[keyPath: part] = self[keyPath: part] &- (isNew ? 0 : before[keyPath: part]) }
        for part in Self.histograms {
            guard let now = self[keyPath: part] else { continue }
            let old = isNew ? nil : before[keyPath: part]
            all[keyPath: part] = now.indices.map { index in
                now[index] &- (old.map { index < $0.count ? min($0[index], now[index]) : 0 } ?? 0)
            }
        }
        return all
    }

    fileprivate func adding(_ other: DatapathCounters) -> DatapathCounters {
        var all = self
        for part in Self.parts { all[keyPath: part] &+= other[keyPath: part] }
        for part in Self.histograms {
            guard let added = other[keyPath: part] else { continue }
            let old = all[keyPath: part] ?? []
            all[keyPath: part] = added.indices.map { added[$0] &+ ($0 < old.count ? old[$0] : 0) }
        }
        return all
    }
}
