import BlockIO
import CoreTypes

/// A dynamic or differencing VHD in the order in which stream readers need it: copy of the footer, header, block table, Xen's map of full
/// blocks, the blocks as they ascend on the disk, footer.
///
/// As in the files that this library makes, the data of a block lie on page boundaries: readers find blocks by the table
/// and pass over the 3584 bytes between them, and a file that is filled from the stream can share pages with others.
struct VHDStreamLayout: StreamLayout {
    let length: UInt64
    private let header: VHDHeader
    private let footer: VHDFooter
    private let blocks: UnitBitmap
    private let mapSize: UInt64
    /// Paths of the parent, behind the map.
    private let names: [UInt8]
    /// File offset of the first block's data, and bytes from one block's data to the next one's.
    private let firstData: UInt64
    private let stride: UInt64

    /// With a `base` a differencing VHD, whose blocks are all whole: of each of their sectors it says that it is there.
    init(size: UInt64, base: StreamWriteOptions.Base? = nil, scan: StoredUnits) throws(BlockError) {
        guard size <= FormatCapabilities.largestVHD else {
            throw FormatCapabilities.tooLarge(size, .vhd, limit: FormatCapabilities.largestVHD)
        }
        let blockSize = VHDHeader.defaultBlockSize
        let plain = VHDHeader(
            tableOffset: 1536, entryCount: size.dividedRoundingUp(by: blockSize), blockSize: blockSize)
        mapSize = max(plain.entryCount.dividedRoundingUp(by: 8 * 512), 1) * 512
        var metadataEnd = plain.batmapOffset + 512 + mapSize
        if let parent = base?.record {
            let placed = parent.placed(at: metadataEnd)
            header = VHDHeader(plain, parent: parent, locators: placed.locators)
            names = placed.bytes
            metadataEnd = placed.end
        } else if let base {
            let parent = try VHDParent(name: base.name, identifier: nil, timestamp: 0)
            header = VHDHeader(plain, parent: parent, locators: [])
            names = []
        } else {
            header = plain
            names = []
        }
        footer = VHDFooter(new: base == nil ? .dynamic : .differencing, size: size)
        blocks = try scan.bitmap(unit: blockSize)
        // At most 2040 GiB and 4 KiB for each of a million blocks: below 2 TiB, and nowhere near an overflow.
        firstData = (metadataEnd + header.bitmapSize + 4095) / 4096 * 4096
        stride = blockSize + 4096
        let end = blocks.count == 0 ? metadataEnd : firstData + (blocks.count - 1) * stride + blockSize
        length = end + UInt64(VHDFooter.size)
    }

    func write(_ device: any BlockDevice, to output: StreamOutput) throws(BlockError) {
        try output.append(footer.bytes)
        try output.append(header.encoded())
        try writeTable(to: output)
        try writeMap(to: output)
        try output.append(names)
        var data = firstData
        var runs = blocks.runs
        while let run = runs.next() {
            for block in run {
                try output.pad(0, to: data - header.bitmapSize)
                try output.append(0xFF, count: header.bitmapSize)
                try output.append(device, at: block * header.blockSize, length: header.blockSize)
                data += stride
            }
        }
        try output.append(footer.bytes)
    }

    private func writeTable(to output: StreamOutput) throws(BlockError) {
        var block: UInt64 = 0
        var start = (firstData - header.bitmapSize) / 512
        var runs = blocks.runs
        while let run = runs.next() {
            try output.append(0xFF, count: (run.lowerBound - block) * 4)
            for _ in run {
                try output.append(bigEndian: UInt32(truncatingIfNeeded: start))
                start += stride / 512
            }
            block = run.upperBound
        }
        try output.pad(0xFF, to: header.batmapOffset)
    }

    /// Every block that is there is full. Readers take the map for granted because of the creator's version.
    private func writeMap(to output: StreamOutput) throws(BlockError) {
        var map = [UInt8](repeating: 0, count: Int(mapSize))
        var runs = blocks.runs
        while let run = runs.next() {
            for block in run { map[Int(block / 8)] |= 0x80 >> UInt8(block % 8) }
        }
        // The sum covers what the disk's size needs at 2 MiB a block.
        let checked = min(max((footer.currentSize >> 24).dividedRoundingUp(by: 512), 1) * 512, mapSize)
        var head = Array("tdbatmap".utf8)
        head.appendBigEndian(header.batmapOffset + 512)
        head.appendBigEndian(UInt32(truncatingIfNeeded: mapSize / 512))
        head.appendBigEndian(UInt32(0x0001_0002))
        head.appendBigEndian(~map[..<Int(checked)].reduce(0 as UInt32) { $0 &+ UInt32($1) })
        head += [UInt8](repeating: 0, count: 512 - head.count)
        try output.append(head)
        try output.append(map)
    }
}
