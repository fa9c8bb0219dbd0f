public import BlockIO

/// What the header of a qcow2 image says. Reading it opens nothing else and reads no tables.
public struct QCOW2Info: Sendable, Equatable {
    public enum Compression: String, Sendable {
        case zlib
        case zstd
    }

    /// 2 or 3.
    public var version: Int
    /// Bytes of the disk.
    public var virtualSize: UInt64
    /// Bytes.
    public var clusterSize: UInt64
    /// Width of a refcount.
    public var refcountBits: Int
    /// As stored, from untrusted input.
    public var backingFile: String?
    /// As stored, from untrusted input.
    public var backingFormat: String?
    /// The image keeps its data in another file. `dataFile` is its name as stored, if the image gives one.
    public var hasExternalData: Bool
    public var dataFile: String?
    public var isDirty: Bool
    public var isCorrupt: Bool
    public var isEncrypted: Bool
    public var hasExtendedL2: Bool
    public var hasLazyRefcounts: Bool
    public var snapshots: Int
    /// Xen's mark of an image that is not to be shown as a disk of its own.
    public var isHidden: Bool
    public var compression: Compression
    /// Incompatible features that are not known here, by the image's own names; nil when there are none.
    public var unknownFeatures: String?
}

extension QCOW2Image {
    /// Reads the header.
    public static func info(file: ImageFile) throws(BlockError) -> QCOW2Info {
        do throws(BlockError) {
            return try info(storage: file)
        } catch { throw error.at(path: file.path) }
    }

    static func info(storage: any ImageStorage) throws(BlockError) -> QCOW2Info {
        let header = try readHeader(storage, fileSize: storage.size())
        let unknown = header.incompatible.subtracting(.known)
        return QCOW2Info(
            version: Int(header.version), virtualSize: header.size & ~511, clusterSize: header.clusterSize,
            refcountBits: 1 << Int(header.refcountOrder), backingFile: header.backingName,
            backingFormat: header.extensions.backingFormat,
            hasExternalData: header.incompatible.contains(.externalData),
            dataFile: header.extensions.dataFile, isDirty: header.incompatible.contains(.dirty),
            isCorrupt: header.incompatible.contains(.corrupt), isEncrypted: header.encryption != 0,
            hasExtendedL2: header.incompatible.contains(.extendedL2), hasLazyRefcounts: header.compatible & 1 != 0,
            snapshots: Int(header.snapshotCount),
            isHidden: header.extensions.others.contains {
                $0.kind == QCOW2HeaderExtensions.Kind.xenHidden && $0.content.contains { $0 != 0 }
            },
            compression: header.compressionType == 1 ? .zstd : .zlib,
            unknownFeatures: unknown.isEmpty ? nil : header.extensions.names(ofIncompatible: unknown.rawValue))
    }

    /// The bitmaps that the image keeps, from their directory alone; nil when that is damaged or longer than 1 MiB.
    public static func bitmapList(file: ImageFile) throws(BlockError) -> [BitmapInfo]? {
        do throws(BlockError) {
            let header = try readHeader(file, fileSize: file.size())
            guard let place = header.extensions.bitmapDirectory else { return [] }
            guard place.length <= 1 << 20 else { return nil }
            let isValid = header.autoclear & bitmapsAutoclear != 0
            guard let directory = try? QCOW2BitmapDirectory(header, QCOW2Geometry(header), file) else { return nil }
            return directory.entries.map { $0.info(isConsistent: isValid && $0.isUnderstood && !$0.isInUse) }
        } catch { throw error.at(path: file.path) }
    }
}
