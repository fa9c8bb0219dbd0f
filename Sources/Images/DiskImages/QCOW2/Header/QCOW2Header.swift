internal import BlockIO
internal import CoreTypes

/// The header of a qcow2 image and what its extensions say, as stored in the first cluster.
///
/// | offset | bytes | field | | offset | bytes | field |
/// |---|---|---|---|---|---|---|
/// | 0 | 4 | magic | | 56 | 4 | refcount table clusters |
/// | 4 | 4 | version, 2 or 3 | | 60 | 4 | number of snapshots |
/// | 8 | 8 | backing file name offset | | 64 | 8 | snapshot table offset |
/// | 16 | 4 | backing file name length | | 72 | 8 | incompatible features (from here on version 3) |
/// | 20 | 4 | cluster bits | | 80 | 8 | compatible features |
/// | 24 | 8 | virtual size | | 88 | 8 | autoclear features |
/// | 32 | 4 | encryption method | | 96 | 4 | refcount order |
/// | 36 | 4 | L1 entries | | 100 | 4 | header length |
/// | 40 | 8 | L1 offset | | 104 | 1 | compression type, when the header is longer than 104 |
/// | 48 | 8 | refcount table offset | | | | |
struct QCOW2Header: Sendable {
    static let magic: UInt32 = 0x5146_49FB
    static let version2Length = 72
    static let version3Length = 104

    /// Where single fields are rewritten.
    enum Offset {
        /// Virtual size, 8 bytes.
        static let size: UInt64 = 24
        /// Entries and offset of the L1 table, 12 bytes in one sector.
        static let l1Table: UInt64 = 36
        static let refcountTable: UInt64 = 48
        /// Number and table of snapshots, 12 bytes in one sector.
        static let snapshots: UInt64 = 60
        static let incompatible: UInt64 = 72
        static let autoclear: UInt64 = 88
    }

    var version: UInt32 = 3
    var backingOffset: UInt64 = 0
    var backingLength: UInt32 = 0
    var clusterBits: UInt32 = 16
    var size: UInt64 = 0
    var encryption: UInt32 = 0
    var l1Entries: UInt32 = 0
    var l1Offset: UInt64 = 0
    var refcountTableOffset: UInt64 = 0
    var refcountTableClusters: UInt32 = 1
    var snapshotCount: UInt32 = 0
    var snapshotsOffset: UInt64 = 0
    var incompatible = QCOW2Features()
    var compatible: UInt64 = 0
    var autoclear: UInt64 = 0
    var refcountOrder: UInt32 = 4
    var length: UInt32 = 112
    var compressionType: UInt8 = 0
    /// What follows the compression type up to `length`: fields of later versions, kept as they are.
    var laterFields: [UInt8] = []
    var extensions = QCOW2HeaderExtensions()
    /// As stored; never followed here.
    var backingName: String? { didSet { nameBytes = nil } }
    /// The stored bytes of the name, which need not be UTF-8.
    private(set) var nameBytes: [UInt8]?

    var clusterSize: UInt64 { 1 << UInt64(clusterBits) }

    /// Autoclear bits of features that stay right while the image is written: a raw external data file.
    var maintainedAutoclear: UInt64 { incompatible.contains(.externalData) ? Self.rawExternalData : 0 }

    init() {}

    /// Parses and checks the first cluster (or, of a file shorter than that, all of it).
    /// - Parameters:
    ///   - fileSize: bytes of the file, against which every table is checked.
    ///   - checksTables: false for a check of the image, which tells itself of tables that are not where they can be.
    /// - Throws: `.invalidImage`; `.unsupported` for version 1; `.limitExceeded` for tables above the limits.
    init(_ bytes: [UInt8], fileSize: UInt64, checksTables: Bool = true) throws(BlockError) {
        let data = BigEndianBytes(bytes)
        guard bytes.count >= Self.version2Length, data.u32(0) == Self.magic else {
            throw BlockError(.invalidImage, "not a qcow2 image: the file does not begin with its signature")
        }
        version = data.u32(4)
        guard version != 1 else {
            throw BlockError(.unsupported, "qcow version 1 is another, older format; convert the image to qcow2 first")
        }
        guard version == 2 || version == 3 else {
            throw BlockError(.invalidImage, "qcow2 version \(version) is not known")
        }
        backingOffset = data.u64(8)
        backingLength = data.u32(16)
        clusterBits = data.u32(20)
        size = data.u64(24)
        encryption = data.u32(32)
        l1Entries = data.u32(36)
        l1Offset = data.u64(40)
        refcountTableOffset = data.u64(48)
        refcountTableClusters = data.u32(56)
        snapshotCount = data.u32(60)
        snapshotsOffset = data.u64(64)
        guard (9...21).contains(clusterBits) else {
            throw BlockError(.invalidImage, "clusters of 2^\(clusterBits) bytes; 2^9 to 2^21 are legal", offset: 20)
        }
        if version == 2 {
            length = UInt32(Self.version2Length)
        } else {
            try parseVersion3(data, available: bytes.count)
        }
        if length > 105 { laterFields = Array(bytes[105..<Int(length)]) }
        try checkTables(fileSize: fileSize, all: checksTables)
        try parseNames(bytes)
    }

