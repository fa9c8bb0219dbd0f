import BlockIO
import CoreTypes

/// A dynamic or differencing VHD as a stream: everything is found by its pointers, so blocks may come in any order as
/// long as the tables come first. The footer at the end must be there and equal to its copy at the beginning: it is the
/// proof that the stream is whole.
struct VHDStreamReader {
    private enum Region {
        static let header: UInt8 = 1
        static let table: UInt8 = 2
        static let block: UInt8 = 3
    }

    private let stream: ForwardStream
    private let footer: VHDFooter
    private let options: StreamReadOptions
    private let cancellation: CancellationFlag
    /// More blocks than any real image has.
    private static let mostBlocks: UInt64 = 16 << 20
    private static let unallocated = UInt32.max

    /// - Parameter footer: the copy that `source` begins with, which is of a dynamic or differencing VHD.
    init(
        _ source: any ByteSource, footer: VHDFooter, options: StreamReadOptions, progress: ProgressCounter,
        cancellation: CancellationFlag
    ) {
        stream = ForwardStream(
            source, largestPeek: 1 << 20, options: options, progress: progress, cancellation: cancellation)
        self.footer = footer
        self.options = options
        self.cancellation = cancellation
    }

    /// Bytes of the disk.
    func read(into destination: StreamDestination) throws(BlockError) -> UInt64 {
        let copy = try stream.array(VHDFooter.size, at: 0, "the footer's copy")
        let header = try readHeader()
        var options = options
        if footer.kind == .differencing { try checkParent(header) } else { options.isWhole() }
        let size = footer.virtualSize
        let blocks = size.dividedRoundingUp(by: header.blockSize)
        guard size <= FormatCapabilities.largestVHD else {
            throw FormatCapabilities.tooLarge(size, .vhd, limit: FormatCapabilities.largestVHD)
        }
        guard blocks <= header.entryCount else {
            throw BlockError(
                .corrupt, "the VHD can hold only \(header.entryCount) of the \(blocks) blocks of its disk")
        }
        guard blocks <= Self.mostBlocks else {
            throw BlockError(.limitExceeded, "\(blocks) VHD blocks are more than \(Self.mostBlocks)")
        }
        let writer = try SparseWriter(destination, size: size, options: options, cancellation: cancellation)
        stream.smallestUse = Int(header.bitmapSize + header.blockSize)
        try stream.expect(
            StreamRegion(start: header.tableOffset, kind: Region.table, unit: blocks, count: 1))
        while let region = stream.nextRegion() {
            switch region.kind {
            case Region.table: try readTable(at: region.start, blocks: Int(region.unit), header)
            default: try readBlock(region, header, writer)
            }
        }
        try checkEnd(copy)
        return size
    }

    private struct Header {
        var tableOffset: UInt64
        var entryCount: UInt64
        var blockSize: UInt64
        var parent: [UInt8]

        var bitmapSize: UInt64 { max((blockSize / 4096 + 511) / 512, 1) * 512 }
    }

    private func readHeader() throws(BlockError) -> Header {
        let offset = footer.headerOffset
        guard offset >= 512, offset % 512 == 0, offset < 1 << 41 else {
            throw BlockError(.corrupt, "the VHD header is not inside the stream", offset: offset)
        }
        let bytes = try stream.array(VHDHeader.size, at: offset, "the VHD header")
        let fields = BigEndianBytes(bytes)
        guard bytes.starts(with: Array("cxsparse".utf8)) else {
            throw BlockError(.corrupt, "there is no VHD header where the footer says", offset: offset)
        }
        guard fields.u32(36) == VHDFooter.checksum(bytes, field: 36) else {
            throw BlockError(.corrupt, "the checksum of the VHD header is wrong", offset: offset)
        }
        guard fields.u32(24) >> 16 == 1 else {
            throw BlockError(.unsupported, "VHD header version \(fields.u32(24) >> 16) is not known")
        }
        let header = Header(
            tableOffset: fields.u64(16), entryCount: UInt64(fields.u32(28)), blockSize: UInt64(fields.u32(32)),
            parent: Array(bytes[40..<56]))
        guard header.blockSize.nonzeroBitCount == 1, (512...VHDHeader.defaultBlockSize).contains(header.blockSize)
        else {
            throw BlockError(
                .unsupported, "VHD block size \(header.blockSize) is not a power of two from 512 bytes to 2 MiB")
        }
        guard header.tableOffset >= 512, header.tableOffset % 512 == 0, header.tableOffset < 1 << 41 else {
            throw BlockError(.corrupt, "the VHD block table is not inside the stream", offset: header.tableOffset)
        }
        return header
    }

