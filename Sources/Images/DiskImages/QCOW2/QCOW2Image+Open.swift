public import BlockIO
internal import CoreTypes

extension QCOW2Image {
    /// Opens an image without any other file. Takes over `file`: it is closed with the image, and when this throws.
    /// - Throws: `.invalidImage` and `.corrupt` for what is broken; `.denied` when the image needs a backing file or an
    ///   external data file; `.unsupported` for encryption, unknown incompatible features. An image that was
    ///   not closed cleanly gets its refcounts anew when it is opened for writing.
    public static func open(file: ImageFile, readOnly: Bool) throws(BlockError) -> QCOW2Image {
        do throws(BlockError) {
            return try open(storage: file, readOnly: readOnly || file.isReadOnly)
        } catch {
            file.close()
            throw error.at(path: file.path)
        }
    }

    /// Opens an image and what it needs, as far as the policy of `chain` allows. Does not close `storage` when it throws.
    /// - Parameter data: the external data file, for tests; without it the policy's is opened.
    static func open(
        storage: any ImageStorage, readOnly: Bool, chain: ChainContext = ChainContext(policy: .standalone),
        data: (any ImageStorage)? = nil
    ) throws(BlockError) -> QCOW2Image {
        var fileSize = try storage.size()
        var header = try readHeader(storage, fileSize: fileSize)
        try checkSupported(header, readOnly: readOnly)
        var isCounted = false
        if !readOnly, header.incompatible.contains(.dirty) {
            try restoreCounts(storage)
            isCounted = true
            fileSize = try storage.size()
            header = try readHeader(storage, fileSize: fileSize)
        }
        var external = data
        if external == nil {
            external = try openData(header, readOnly: readOnly, chain: chain, path: storage.path)
        }
        do throws(BlockError) {
            let parent = try openParent(header, chain: chain, path: storage.path)
            do throws(BlockError) {
                let image = try open(
                    storage: storage, header: header, fileSize: fileSize, readOnly: readOnly, data: external,
                    parent: parent)
                image.pending?.mustGuardSnapshots = header.snapshotCount > 0 && !isCounted
                return image
            } catch {
                try? parent?.close()
                throw error
            }
        } catch {
            external?.close()
            throw error
        }
    }

    private static func open(
        storage: any ImageStorage, header: QCOW2Header, fileSize: UInt64, readOnly: Bool,
        data: (any ImageStorage)?, parent: (any BlockDevice)?
    ) throws(BlockError) -> QCOW2Image {
        let geometry = QCOW2Geometry(header)
        let needed = geometry.l1EntriesNeeded(size: header.size)
        guard UInt64(header.l1Entries) >= needed else {
            throw BlockError(
                .invalidImage, "the L1 table has \(header.l1Entries) entries; a disk of this size needs \(needed)")
        }
        guard let fileEnd = fileSize.roundedUp(to: geometry.clusterSize) else {
            throw BlockError(.limitExceeded, "the file is too long")
        }
        let words = try storage.words(at: header.l1Offset, count: Int(header.l1Entries))
        let l1 = QCOW2L1Table(words, at: header.l1Offset)
        guard !readOnly else {
            return QCOW2Image(
                storage: storage, header: header, geometry: geometry, l1: l1, refcounts: nil, fileEnd: fileEnd,
                data: data, parent: parent)
        }
        var survey = QCOW2StructureSurvey(geometry: geometry, fileEnd: fileEnd)
        let table = try survey.examine(header, storage, l1: words)
        let snapshots = try QCOW2SnapshotTable(header, storage)
        try survey.examine(snapshots)
        let refcounts = QCOW2Refcounts(
            storage: storage, geometry: geometry, table: table, tableOffset: header.refcountTableOffset,
            tableClusters: UInt64(header.refcountTableClusters), structures: survey.structures,
            firstFree: storage.isBlockDevice ? 1 : fileEnd >> UInt64(geometry.clusterBits))
        if storage.isBlockDevice { try refcounts.stay(inside: fileSize >> UInt64(geometry.clusterBits)) }
        let image = QCOW2Image(
            storage: storage, header: header, geometry: geometry, l1: l1, refcounts: refcounts, fileEnd: fileEnd,
            data: data, parent: parent)
        image.pending?.contested = survey.contested
        image.snapshotList.replace(with: snapshots)
        image.prepareBitmaps(&survey)
        refcounts.structures = survey.structures
        return image
    }

