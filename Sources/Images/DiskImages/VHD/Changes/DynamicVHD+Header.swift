import BlockIO
import CoreTypes

/// Exchange of the header, which has two sectors under one checksum and names the locators' place, while the storage
/// writes single sectors as a whole.
///
/// The footers say where the header is, each in one sector. So the new header and its locators are made first behind
/// the blocks, the footers are turned to them, the header at the usual place and the locators beside the block table
/// are written while nothing looks at them, and the footers are turned back:
///
/// 1. locators and header behind everything; barrier;
/// 2. footer at the beginning → new header; barrier; footer at the end → new header; barrier;
/// 3. locators and header at their usual places; barrier;
/// 4. footer at the beginning → usual place; barrier; footer at the end of the blocks; barrier;
/// 5. the file ends behind that footer.
///
/// After a crash each copy of the footer names a header that is whole, with locators that are: the old one before 2,
/// the new one from then on. A crash after 2 leaves a header at an unusual place, which is legal.
extension DynamicVHD {
    /// Makes another image the parent; nil makes the image dynamic, and what the parent held reads as zeroes then.
    /// Of the open image only the structures change: it must be closed afterwards.
    func replaceParent(_ parent: VHDParent?) throws(BlockError) {
        try checkWritable()
        guard isDifferencing else {
            throw BlockError(.unsupported, "only a differencing VHD has a parent that could be exchanged")
        }
        try commits.locked { () throws(BlockError) in
            try alone { () throws(BlockError) in
                try lock.exclusive { () throws(BlockError) in try prepare() }
                try commit()
                if parent == nil { try clearAbsentSectors() }
                try exchangeHeader(parent)
            }
        }
    }

    /// Zeroes what lies under clear bits: other programs read it once there is no parent.
    private func clearAbsentSectors() throws(BlockError) {
        let sectors = 0..<Int(blockSize / 512)
        for block in 0..<table.count where !table.isFull(block) {
            guard let start = table.start(of: block), let present = try presentSectors(of: block, start: start) else {
                continue
            }
            for run in present.runs(sectors) where !run.isSet {
                try file.zero(
                    at: start + bitmapSize + UInt64(run.bits.lowerBound) * 512, length: UInt64(run.bits.count) * 512,
                    mayUnmap: true)
            }
        }
        try file.sync()
    }

    private func exchangeHeader(_ parent: VHDParent?) throws(BlockError) {
        let kind: VHDFooter.Kind = parent == nil ? .dynamic : .differencing
        let (home, front) = places()
        let payloadSize = parent.map { $0.placed(at: 0).end } ?? 0
        // In front of the blocks, where every reader looks for metadata.
        try moveBlocks(outOf: front..<front + payloadSize)
        if home != footer.headerOffset { try moveBlocks(outOf: home..<home + UInt64(VHDHeader.size)) }

        let away = end + UInt64(VHDFooter.size)
        let tail = away + payloadSize + UInt64(VHDHeader.size)
        guard !file.isBlockDevice || tail <= footerPlace else {
            throw BlockError(
                .noSpace, "the device needs \(tail + 512) bytes for the exchange of the parent; enlarge it")
        }
        try place(parent, headerAt: away + payloadSize, payloadAt: away)
        try file.sync()
        let turned = footer.with(kind: kind).with(headerOffset: away + payloadSize)
        try replaceFooter(turned, tailAt: file.isBlockDevice ? footerPlace : tail)

        let new = try place(parent, headerAt: home, payloadAt: front)
        try file.sync()
        lock.exclusive {
            header = new
            // An old header or old locators far behind are no more. Never larger than before.
            end = table.lastEnd(stride: bitmapSize + blockSize, atLeast: front + payloadSize)
        }
        try replaceFooter(turned.with(headerOffset: home))
        if !file.isBlockDevice {
            try dropStaleEntries(reachingPast: end)
            try file.truncate(to: end + UInt64(VHDFooter.size))
            try file.sync()
        }
    }

    /// Where the header belongs (behind the first footer unless something else is there), and where locators do: behind
    /// the block table and its batmap.
    func places() -> (header: UInt64, locators: UInt64) {
        let usual = UInt64(VHDFooter.size)..<UInt64(VHDFooter.size + VHDHeader.size)
        var taken = [header.tableOffset..<header.batmapOffset]
        if let batmap { taken.append(batmap.headOffset..<batmap.mapOffset + batmap.mapSize) }
        let home = taken.contains { $0.overlaps(usual) } ? footer.headerOffset : usual.lowerBound
        // An old header far behind counts only while it stays there.
        let behind = taken.map(\.upperBound) + [home + UInt64(VHDHeader.size)]
        return (home, behind.max() ?? 0)
    }

    @discardableResult
    private func place(
        _ parent: VHDParent?, headerAt headerOffset: UInt64, payloadAt offset: UInt64
    ) throws(BlockError) -> VHDHeader {
        let placed = parent?.placed(at: offset)
        if let placed { try file.store(placed.bytes, at: offset) }
        let new = VHDHeader(header, parent: parent, locators: placed?.locators ?? [])
        try file.store(new.bytes, at: headerOffset)
        return new
    }
}

extension VHDImage {
    /// Makes another image the parent of the differencing VHD in `file`, or (nil) none: then it becomes dynamic, and
    /// what the parent held reads as zeroes. The content of the new parent is the caller's business. Survives a crash
    /// at any write: the image names the old parent or the new one. The file stays open.
    static func replaceParent(
        file: any ImageStorage, with parent: VHDParent?, opensDisabled: Bool = false
    ) throws(BlockError) {
        let layout = try VHDLayout(file: file, opensDisabled: opensDisabled)
        guard let header = layout.header, layout.footer.kind == .differencing, !layout.mustNotWrite else {
            throw BlockError(.unsupported, "only a differencing VHD has a parent that could be exchanged")
        }
        try DynamicVHD(file: file, layout: layout, header: header).replaceParent(parent)
    }
}
