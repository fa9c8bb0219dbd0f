import BlockIO
import CoreTypes

/// A streamOptimized VMDK in one pass: markers say what follows, and grains ascend. The tables in it are for those who
/// can seek; but where they come first, as QEMU has them, they tell how many grains make the stream whole, as its mark
/// at the end does for others.
struct VMDKStreamReader {
    private let stream: ForwardStream
    private let header: VMDKSparseHeader
    private let options: StreamReadOptions
    private let cancellation: CancellationFlag

    init(
        _ source: PrefixedSource, options: StreamReadOptions, progress: ProgressCounter, cancellation: CancellationFlag
    ) throws(BlockError) {
        header = try VMDKSparseHeader(source.head)
        let order = try VMDKStreamOrder(header: header)
        stream = ForwardStream(
            source, largestPeek: max(1 << 20, order.largestGrain + 512), options: options, progress: progress,
            cancellation: cancellation)
        self.options = options
        self.cancellation = cancellation
    }

    /// Bytes of the disk.
    func read(into destination: StreamDestination) throws(BlockError) -> UInt64 {
        guard header.capacity > 0 else {
            throw BlockError(.invalidImage, "the VMDK says no size; it is a carrier of a descriptor and no stream")
        }
        let size = try checkedSize()
        var options = options
        options.isWhole()
        // What grains hold behind the end of the disk is left out.
        let writer = try SparseWriter(destination, size: size, options: options, cancellation: cancellation)
        let inflater = VMDKInflater()
        let grain = AlignedBuffer(count: Int(header.grainBytes))
        var order = try VMDKStreamOrder(header: header)
        var offset = order.firstMarker
        let announced = try announcedGrains(before: offset)
        var grains: UInt64 = 0
        while true {
            if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
            let sector = try unsafe Array(stream.peek(512, at: offset))
            if sector.isEmpty, announced == grains { return size }
            guard sector.count == 512 else { throw stream.truncated("the VMDK: its end mark is missing", at: offset) }
            let (step, advance) = try order.accept(VMDKMarker(sector), at: offset)
            switch step {
            case .grain(let target, let length, let size):
                grains += 1
                // The first bytes come with the marker; the padding behind the last is nobody's.
                let prefix = VMDKMarker.grainPrefix
                let data = try unsafe stream.peek(prefix + size, at: offset)
                guard data.count == prefix + size else { throw stream.truncated("a grain", at: offset) }
                // SAFETY: used before the next call of the stream; `grain` is this function's own.
                try unsafe inflater.inflate(
                    UnsafeRawBufferPointer(rebasing: data[prefix...]), into: grain.bytes, length: length, at: offset)
                try unsafe writer.write(UnsafeRawBufferPointer(rebasing: grain.bytes[..<length]), at: target)
            case .metadata: break
            case .footer:
                let footer = try VMDKSparseHeader(stream.array(512, at: offset + 512, "the footer"))
                guard footer.capacity == header.capacity, footer.grainSectors == header.grainSectors else {
                    throw BlockError(.corrupt, "the footer of the VMDK contradicts its header", offset: offset)
                }
            case .end:
                if let announced, announced != grains {
                    throw BlockError(
                        .invalidImage, "the VMDK stream ends after \(grains) of its \(announced) grains", offset: offset
                    )
                }
                try checkEnd(from: offset + advance)
                return size
            }
            try stream.pass(offset..<offset + advance)
            offset += advance
        }
    }

    /// Grains that tables before the first marker mention; nil without such tables.
    private func announcedGrains(before end: UInt64) throws(BlockError) -> UInt64? {
        let directoryEnd = header.directorySector.addingReportingOverflow(header.tableCount / 128 + 1)
        guard header.directorySector > 0, !directoryEnd.overflow, directoryEnd.partialValue <= end / 512,
            header.directorySector * 512 >= stream.position, header.tableCount * 4 <= options.largestMetadata
        else { return nil }
        var tables: [UInt32] = []
        while UInt64(tables.count) < header.tableCount {
            let some = Int(min(header.tableCount - UInt64(tables.count), 65536))
            let fields = LittleEndianBytes(
                try stream.array(
                    some * 4, at: header.directorySector * 512 + UInt64(tables.count) * 4, "the grain directory"))
            for index in 0..<some { tables.append(fields.u32(index * 4)) }
        }
        tables = tables.filter { $0 != 0 }.sorted()
        let size = VMDKSparseHeader.tableBytes
        guard let first = tables.first, let last = tables.last else { return 0 }
        guard UInt64(first) * 512 >= stream.position, UInt64(last) * 512 + size <= end else { return nil }
        var count: UInt64 = 0
        for table in tables {
            let fields = LittleEndianBytes(try stream.array(Int(size), at: UInt64(table) * 512, "a grain table"))
            for index in 0..<Int(VMDKSparseHeader.tableEntries) {
                let entry = fields.u32(index * 4)
                if entry > 1 || (entry == 1 && !header.flags.contains(.zeroedGrains)) { count += 1 }
            }
        }
        return count
    }

    /// Bytes of the disk: as many as the embedded descriptor says, as in a file; without one, as many as there is room for.
    /// A stream that is the difference to a parent lacks what the parent holds.
    private func checkedSize() throws(BlockError) -> UInt64 {
        let range = header.descriptor
        if range.isEmpty || range.lowerBound < 512 { return header.capacity }
        let count = min(Int(range.upperBound - range.lowerBound), stream.largestPeek)
        let bytes = try unsafe Array(stream.peek(count, at: range.lowerBound))
        // Room that was left for one.
        if bytes.first ?? 0 == 0 { return header.capacity }
        let descriptor = try VMDKDescriptor(bytes)
        guard descriptor.parentContentID == nil else {
            throw BlockError(
                .denied, "the stream is a VMDK on a parent, which is not followed; name the parent explicitly")
        }
        try VMDKImage.check(descriptor, in: header)
        return descriptor.size
    }

    /// Zeroes may follow, as some writers round up.
    private func checkEnd(from end: UInt64) throws(BlockError) {
        var offset = end
        while true {
            let rest = try unsafe stream.peek(stream.largestPeek, at: offset)
            if unsafe rest.isEmpty { return }
            guard unsafe isZero(rest) else {
                throw BlockError(.invalidImage, "something follows the end of the VMDK stream", offset: offset)
            }
            let count = UInt64(rest.count)
            try stream.pass(offset..<offset + count)
            offset += count
        }
    }
}
