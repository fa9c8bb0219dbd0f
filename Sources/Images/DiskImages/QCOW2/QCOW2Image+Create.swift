public import BlockIO
internal import CoreTypes

extension QCOW2Image {
    /// Writes an empty image of version 3 into an empty file, durable when this returns.
    /// - Parameters:
    ///   - size: virtual bytes; rounded up to 512.
    ///   - clusterBits: log2 of the cluster size, 9…21; 16 is usual.
    /// - Throws: `.exists` when the file is not empty; `.limitExceeded` for a size the format cannot map.
    public static func create(file: ImageFile, size: UInt64, clusterBits: Int = 16) throws(BlockError) {
        do throws(BlockError) {
            try create(storage: file, size: size, clusterBits: clusterBits)
        } catch { throw error.at(path: file.path) }
    }

    static func create(
        storage: any ImageStorage, size: UInt64, clusterBits: Int, refcountOrder: Int = 4
    ) throws(BlockError) {
        guard (9...21).contains(clusterBits), (0...6).contains(refcountOrder) else {
            throw BlockError(.limitExceeded, "clusters of 2^\(clusterBits) bytes; 512 bytes to 2 MiB are legal")
        }
        var options = CreateOptions(clusterSize: 1 << UInt64(clusterBits))
        options.refcountBits = 1 << refcountOrder
        try create(storage: storage, size: size, options: options)
    }

    /// Writes an empty image into an empty file, or over a block device. An external data file is the caller's to make:
    /// here it is only named.
    ///
    /// Layout: header, refcount table, refcount blocks, L1 table, and with preallocation L2 tables and data clusters; a
    /// multiple of a cluster long. The header comes last: before it the file is no image.
    /// - Throws: `.unsupported` for options that exclude each other; `.exists` when the file is not empty;
    ///   `.limitExceeded` for what the format cannot map; `.noSpace` when the block device is too small.
    static func create(storage: any ImageStorage, size: UInt64, options: CreateOptions) throws(BlockError) {
        var header = try QCOW2Header(for: options)
        let bits = UInt64(header.clusterBits)
        let geometry = QCOW2Geometry(header)
        let most = QCOW2Limits.virtualSize(clusterBits: Int(bits), hasExtendedL2: geometry.hasExtendedL2)
        guard let size = size.roundedUp(to: 512), size <= min(most, FormatCapabilities.largestRaw) else {
            throw BlockError(
                .limitExceeded, "clusters of \(1 << bits) bytes allow a virtual size of \(most) bytes at most")
        }
        let existing = try storage.size()
        guard storage.isBlockDevice || existing == 0 else {
            throw BlockError(.exists, "the file is not empty; a new image needs an empty one")
        }
        let plan = try QCOW2CreationPlan(geometry, size: size, options: options)
        header.size = size
        header.l1Entries = UInt32(plan.l1Entries)
        header.l1Offset = plan.l1Start << bits
        header.refcountTableOffset = 1 << bits
        header.refcountTableClusters = UInt32(plan.tableClusters)
        let first = try header.encoded()
        if storage.isBlockDevice {
            guard existing >= plan.end << bits else {
                throw BlockError(.noSpace, "the block device is smaller than the tables of the new image")
            }
            try storage.clearMarks()
            try storage.sync()
        }
        try plan.write(to: storage)
        try storage.sync()
        try storage.store(first, at: 0)
        try storage.sync()
    }
}

extension QCOW2Header {
    /// The header of a new image, without size and tables.
    init(for options: CreateOptions) throws(BlockError) {
        try options.checkQCOW2()
        clusterBits = UInt32(try options.clusterBits())
        refcountOrder = UInt32(try options.refcountOrder())
        version = options.qcow2Version
        if let parent = options.parent {
            backingName = parent.name
            extensions.backingFormat = parent.format.storedName
        }
        if version == 2 {
            length = UInt32(Self.version2Length)
            return
        }
        extensions.featureNames = QCOW2HeaderExtensions.ownFeatureNames
        if options.lazyRefcounts { compatible |= 1 }
        if options.extendedL2 { incompatible.insert(.extendedL2) }
        if options.compression == .zstd {
            compressionType = 1
            incompatible.insert(.compressionType)
        }
        if let name = options.dataFile {
            incompatible.insert(.externalData)
            extensions.dataFile = name
            if options.dataFileIsRaw { autoclear |= QCOW2Header.rawExternalData }
        }
    }

    /// The autoclear bit that says that the external data file alone is a valid raw image.
    static let rawExternalData: UInt64 = 2
}

extension CreateOptions {
    /// Refuses what a qcow2 image cannot be, and options that exclude each other.
    func checkQCOW2() throws(BlockError) {
        func refuse(_ isWrong: Bool, _ message: @autoclosure () -> String) throws(BlockError) {
            if isWrong { throw BlockError(.unsupported, message()) }
        }
        let bits = try clusterBits()
        _ = try refcountOrder()
        try refuse(qcow2Version != 2 && qcow2Version != 3, "qcow2 has the versions 2 and 3, not \(qcow2Version)")
        if qcow2Version == 2 {
            let newer = "needs version 3 (compat=1.1)"
            try refuse(refcountBits != 16, "refcount_bits=\(refcountBits) \(newer); version 2 has 16")
            try refuse(lazyRefcounts, "lazy_refcounts \(newer)")
            try refuse(extendedL2, "extended_l2 \(newer)")
            try refuse(compression != .zlib, "compression_type=\(compression.rawValue) \(newer)")
            try refuse(dataFile != nil, "data_file \(newer)")
        }
        try refuse(
            extendedL2 && bits < QCOW2Limits.extendedClusterBits,
            "extended_l2 needs clusters of 16 KiB or more, not \(clusterSize) bytes")
        try refuse(dataFileIsRaw && dataFile == nil, "data_file_raw needs data_file")
        if let dataFile {
            try refuse(dataFile.isEmpty, "data_file is empty")
            try refuse(
                compression != .zlib,
                "an external data file holds no compressed clusters; leave out "
                    + "compression_type")
            try refuse(
                dataFileIsRaw && parent != nil,
                "a raw external data file holds all of the disk; no parent goes "
                    + "with data_file_raw")
            try Self.checkName(dataFile, "data file")
        }
        if let parent {
            try refuse(
                preallocation != .off && !(extendedL2 && preallocation == .metadata),
                "preallocation would hide the parent; with a parent only preallocation=metadata together with "
                    + "extended_l2 is possible")
            try Self.checkName(parent.name, "parent")
        }
    }

    /// A name that every reader takes for a file's.
    private static func checkName(_ name: String, _ what: String) throws(BlockError) {
        guard !name.isEmpty, !name.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
            throw BlockError(.denied, "the name of the \(what) is empty or has control characters")
        }
        guard name.utf8.count <= Int(QCOW2Limits.backingNameBytes) else {
            throw BlockError(.limitExceeded, "the name of the \(what) is longer than 1023 bytes")
        }
        if name.prefix(while: { $0 != "/" }).contains(":") {
            throw BlockError(.denied, "QEMU would read the name “\(name)” as a protocol; put ./ before it")
        }
    }
}
