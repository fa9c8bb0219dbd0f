import BlockIO
import CoreTypes

/// New VHDs, laid out as XenServer's own tools lay them out.
extension VHDImage {
    /// Writes an image of `size` bytes (a multiple of 512) into an empty file, or over a block device: dynamic or fixed,
    /// or differencing when there is a parent. It is durable after a `sync`. `.noSpace` when the device is too small.
    static func create(
        file: any ImageStorage, size: UInt64, options: CreateOptions = CreateOptions(), parent: VHDParent? = nil
    ) throws(BlockError) {
        try options.checkVHD(hasParent: parent != nil)
        if options.vhdSubformat == .fixed {
            try createFixed(file: file, size: size, preallocation: options.preallocation)
            return
        }
        let largest = max(options.largestSize ?? size, size)
        guard largest <= FormatCapabilities.largestVHD else {
            throw FormatCapabilities.tooLarge(largest, .vhd, limit: FormatCapabilities.largestVHD)
        }
        let stored = options.preallocation.takesSpace
        let footer = VHDFooter(new: parent == nil ? .dynamic : .differencing, size: size)
        var header = VHDHeader(
            tableOffset: 1536, entryCount: largest.dividedRoundingUp(by: VHDHeader.defaultBlockSize),
            blockSize: VHDHeader.defaultBlockSize)
        var batmap = VHDBatmap(new: header, virtualSize: size)
        var end = batmap.mapOffset + batmap.mapSize
        let placed = parent?.placed(at: end)
        let place = end
        if let parent, let placed {
            header = VHDHeader(header, parent: parent, locators: placed.locators)
            end = placed.end
        }
        if file.isBlockDevice { try clearDevice(file, for: end) }
        if let placed { try file.store(placed.bytes, at: place) }
        try fillTable(file, header)
        try batmap.store([], file: file)
        try file.store(header.encoded(), at: footer.headerOffset)
        // Over old content no footer may say that the tables are right before they are.
        if file.isBlockDevice { try file.sync() }
        try file.store(footer.bytes, at: file.isBlockDevice ? try file.size() - UInt64(VHDFooter.size) : end)
        try file.store(footer.bytes, at: 0)
        if stored {
            let device = try DynamicVHD(file: file, layout: VHDLayout(file: file), header: header)
            try device.preallocate(0..<device.table.count, written: options.preallocation == .full)
            try device.flush()
        }
    }

    /// Until the new image is whole, a device that it goes to holds none: nobody takes up the old one in between.
    private static func clearDevice(_ file: any ImageStorage, for end: UInt64) throws(BlockError) {
        let size = try file.size()
        guard size % 512 == 0, size >= end + UInt64(VHDFooter.size) else {
            throw BlockError(.noSpace, "the block device is smaller than the tables of the new image")
        }
        try file.clearMarks()
        try file.sync()
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
        let place = file.isBlockDevice ? try file.size() - min(file.size(), UInt64(VHDFooter.size)) : size
        if file.isBlockDevice {
            // Where its footer says exactly where it lies, nothing that a guest writes makes another image of it.
            guard place == size else {
                throw BlockError(
                    .unsupported,
                    "a fixed VHD fills its block device: the disk has \(place) bytes there, and the footer the rest; give "
                        + "it that size, or make the VHD dynamic")
            }
            try clearDevice(file, for: size)
        } else {
            try file.truncate(to: size)
        }
        switch preallocation {
        case .off, .metadata:
            // What the device holds would show.
            if file.isBlockDevice { try file.zero(at: 0, length: size, mayUnmap: true) }
        case .falloc:
            if try !file.preallocate(at: 0, length: size) { try file.writeZeroes(at: 0, length: size) }
        case .full: try file.writeZeroes(at: 0, length: size)
        }
        try file.store(VHDFooter(new: .fixed, size: size).bytes, at: place)
    }
}

extension CreateOptions {
    /// Refuses what a VHD cannot be.
    func checkVHD(hasParent: Bool? = nil) throws(BlockError) {
        let hasParent = hasParent ?? (parent != nil)
        if vhdSubformat == .fixed, hasParent || largestSize != nil {
            throw BlockError(.unsupported, "a fixed VHD has neither a parent nor tables for growth")
        }
        if vhdSubformat == .dynamic, preallocation.takesSpace, hasParent { throw VHDImage.takesSpaceLater }
    }
}

extension CreateOptions.Preallocation {
    /// For the data, and not only for tables.
    var takesSpace: Bool { self == .falloc || self == .full }
}

extension VHDImage {
    static let takesSpaceLater = BlockError(
        .unsupported, "a VHD with a parent takes space when it is written, not before")
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
