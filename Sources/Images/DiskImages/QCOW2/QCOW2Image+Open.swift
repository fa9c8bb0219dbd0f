public import BlockIO
internal import CoreTypes

extension QCOW2Image {
    /// Opens an image. Takes over `file`: it is closed with the image, and when this throws.
    /// - Throws: `.invalidImage` and `.corrupt` for what is broken; `.unsupported` for a backing file, an external data
    ///   file, encryption, extended L2 entries, unknown incompatible features, and, for writing, for internal snapshots
    ///   and images that were not closed cleanly.
    public static func open(file: ImageFile, readOnly: Bool) throws(BlockError) -> QCOW2Image {
        do throws(BlockError) {
            return try open(storage: file, readOnly: readOnly || file.isReadOnly)
        } catch {
            file.close()
            throw error.at(path: file.path)
        }
    }

    static func open(
        storage: any ImageStorage, readOnly: Bool, chain: ChainContext = ChainContext(policy: .standalone)
    ) throws(BlockError) -> QCOW2Image {
        let fileSize = try storage.size()
        let header = try readHeader(storage, fileSize: fileSize)
        try checkSupported(header, readOnly: readOnly)
        let geometry = QCOW2Geometry(
            clusterBits: Int(header.clusterBits), refcountOrder: Int(header.refcountOrder), version: header.version)
        let needed = geometry.l1EntriesNeeded(size: header.size)
        guard UInt64(header.l1Entries) >= needed else {
            throw BlockError(
                .invalidImage, "the L1 table has \(header.l1Entries) entries; a disk of this size needs \(needed)")
        }
        guard let fileEnd = fileSize.roundedUp(to: geometry.clusterSize) else {
            throw BlockError(.limitExceeded, "the file is too long")
        }
        let words = try storage.words(at: header.l1Offset, count: Int(header.l1Entries))
        let l1 = QCOW2L1Table(words)
        guard !readOnly else {
            return QCOW2Image(
                storage: storage, header: header, geometry: geometry, l1: l1, refcounts: nil, fileEnd: fileEnd)
        }
        guard !storage.isBlockDevice else {
            throw BlockError(.unsupported, "qcow2 images directly on a block device can only be read")
        }
        var survey = QCOW2StructureSurvey(geometry: geometry, fileEnd: fileEnd)
        let table = try survey.examine(header, storage, l1: words)
        let refcounts = QCOW2Refcounts(
            storage: storage, geometry: geometry, table: table, tableOffset: header.refcountTableOffset,
            tableClusters: UInt64(header.refcountTableClusters), structures: survey.structures,
            firstFree: fileEnd >> UInt64(geometry.clusterBits))
        let image = QCOW2Image(
            storage: storage, header: header, geometry: geometry, l1: l1, refcounts: refcounts, fileEnd: fileEnd)
        image.pending?.contested = survey.contested
        return image
    }

    /// Reads and parses the first cluster.
    static func readHeader(_ storage: any ImageStorage, fileSize: UInt64) throws(BlockError) -> QCOW2Header {
        let start = try storage.array(at: 0, count: Int(min(fileSize, 512)))
        let bits = BigEndianBytes(start).u32(20)
        guard (9...21).contains(bits), fileSize > 512, bits > 9 else {
            return try QCOW2Header(start, fileSize: fileSize)
        }
        let cluster = try storage.array(at: 0, count: Int(min(fileSize, 1 << UInt64(bits))))
        return try QCOW2Header(cluster, fileSize: fileSize)
    }

    private static func checkSupported(_ header: QCOW2Header, readOnly: Bool) throws(BlockError) {
        let unknown = header.incompatible.subtracting(.known)
        guard unknown.isEmpty else {
            let names = header.extensions.names(ofIncompatible: unknown.rawValue)
            throw BlockError(.unsupported, "the image needs features that are not known here: \(names)")
        }
        if header.incompatible.contains(.externalData) {
            let name = header.extensions.dataFile.map { " “\($0)”" } ?? ""
            throw BlockError(.unsupported, "the image keeps its data in another file\(name), which is not followed")
        }
        if header.incompatible.contains(.extendedL2) {
            throw BlockError(.unsupported, "extended L2 entries are not supported; convert the image without them")
        }
        if header.encryption != 0 {
            throw BlockError(.unsupported, "the image is encrypted (method \(header.encryption))")
        }
        if let name = header.backingName {
            throw BlockError(.unsupported, "the image has a backing file “\(name)”, which is not followed")
        }
        if readOnly { return }
        if header.incompatible.contains(.corrupt) {
            throw BlockError(
                .corrupt, "the image is marked as corrupt; it can be read, and repaired with qemu-img check -r all")
        }
        if header.incompatible.contains(.dirty) {
            throw BlockError(
                .unsupported,
                "the image was not closed cleanly and its refcounts are stale; run qemu-img check -r all first")
        }
        if header.snapshotCount > 0 {
            throw BlockError(
                .unsupported, "the image has \(header.snapshotCount) internal snapshots and can only be read")
        }
    }
}