    private func checkParent(_ header: Header) throws(BlockError) {
        if options.overlaysDestination { return }
        guard let parent = options.parent else {
            throw BlockError(
                .denied, "the stream is a differencing VHD, which needs its parent; name the parent explicitly")
        }
        if case .imported? = parent.format, let format = parent.format {
            try FormatCapabilities.check(format, of: .vhd)
        }
        if let format = parent.format, (format == .image(.vhd)) != header.parent.contains(where: { $0 != 0 }) {
            let wanted =
                format == .image(.vhd) ? "records one without an identifier, raw or qcow2" : "says that it is a VHD"
            throw BlockError(
                .invalidImage, "a \(format.name) image was given as the parent, and the VHD in the stream \(wanted)")
        }
        guard let identifier = parent.identifier else { return }
        let digits = header.parent.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        guard digits == identifier.lowercased().filter({ $0 != "-" }) else {
            throw BlockError(.invalidImage, "the VHD needs the parent \(digits), and \(identifier) was given")
        }
    }

    private func readTable(at start: UInt64, blocks: Int, _ header: Header) throws(BlockError) {
        var first = 0
        while first < blocks {
            let count = min(blocks - first, stream.largestPeek / 4)
            let bytes = BigEndianBytes(
                try stream.array(count * 4, at: start + UInt64(first) * 4, "the VHD block table"))
            for index in 0..<count {
                let sector = bytes.u32(index * 4)
                if sector == Self.unallocated { continue }
                try stream.expect(
                    StreamRegion(
                        start: UInt64(sector) * 512, kind: Region.block, unit: UInt64(first + index), count: 1))
            }
            first += count
        }
    }

    private func readBlock(_ region: StreamRegion, _ header: Header, _ writer: SparseWriter) throws(BlockError) {
        let name = "VHD block \(region.unit)"
        let offset = region.unit * header.blockSize
        let used = Int(min(header.blockSize, writer.size - offset))
        let bitmap = try stream.array(Int(header.bitmapSize), at: region.start, name)
        let data = region.start + header.bitmapSize
        // Where a bit is clear the sector is the parent's, or zero; only blktap means it in images without a parent.
        let bitmapCounts = footer.kind == .differencing || footer.creator == VHDFooter.tap
        var start = 0
        while start < used {
            let isSet = !bitmapCounts || Self.isSet(bitmap, start / 512)
            var end = start + 512
            while end < used, end - start < stream.largestPeek,
                isSet == (!bitmapCounts || Self.isSet(bitmap, end / 512))
            { end += 512 }
            end = min(end, used)
            let bytes = try unsafe stream.take(end - start, at: data + UInt64(start), name)
            // SAFETY: used before the next call of the stream.
            if isSet { try unsafe writer.write(bytes, at: offset + UInt64(start)) }
            start = end
        }
        // The rest of a block across the end of the disk is nobody's; it may be missing.
    }

    private static func isSet(_ bitmap: [UInt8], _ sector: Int) -> Bool {
        bitmap[sector / 8] & 0x80 >> UInt8(sector % 8) != 0
    }

    private func checkEnd(_ copy: [UInt8]) throws(BlockError) {
        let used = stream.position
        let length = try stream.drain()
        // Virtual PC before 2004 left out the last byte.
        let count = length % 512 == 511 ? 511 : 512
        let start = length - min(length, UInt64(count))
        let tail = start < used ? [] : try stream.lastBytes(count)
        guard tail.count == count, tail[...] == copy[..<count] else {
            let isFooter = VHDFooter.isMarked(tail)
            throw BlockError(
                isFooter ? .corrupt : .invalidImage,
                isFooter
                    ? "the footer at the end of the VHD differs from its copy at the beginning; read it from a file"
                    : "the VHD does not end with its footer: it is cut off, or something follows it", offset: start)
        }
    }
}
