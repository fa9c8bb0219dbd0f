public import BlockIO

extension QCOW2Image: DamagedImage {
    /// A damaged L1 table may name one L2 table any number of times.
    private static let mostCutRuns = 64

    public var ownFile: ImageFile? { data as? ImageFile ?? (data as? QCOW2SnapshotStorage)?.file }

    public func lostRun(at offset: UInt64) -> (range: Range<UInt64>, error: BlockError)? {
        guard (try? checkUsable()) != nil, offset < size else { return nil }
        mapping.lockShared()
        defer { mapping.unlock() }
        let index = geometry.l1Index(offset)
        let start = offset & ~(geometry.l2Span - 1)
        let range = start..<min(start + geometry.l2Span, size)
        if l1[index] != 0 {
            do throws(BlockError) {
                _ = try unsafe pinTable(index)
                tables.unpin(index)
            } catch { return (range, error) }
        }
        guard let parent = parent as? any DamagedImage, offset < parent.size,
            let run = try? lookup(offset, most: range.upperBound - offset), run.kind == .hole,
            let lost = parent.lostRun(at: offset)
        else { return nil }
        return (lost.range.clamped(to: offset..<offset + run.length), lost.error)
    }

    public func cutRuns() throws(BlockError) -> [Range<UInt64>] {
        try checkUsable()
        let length = try storage.size()
        let inside = length & geometry.clusterMask
        if inside == 0 { return [] }
        let entry = geometry.clusterSize / UInt64(geometry.l2Entries)
        let first = inside / entry * geometry.clusterSize
        var runs: [Range<UInt64>] = []
        mapping.lockShared()
        defer { mapping.unlock() }
        for index in 0..<geometry.l1EntriesNeeded(size: size) where runs.count < Self.mostCutRuns {
            guard l1[Int(index)] & QCOW2Entry.offsetMask == length - inside else { continue }
            let start = index * geometry.l2Span
            if start + first < size { runs.append(start + first..<min(start + geometry.l2Span, size)) }
        }
        return runs
    }
}
