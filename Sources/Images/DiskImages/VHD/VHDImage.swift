import BlockIO
import CoreTypes

/// VHD images: opening, making and describing them. The devices are `FixedVHD` and `DynamicVHD`.
enum VHDImage {
    static func open(
        file: any ImageStorage, readOnly: Bool, chain: ChainContext = ChainContext(policy: .standalone)
    ) throws(BlockError) -> any BlockDevice {
        let layout = try VHDLayout(file: file)
        if layout.mustNotWrite && !readOnly {
            throw BlockError(
                .corrupt, "\(layout.notes.last ?? "the size is wrong"): it can be opened read-only only")
        }
        if let header = layout.header { return try DynamicVHD(file: file, layout: layout, header: header) }
        return FixedVHD(file: file, size: layout.virtualSize)
    }

    /// Writes the metadata of an empty image of `size` bytes (a multiple of 512) into an empty file.
    static func create(
        file: any ImageStorage, size: UInt64, subformat: CreateOptions.VHDSubformat
    ) throws(BlockError) {
        switch subformat {
        case .fixed:
            try file.truncate(to: size)
            try file.store(VHDFooter(new: .fixed, size: size).bytes, at: size)
        case .dynamic:
            let footer = VHDFooter(new: .dynamic, size: size)
            let header = VHDHeader(
                tableOffset: 1536, entryCount: size.dividedRoundingUp(by: VHDHeader.defaultBlockSize),
                blockSize: VHDHeader.defaultBlockSize)
            var batmap = VHDBatmap(new: header, virtualSize: size)
            try file.store([UInt8](repeating: 0xFF, count: Int(header.tableSize)), at: header.tableOffset)
            try batmap.store([], file: file)
            try file.store(header.encoded(), at: footer.headerOffset)
            try file.store(footer.bytes, at: batmap.mapOffset + batmap.mapSize)
            try file.store(footer.bytes, at: 0)
        }
    }

    static func info(file: any ImageStorage) throws(BlockError) -> ImageInfo {
        let layout = try VHDLayout(file: file)
        return ImageInfo(
            format: .vhd, virtualSize: layout.virtualSize, actualSize: try file.allocatedSize(),
            fileSize: layout.fileLength, clusterSize: layout.header?.blockSize,
            subformat: layout.header == nil ? "fixed" : "dynamic", creator: layout.footer.creatorName,
            identifier: layout.footer.identifier, notes: layout.notes)
    }
}