    /// The external data file, which only the policy names: the name in the image may be anybody's.
    private static func openData(
        _ header: QCOW2Header, readOnly: Bool, chain: ChainContext, path: String
    ) throws(BlockError) -> (any ImageStorage)? {
        guard header.incompatible.contains(.externalData) else { return nil }
        guard let dataFile = chain.dataFile else {
            let name = header.extensions.dataFile.map { " “\($0)”" } ?? ""
            guard chain.isTopmost else {
                throw BlockError(
                    .unsupported,
                    "the image is a parent and keeps its data in another file\(name), as only an image that is opened itself "
                        + "can: convert it, with its data file, to one that is whole, and rebase its children to that",
                    path: path)
            }
            throw BlockError(
                .denied,
                "the image keeps its data in another file\(name), which is not followed; name the data file "
                    + "explicitly", path: path)
        }
        let file = try ImageFile(path: dataFile, access: readOnly ? .readOnly : .readWrite)
        do throws(BlockError) {
            try chain.enter(file)
        } catch {
            file.close()
            throw error
        }
        return file
    }

    private static func openParent(
        _ header: QCOW2Header, chain: ChainContext, path: String
    ) throws(BlockError) -> (any BlockDevice)? {
        guard let name = header.backingName else { return nil }
        // What is shown of it is another name, which another file may have.
        if case .within = chain.policy.parents, let bytes = header.nameBytes,
            String(validating: bytes, as: UTF8.self) == nil
        {
            throw BlockError(
                .denied, "the name of the parent “\(name)” is not UTF-8; name the parent explicitly", path: path)
        }
        var format: ParentFormat?
        if let word = header.extensions.backingFormat {
            format = ParentFormat(parsing: word)
            if format == nil && chain.policy.parents != .ignored {
                throw BlockError(
                    .unsupported, "the backing file is of the format “\(word)”, which is not read here", path: path)
            }
        }
        return try chain.openParent(ParentClaim(of: .qcow2, names: [name], format: format), of: path)?.device
    }

    /// Reads and parses the first cluster.
    static func readHeader(
        _ storage: any ImageStorage, fileSize: UInt64, checksTables: Bool = true
    ) throws(BlockError) -> QCOW2Header {
        let start = try storage.array(at: 0, count: Int(min(fileSize, 512)))
        let bits = BigEndianBytes(start).u32(20)
        guard (9...21).contains(bits), fileSize > 512, bits > 9 else {
            return try QCOW2Header(start, fileSize: fileSize, checksTables: checksTables)
        }
        let cluster = try storage.array(at: 0, count: Int(min(fileSize, 1 << UInt64(bits))))
        return try QCOW2Header(cluster, fileSize: fileSize, checksTables: checksTables)
    }

    private static func checkSupported(_ header: QCOW2Header, readOnly: Bool) throws(BlockError) {
        let unknown = header.incompatible.subtracting(.known)
        guard unknown.isEmpty else {
            let names = header.extensions.names(ofIncompatible: unknown.rawValue)
            throw BlockError(.unsupported, "the image needs features that are not known here: \(names)")
        }
        if header.encryption != 0 {
            throw BlockError(.unsupported, "the image is encrypted (method \(header.encryption))")
        }
        if header.incompatible.contains(.externalData) {
            guard header.snapshotCount == 0 else {
                throw BlockError(.corrupt, "an image with an external data file cannot have internal snapshots")
            }
        }
        if readOnly { return }
        if header.incompatible.contains(.corrupt) {
            throw BlockError(
                .corrupt, "the image is marked as corrupt; it can be read, and repaired by a check")
        }
    }
}
