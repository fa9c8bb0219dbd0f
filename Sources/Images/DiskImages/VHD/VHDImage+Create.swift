import BlockIO
import CoreTypes

/// New VHDs, laid out as XenServer's own tools lay them out.
extension VHDImage {
    /// Writes an image of `size` bytes (a multiple of 512) into an empty file: dynamic or fixed, or differencing when
    /// there is a parent. It is durable after a `sync`.
    static func create(
        file: any ImageStorage, size: UInt64, options: CreateOptions = CreateOptions(), parent: VHDParent? = nil
    ) throws(BlockError) {
        if options.vhdSubformat == .fixed {
            guard parent == nil, options.largestSize == nil else {
                throw BlockError(.unsupported, "a fixed VHD has neither a parent nor tables for growth")
            }
            try createFixed(file: file, size: size, preallocation: options.preallocation)
            return
        }
        let largest = max(options.largestSize ?? size, size)
        guard largest <= FormatCapabilities.largestVHD else {
            throw FormatCapabilities.tooLarge(largest, .vhd, limit: FormatCapabilities.largestVHD)
        }
        let stored = options.preallocation == .falloc || options.preallocation == .full
        if stored && parent != nil {
            throw BlockError(.unsupported, "a VHD with a parent takes space when it is written, not before")
        }
        let footer = VHDFooter(new: parent == nil ? .dynamic : .differencing, size: size)
        var header = VHDHeader(
            tableOffset: 1536, entryCount: largest.dividedRoundingUp(by: VHDHeader.defaultBlockSize),
            blockSize: VHDHeader.defaultBlockSize)
        var batmap = VHDBatmap(new: header, virtualSize: size)
        var end = batmap.mapOffset + batmap.mapSize
        if let parent {
            let placed = parent.placed(at: end)
            header = VHDHeader(header, parent: parent, locators: placed.locators)
            try file.store(placed.bytes, at: end)
            end = placed.end
        }
        try fillTable(file, header)
        try batmap.store([], file: file)
        try file.store(header.encoded(), at: footer.headerOffset)
        try file.store(footer.bytes, at: file.isBlockDevice ? try file.size() - UInt64(VHDFooter.size) : end)
        try file.store(footer.bytes, at: 0)
        if stored {
            let device = try DynamicVHD(file: file, layout: VHDLayout(file: file), header: header)
            try device.preallocate(0..<device.table.count, written: options.preallocation == .full)
            try device.flush()
        }
    }

    /// An empty block table, a mebibyte at a time.
    private static func fillTable(_ file: any ImageStorage, _ header: VHDHeader) throws(BlockError) {
        var position: UInt64 = 0
        while position < header.tableSize {
            let count = min(header.tableSize - position, 1 << 20)
            try file.store([UInt8](repeating: 0xFF, count: Int(count)), at: header.tableOffset + position)
            position += count
        }
    }

    private static func createFixed(
        file: any ImageStorage, size: UInt64, preallocation: CreateOptions.Preallocation
    ) throws(BlockError) {
        if !file.isBlockDevice { try file.truncate(to: size) }
        switch preallocation {
        case .off, .metadata: break
        case .falloc:
            if try !file.preallocate(at: 0, length: size) { try file.writeZeroes(at: 0, length: size) }
        case .full: try file.writeZeroes(at: 0, length: size)
        }
        let place = file.isBlockDevice ? try file.size() - UInt64(VHDFooter.size) : size
        guard place >= size else {
            throw BlockError(.noSpace, "the device is too small for \(size) bytes and the footer; enlarge it")
        }
        try file.store(VHDFooter(new: .fixed, size: size).bytes, at: place)
    }
}

extension DynamicVHD {
    /// Makes blocks that are not there, which nobody else knows of yet. `written`: their zeroes are written; otherwise
    /// space is reserved where the file system can.
    func preallocate(_ blocks: Range<Int>, written: Bool) throws(BlockError) {
        for block in blocks where lock.shared({ table.start(of: block) }) == nil {
            let data = try makeWritable(block) + bitmapSize
            var isReserved = false
            if !written { isReserved = try file.preallocate(at: data, length: blockSize) }
            if !isReserved { try file.writeZeroes(at: data, length: blockSize) }
        }
    }
}