    private mutating func parseVersion3(_ data: BigEndianBytes, available: Int) throws(BlockError) {
        guard available >= Self.version3Length else {
            throw BlockError(.invalidImage, "the file ends inside the qcow2 header")
        }
        incompatible = QCOW2Features(bits: data.u64(72))
        compatible = data.u64(80)
        autoclear = data.u64(88)
        refcountOrder = data.u32(96)
        length = data.u32(100)
        guard refcountOrder <= 6 else {
            throw BlockError(.invalidImage, "refcounts of 2^\(refcountOrder) bits; 2^6 is the most", offset: 96)
        }
        guard length >= UInt32(Self.version3Length), UInt64(length) <= clusterSize, Int(length) <= available else {
            throw BlockError(
                .invalidImage, "a header of \(length) bytes; 104 bytes to one cluster, inside the file, are legal",
                offset: 100)
        }
        guard !incompatible.contains(.extendedL2) || clusterBits >= QCOW2Limits.extendedClusterBits else {
            throw BlockError(
                .invalidImage, "extended L2 entries need clusters of 16 KiB or more, not 2^\(clusterBits) bytes",
                offset: 20)
        }
        compressionType = length > 104 ? data.u8(104) : 0
        guard compressionType <= 1, incompatible.contains(.compressionType) == (compressionType != 0) else {
            throw BlockError(
                .invalidImage, "compression type \(compressionType) contradicts the feature bits", offset: 104)
        }
    }

    private func checkTables(fileSize: UInt64, all: Bool) throws(BlockError) {
        guard fileSize.roundedUp(to: clusterSize) != nil, size <= UInt64(Int64.max) else {
            throw BlockError(.limitExceeded, "a virtual size of \(size) bytes is more than a qcow2 image can have")
        }
        if !all { return }
        guard refcountTableClusters >= 1 else {
            throw BlockError(.invalidImage, "the refcount table has no clusters", offset: 56)
        }
        try check(
            "refcount table", refcountTableOffset, UInt64(refcountTableClusters) * clusterSize,
            limit: QCOW2Limits.refcountTableBytes, fileSize)
        try checkL1(fileSize: fileSize)
        try checkSnapshotTable(fileSize: fileSize)
    }

    /// Whether the L1 table is where it can be.
    func checkL1(fileSize: UInt64) throws(BlockError) {
        if l1Entries > 0 {
            try check("L1 table", l1Offset, UInt64(l1Entries) * 8, limit: QCOW2Limits.l1Bytes, fileSize)
        }
    }

    /// Whether there are as many snapshots as there can be, and their table begins where it can.
    func checkSnapshotTable(fileSize: UInt64) throws(BlockError) {
        guard snapshotCount <= QCOW2Limits.snapshots else {
            throw BlockError(.limitExceeded, "\(snapshotCount) snapshots; \(QCOW2Limits.snapshots) is the most")
        }
        try checkSnapshotPlace(fileSize: fileSize)
    }

    /// Whether the snapshot table begins where it can.
    func checkSnapshotPlace(fileSize: UInt64) throws(BlockError) {
        if snapshotCount > 0 {
            try check("snapshot table", snapshotsOffset, 1, limit: QCOW2Limits.snapshotTableBytes, fileSize)
        }
    }

    private func check(
        _ name: String, _ offset: UInt64, _ bytes: UInt64, limit: UInt64, _ fileSize: UInt64
    ) throws(BlockError) {
        guard bytes <= limit else {
            throw BlockError(.limitExceeded, "the \(name) is \(bytes) bytes long; \(limit) is the most")
        }
        let (end, overflow) = offset.addingReportingOverflow(bytes)
        guard offset >= clusterSize, offset % clusterSize == 0, !overflow,
            end <= fileSize.roundedUp(to: clusterSize) ?? 0, end <= QCOW2Limits.hostEnd
        else {
            throw BlockError(.invalidImage, "the \(name) is not aligned or not inside the file", offset: offset)
        }
    }

    private mutating func parseNames(_ bytes: [UInt8]) throws(BlockError) {
        var limit = bytes.count
        if backingOffset != 0 {
            guard backingLength <= QCOW2Limits.backingNameBytes, backingOffset >= UInt64(length),
                backingOffset <= clusterSize, UInt64(backingLength) <= clusterSize - backingOffset,
                backingOffset + UInt64(backingLength) <= UInt64(bytes.count)
            else {
                throw BlockError(
                    .invalidImage, "the backing file name is longer than 1023 bytes or not inside the first cluster",
                    offset: backingOffset)
            }
            limit = Int(backingOffset)
            if backingLength > 0 {
                let name = bytes[limit..<limit + Int(backingLength)]
                backingName = String(decoding: name, as: UTF8.self)
                nameBytes = Array(name)
            }
        }
        extensions = try QCOW2HeaderExtensions(bytes, from: Int(length), to: limit)
    }
}
