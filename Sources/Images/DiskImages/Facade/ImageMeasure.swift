public import BlockIO
public import CoreTypes

/// How many bytes the file of a new image needs.
public struct ImageMeasure: Hashable, Sendable {
    /// With the content that is there now.
    public var required: UInt64
    /// When every byte of the disk is stored.
    public var fullyAllocated: UInt64

    public init(required: UInt64, fullyAllocated: UInt64) {
        self.required = required
        self.fullyAllocated = fullyAllocated
    }
}

extension DiskImage {
    /// How large a new image of `format` becomes that `source` is copied into, or an empty one of `size` bytes without a
    /// source. Counts what the maps and the file system call data, in allocation units of the new image; reads no data.
    ///
    /// Lengths of files: what file systems leave out of them, and zeroes that are stored in the source, make them
    /// smaller. What is reserved for data is counted, as qemu-img does; an external data file, as long as the disk, is not counted.
    /// With a parent in the options, of which nothing is read, as if none of the content were the same there.
    /// `.limitExceeded` when the format cannot hold the size, `.unsupported` for options of which no image is made.
    public static func measure(
        source: (any BlockDevice)? = nil, size: UInt64 = 0, as format: ImageFormat,
        options: CreateOptions = CreateOptions(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> ImageMeasure {
        guard [.falloc, .full].contains(options.preallocation) else {
            return try sizes(source, size, format, options, cancellation)
        }
        var measured = try sizes(nil, source?.size ?? size, format, options, cancellation)
        measured.required = measured.fullyAllocated
        return measured
    }

    private static func sizes(
        _ source: (any BlockDevice)?, _ size: UInt64, _ format: ImageFormat, _ options: CreateOptions,
        _ cancellation: CancellationFlag
    ) throws(BlockError) -> ImageMeasure {
        let clusterBits = try options.clusterBits()
        try check(options, format)
        let limit =
            format == .qcow2
            ? FormatCapabilities.largestQCOW2(
                clusterSize: 1 << UInt64(clusterBits), hasExtendedL2: options.extendedL2)
            : FormatCapabilities.of(format).maximumSize
        let size = source?.size ?? size
        guard let rounded = size.roundedUp(to: 512), rounded <= limit else {
            throw FormatCapabilities.tooLarge(size, format, limit: limit)
        }
        switch format {
        case .raw: return ImageMeasure(required: rounded, fullyAllocated: rounded)
        case .vhd where options.vhdSubformat == .fixed:
            return ImageMeasure(required: rounded + 512, fullyAllocated: rounded + 512)
        case .vhd:
            let unit = VHDHeader.defaultBlockSize
            let stored = try units(of: source, unit: unit, cancellation)
            // Tables have room for what the disk may grow to.
            let largest = max(options.largestSize ?? 0, rounded)
            guard largest <= FormatCapabilities.largestVHD else {
                throw FormatCapabilities.tooLarge(largest, .vhd, limit: FormatCapabilities.largestVHD)
            }
            let empty = VHDHeader(
                tableOffset: 1536, entryCount: largest.dividedRoundingUp(by: unit), blockSize: unit)
            let batmap = max(empty.entryCount.dividedRoundingUp(by: 8).dividedRoundingUp(by: 512), 1) * 512
            let tables = empty.batmapOffset + 512 + batmap
            func total(_ blocks: UInt64) -> UInt64 {
                if blocks == 0 { return tables + 512 }
                // The data of each block begins on a page, with its bitmap before, behind a place for the footer.
                let first = (tables + 512 + empty.bitmapSize).roundedUp(to: 4096) ?? tables
                return first + blocks * unit + (blocks - 1) * 4096 + 512
            }
            return ImageMeasure(required: total(stored), fullyAllocated: total(rounded.dividedRoundingUp(by: unit)))
        case .qcow2:
            let unit = UInt64(1) << UInt64(clusterBits)
            let disk = rounded.dividedRoundingUp(by: unit) * unit
            let tables = try qcow2Tables(disk: disk, unit: unit, options: options)
            if options.dataFile != nil { return ImageMeasure(required: tables, fullyAllocated: tables) }
            let stored = try units(of: source, unit: unit, cancellation)
            return ImageMeasure(required: tables + stored * unit, fullyAllocated: tables + disk)
        }
    }

    /// What no image is made of.
    private static func check(_ options: CreateOptions, _ format: ImageFormat) throws(BlockError) {
        if let parent = options.parent { try FormatCapabilities.check(parent.format, of: format) }
        switch format {
        case .raw: if options.preallocation == .metadata { throw RawImage.hasNoMetadata }
        case .vhd: try options.checkVHD()
        case .qcow2: try options.checkQCOW2()
        }
    }

    /// Bytes of the header, the tables and the refcounts of a qcow2 image all of whose `disk` bytes are stored.
    private static func qcow2Tables(disk: UInt64, unit: UInt64, options: CreateOptions) throws(BlockError) -> UInt64 {
        let perTable = unit / (options.extendedL2 ? 16 : 8)
        let tables = (disk / unit).dividedRoundingUp(by: perTable)
        let l1 = max(tables, 1).dividedRoundingUp(by: unit / 8)
        let counted = disk / unit + 1 + tables + (tables == 0 ? 0 : l1)
        let perBlock = (unit * 8) >> UInt64(try options.refcountOrder())
        var blocks: UInt64 = 0
        var tableClusters: UInt64 = 0
        while true {
            let needed = (counted + tableClusters + blocks).dividedRoundingUp(by: perBlock)
            let neededTable = needed.dividedRoundingUp(by: unit / 8)
            if needed == blocks && neededTable == tableClusters { break }
            (blocks, tableClusters) = (needed, neededTable)
        }
        return (counted - disk / unit + blocks + tableClusters) * unit
    }

    /// The aligned units in which a device has data.
    private static func units(
        of device: (any BlockDevice)?, unit: UInt64, _ cancellation: CancellationFlag
    ) throws(BlockError) -> UInt64 {
        guard let device else { return 0 }
        if let image = device as? QCOW2Image, let counted = try image.unitsWithData(unit, cancellation) {
            return counted
        }
        return try unitsByExtents(of: device, unit: unit, cancellation)
    }

    /// The same from the extents, which every device has.
    static func unitsByExtents(
        of device: any BlockDevice, unit: UInt64, _ cancellation: CancellationFlag
    ) throws(BlockError) -> UInt64 {
        let shift = UInt64(unit.trailingZeroBitCount)
        var walk = HostExtentWalk(device, resolvingHoles: true)
        var count: UInt64 = 0
        // The first unit that is not counted yet.
        var next: UInt64 = 0
        while let extent = try walk.next() {
            if extent.kind != .data { continue }
            if cancellation.isCancelled { throw .measuringStopped }
            let first = max(extent.offset >> shift, next)
            next = max(((extent.end - 1) >> shift) + 1, next)
            count += next - min(first, next)
        }
        return count
    }
}

extension BlockError {
    static let measuringStopped = BlockError(.cancelled, "the measurement was cancelled")
}
