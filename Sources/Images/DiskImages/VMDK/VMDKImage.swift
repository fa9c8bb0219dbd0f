import BlockIO

/// VMDK images: opening and describing them.
enum VMDKImage {
    /// A disk may be split into this many files; products split 8 TiB into 4097 at most.
    private static let mostFiles = 4100

    /// A descriptor and where it came from.
    private struct Source {
        let descriptor: VMDKDescriptor
        /// Set when the descriptor is embedded.
        let header: VMDKSparseHeader?

        /// The file is the disk's one extent, not only the carrier of the descriptor.
        var isExtent: Bool { header.map { $0.capacitySectors > 0 } ?? false }

        /// What a person should know before the disk is used.
        var notes: [String] {
            header?.isUnclean == true ? ["the disk was not closed properly when it was last used"] : []
        }

        init(_ storage: any ImageStorage) throws(BlockError) {
            let length = try storage.size()
            let head = try storage.array(at: 0, count: 512)
            guard VMDKSparseHeader.isMarked(head) else {
                header = nil
                try VMDKImage.refuseForeign(head)
                guard VMDKDescriptor.isMarked(head) else {
                    throw BlockError(
                        .invalidImage, "not a VMDK: neither KDMV nor “# Disk DescriptorFile” stands at its beginning")
                }
                guard length <= UInt64(VMDKDescriptor.largest) else {
                    throw BlockError(.limitExceeded, "a VMDK descriptor of \(length) bytes is not read")
                }
                descriptor = try VMDKDescriptor(storage.array(at: 0, count: Int(length)))
                return
            }
            let header = try VMDKSparseHeader(head)
            self.header = header
            guard !header.descriptor.isEmpty else {
                throw BlockError(
                    .invalidImage,
                    "this file is one extent of a VMDK disk; name the descriptor, the small file, instead")
            }
            guard header.descriptor.upperBound <= length else {
                throw BlockError(
                    .corrupt, "the VMDK's descriptor lies outside the file", offset: header.descriptor.lowerBound)
            }
            descriptor = try VMDKDescriptor(
                storage.array(at: header.descriptor.lowerBound, count: header.descriptor.count))
            guard header.capacitySectors > 0 else { return }
            try VMDKImage.check(descriptor, in: header)
        }
    }

    /// Whether a descriptor is that of the one extent that it is embedded in. The extent may be larger by
    /// less than a grain: some writers round it up to whole ones, and the disk ends where the descriptor says.
    static func check(_ descriptor: VMDKDescriptor, in header: VMDKSparseHeader) throws(BlockError) {
        guard descriptor.extents.count == 1, descriptor.extents[0].kind == .sparse,
            descriptor.sectors <= header.capacitySectors,
            header.capacitySectors - descriptor.sectors < header.grainSectors
        else {
            throw BlockError(.invalidImage, "the VMDK's descriptor and its header contradict each other")
        }
    }

    /// Sparse extents of ESX, by name.
    static func refuseForeign(_ head: [UInt8]) throws(BlockError) {
        let fields = LittleEndianBytes(head)
        if fields.hasMark("COWD", at: 0) {
            throw BlockError(.unsupported, "a VMDK extent of the kind COWD is not read; export the disk as OVF")
        }
        if fields.u64(0) == 0xCAFE_BABE {
            throw BlockError(.unsupported, "a VMDK extent of the kind SESPARSE is not read; export the disk as OVF")
        }
    }

    /// Does not close `storage` when it throws.
    static func open(storage: any ImageStorage, context: ImportContext) throws(BlockError) -> VMDKDevice {
        try context.enter(storage)
        let source = try Source(storage)
        let descriptor = source.descriptor
        try context.checkSize(descriptor.size)
        var opened: [any ImageStorage] = []
        do throws(BlockError) {
            var parts: [VMDKDevice.Part] = []
            var position: UInt64 = 0
            for extent in descriptor.extents where extent.sectors > 0 {
                let content: VMDKDevice.Part.Content
                if let header = source.header, source.isExtent {
                    content = .sparse(try VMDKSparseExtent(storage: storage, header: header))
                } else if extent.kind == .zero {
                    content = .zero
                } else {
                    guard opened.count < mostFiles else {
                        throw BlockError(
                            .limitExceeded, "the VMDK is made of more than \(mostFiles) files", path: storage.path)
                    }
                    let file = try context.openExtent(extent.name, of: storage.path)
                    opened.append(file)
                    content = try part(extent, file, context)
                }
                let next = position + extent.sectors * 512
                parts.append(VMDKDevice.Part(content: content, range: position..<next))
                position = next
            }
            let parent = try descriptor.parentContentID.map { (id) throws(BlockError) in
                try openParent(id, of: storage.path, context)
            }
            return VMDKDevice(
                parts: parts, files: [storage] + opened, contentID: descriptor.contentID, parent: parent,
                notes: source.notes)
        } catch {
            for file in opened { file.close() }
            throw error
        }
    }

    private static func part(
        _ extent: VMDKDescriptor.Extent, _ file: ImageFile, _ context: ImportContext
    ) throws(BlockError) -> VMDKDevice.Part.Content {
        do throws(BlockError) {
            try context.enter(file)
            if extent.kind == .flat {
                let length = try file.size() / 512
                guard extent.start <= length, extent.sectors <= length - extent.start else {
                    throw BlockError(
                        .invalidImage,
                        "the file has \(length) sectors; the descriptor wants \(extent.sectors) from \(extent.start) on"
                    )
                }
                return .flat(file, start: extent.start * 512)
            }
            let head = try file.array(at: 0, count: 512)
            try refuseForeign(head)
            let header = try VMDKSparseHeader(head)
            guard header.capacitySectors >= extent.sectors else {
                throw BlockError(
                    .invalidImage,
                    "the file has \(header.capacitySectors) sectors; the descriptor wants \(extent.sectors)")
            }
            return .sparse(try VMDKSparseExtent(storage: file, header: header))
        } catch { throw error.at(path: file.path) }
    }

    private static func openParent(
        _ contentID: UInt32, of child: String, _ context: ImportContext
    ) throws(BlockError) -> any BlockDevice {
        let file = try context.openParent(names: nil, of: child)
        do throws(BlockError) {
            let parent = try open(storage: file, context: context)
            guard parent.contentID == contentID else {
                try? parent.close()
                throw BlockError(
                    .invalidImage,
                    "not the parent that \(child) was made from, or its content changed since: its CID is "
                        + hexadecimal(parent.contentID))
            }
            return parent
        } catch {
            file.close()
            throw error.at(path: file.path)
        }
    }

    private static func hexadecimal(_ id: UInt32) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    static func info(storage: any ImageStorage) throws(BlockError) -> ImportInfo {
        let source = try Source(storage)
        let descriptor = source.descriptor
        var info = ImportInfo(
            format: .vmdk, virtualSize: descriptor.size, actualSize: try storage.allocatedSize(),
            fileSize: try storage.size(), clusterSize: source.isExtent ? source.header?.grainBytes : nil,
            subformat: descriptor.createType)
        info.contentIdentifier = hexadecimal(descriptor.contentID)
        if let parent = descriptor.parentContentID {
            info.parentContentIdentifier = hexadecimal(parent)
            info.parentName = descriptor.parentHint
        }
        if !source.isExtent { info.extentNames = descriptor.extents.map(\.name).filter { !$0.isEmpty } }
        info.notes += source.notes
        return info
    }
}
