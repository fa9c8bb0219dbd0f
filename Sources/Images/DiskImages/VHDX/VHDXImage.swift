import BlockIO
import CoreTypes

/// VHDX images: opening and describing them.
enum VHDXImage {
    private struct Parts {
        let header: VHDXHeader
        let file: VHDXFile
        let regions: VHDXRegions
        let metadata: VHDXMetadata

        init(_ storage: any ImageStorage) throws(BlockError) {
            header = try VHDXHeader(file: storage)
            file = try VHDXFile(storage: storage, header: header)
            // Only now: what the log changes may be these very tables.
            regions = try VHDXRegions(file: file, log: header.log)
            metadata = try VHDXMetadata(file: file, region: regions.metadata)
        }

        /// What a person should know before the image is used.
        var notes: [String] {
            let count = file.appliedEntries
            let log =
                header.logID == .zero || count == 0
                ? nil : "the file was not closed properly; \(count) entries of its log are applied whenever it is read"
            return [header.note, regions.note, log].compactMap { $0 }
        }
    }

    static func open(storage: any ImageStorage, context: ImportContext) throws(BlockError) -> VHDXDevice {
        try context.enter(storage)
        let parts = try Parts(storage)
        try context.checkSize(parts.metadata.virtualSize)
        let blocks = try VHDXBlocks(
            file: parts.file, metadata: parts.metadata, regions: parts.regions, log: parts.header.log)
        let parent = try parts.metadata.parent.map { (locator) throws(BlockError) in
            try openParent(locator, of: storage.path, parts.metadata, context)
        }
        return VHDXDevice(
            file: parts.file, metadata: parts.metadata, blocks: blocks, dataWriteID: parts.header.dataWriteID,
            parent: parent, notes: parts.notes)
    }

    private static func openParent(
        _ locator: VHDXParentLocator, of child: String, _ metadata: VHDXMetadata, _ context: ImportContext
    ) throws(BlockError) -> any BlockDevice {
        let file = try context.openParent(names: locator.names, of: child)
        do throws(BlockError) {
            let parent = try open(storage: file, context: context)
            do throws(BlockError) {
                guard locator.linkages.contains(parent.dataWriteID) else {
                    throw BlockError(
                        .invalidImage,
                        "not the parent that \(child) was made from, or its content changed since: its identifier is "
                            + parent.dataWriteID.text)
                }
                guard parent.logicalSector == metadata.logicalSector, parent.size <= metadata.virtualSize else {
                    throw BlockError(.invalidImage, "the parent of \(child) is larger or has sectors of another size")
                }
            } catch {
                try? parent.close()
                throw error
            }
            return parent
        } catch {
            file.close()
            throw error.at(path: file.path)
        }
    }

    static func info(storage: any ImageStorage) throws(BlockError) -> ImportInfo {
        let parts = try Parts(storage)
        let metadata = parts.metadata
        var info = ImportInfo(
            format: .vhdx, virtualSize: metadata.virtualSize, actualSize: try storage.allocatedSize(),
            fileSize: try storage.size(), clusterSize: metadata.blockSize,
            subformat: metadata.parent != nil ? "differencing" : metadata.isFixed ? "fixed" : "dynamic",
            logicalSectorSize: metadata.logicalSector)
        info.creator = try creator(storage)
        info.identifier = metadata.diskID?.text
        info.contentIdentifier = parts.header.dataWriteID.text
        if let parent = metadata.parent {
            info.parentName = parent.relativePath ?? parent.absolutePath
            info.parentContentIdentifier = parent.linkages.first?.text
        }
        info.notes = parts.notes
        if parts.header.logID != .zero, parts.file.appliedEntries == 0 {
            info.notes.append("the file was not closed properly; its log holds nothing to apply")
        }
        return info
    }

    /// What wrote the file, printable characters only.
    private static func creator(_ storage: any ImageStorage) throws(BlockError) -> String? {
        let fields = LittleEndianBytes(try storage.array(at: 8, count: 512))
        var text = ""
        for index in 0..<256 {
            let unit = fields.u16(2 * index)
            guard (32..<127).contains(unit) else { break }
            text.unicodeScalars.append(UnicodeScalar(UInt8(truncatingIfNeeded: unit)))
        }
        return text.isEmpty ? nil : text
    }
}
