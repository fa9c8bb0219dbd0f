public import BlockIO
public import CoreTypes

/// Everything about a stream but the data: made in one pass over the disk's extent map, it knows the length before the
/// first byte is written, and writing needs neither to seek nor a temporary file. Takes memory for one bit per stored
/// allocation unit; the disk must not change from planning to the end of writing.
public struct StreamPlan: Sendable {
    public let format: ImageFormat
    /// Bytes of the stream, exact: an HTTP Content-Length.
    public let length: UInt64
    private let device: any BlockDevice
    private let layout: any StreamLayout

    /// - Throws: `.limitExceeded` when the format cannot hold the disk; `.unsupported` for options that a stream cannot
    ///   have; what reading the disk throws.
    public init(
        of device: any BlockDevice, as format: ImageFormat, options: StreamWriteOptions = StreamWriteOptions(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        try Self.check(options, format, size: device.size)
        let scan = StoredUnits(device: device, dropsZeroes: options.dropsZeroes, cancellation: cancellation)
        let layout: any StreamLayout =
            switch format {
            case .raw: RawStreamLayout(size: device.size)
            case .vhd where options.image.vhdSubformat == .fixed: try FixedVHDStreamLayout(size: device.size)
            case .vhd: try VHDStreamLayout(size: device.size, base: options.base, scan: scan)
            case .qcow2:
                try QCOW2StreamLayout(size: device.size, options: options.image, base: options.base, scan: scan)
            }
        self.format = format
        self.device = device
        self.layout = layout
        length = layout.length
    }

    /// Writes the stream. `progress` counts its bytes.
    public func write(
        to sink: any ByteSink, progress: ProgressCounter = ProgressCounter(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        progress.expect(length)
        let output = StreamOutput(sink, progress: progress, cancellation: cancellation)
        try layout.write(device, to: output)
        try output.flush()
        guard output.position == length else {
            throw BlockError(.io, "a stream of \(output.position) bytes was announced as \(length)")
        }
    }

    /// Refuses what no disk of `size` bytes can be written as, before anything of it is read. Errors as those of `init`.
    public static func check(
        _ all: StreamWriteOptions, _ format: ImageFormat, size: UInt64
    ) throws(BlockError) {
        let options = all.image
        var problem: String?
        let isWhole = format == .raw || (format == .vhd && options.vhdSubformat == .fixed)
        if isWhole && all.base != nil { problem = "a base: it stores everything" }
        if options.parent != nil { problem = "a parent" }
        if options.dataFile != nil { problem = "an external data file" }
        if options.preallocation != .off { problem = "preallocation" }
        if options.extendedL2 { problem = "extended L2 entries" }
        if options.lazyRefcounts { problem = "lazy refcounts" }
        if options.qcow2Version != 3 { problem = "version \(options.qcow2Version)" }
        // Nothing in it is compressed, and its tables are for the disk as it is.
        if options.compression != .zlib { problem = "the compression type \(options.compression.rawValue)" }
        if options.largestSize != nil { problem = "room for growth (max_size)" }
        if options.dataFileIsRaw { problem = "a raw data file" }
        if let problem { throw BlockError(.unsupported, "an image that is written as a stream cannot have \(problem)") }
        switch format {
        case .raw: return
        case .vhd:
            let most = FormatCapabilities.largestVHD
            guard size <= most else { throw FormatCapabilities.tooLarge(size, .vhd, limit: most) }
        case .qcow2: try QCOW2StreamLayout.check(size: size, options: options, base: all.base)
        }
    }
}

/// The shape of one stream.
protocol StreamLayout: Sendable {
    var length: UInt64 { get }
    /// Writes exactly `length` bytes.
    func write(_ device: any BlockDevice, to output: StreamOutput) throws(BlockError)
}

/// Finds which units of a disk hold data.
struct StoredUnits {
    let device: any BlockDevice
    let dropsZeroes: Bool
    let cancellation: CancellationFlag
    /// The extent map is asked for this much at a time, so that its answers stay small.
    private static let window: UInt64 = 1 << 30

    func bitmap(unit: UInt64) throws(BlockError) -> UnitBitmap {
        var map = UnitBitmap()
        try forEachData { (extent) throws(BlockError) in
            if dropsZeroes {
                try insertNonZero(extent, unit: unit, into: &map)
            } else {
                try map.insert(extent.offset / unit..<extent.end.dividedRoundingUp(by: unit))
            }
        }
        return map
    }

    func forEachData(_ body: (Extent) throws(BlockError) -> Void) throws(BlockError) {
        var extents: [Extent] = []
        var position: UInt64 = 0
        var window = Self.window
        while position < device.size {
            if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
            extents.removeAll(keepingCapacity: true)
            try device.appendExtents(to: &extents, at: position, length: min(window, device.size - position))
            guard let end = extents.last?.end, end > position else {
                throw BlockError(.io, "the extent map does not advance", offset: position)
            }
            for extent in extents where extent.kind == .data { try body(extent) }
            // Where one answer is enough for all, more may be asked: a disk may claim exabytes that nobody wrote.
            window = extents.count == 1 && extents[0].kind != .data ? min(window * 2, 1 << 62) : Self.window
            position = end
        }
    }

    private func insertNonZero(_ extent: Extent, unit: UInt64, into map: inout UnitBitmap) throws(BlockError) {
        let buffer = AlignedBuffer(count: 1 << 20)
        var position = extent.offset
        while position < extent.end {
            if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
            let room = unsafe UInt64(buffer.bytes.count)
            let count = min(extent.end - position, room - position % min(unit, room))
            // SAFETY: at most the buffer's own size.
            let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<Int(count)])
            try unsafe device.read(into: bytes, at: position)
            let end = position + count
            while position < end {
                let next = min((position / unit + 1) * unit, end)
                let (from, to) = (Int(position + count - end), Int(next + count - end))
                if unsafe !isZero(UnsafeRawBufferPointer(rebasing: bytes[from..<to])) {
                    try map.insert(position / unit..<position / unit + 1)
                }
                position = next
            }
        }
    }
}
