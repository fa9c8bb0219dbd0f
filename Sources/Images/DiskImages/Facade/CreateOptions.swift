public import BlockIO
public import CoreTypes

/// Choices for a new image that go beyond format and size. Each format uses its own; `parsing` refuses the others'.
public struct CreateOptions: Hashable, Sendable {
    public enum VHDSubformat: String, CaseIterable, Sendable {
        /// Grows with what is written.
        case dynamic
        /// The data and a footer.
        case fixed
    }

    /// How much space a new image takes at once.
    public enum Preallocation: String, CaseIterable, Sendable {
        case off
        /// All tables, no data space.
        case metadata
        /// Space is reserved and not written.
        case falloc
        /// Space is written with zeroes.
        case full
    }

    public enum Compression: String, CaseIterable, Sendable {
        case zlib
        case zstd
    }

    /// The parent of a new image (qcow2 backing file, VHD differencing).
    public struct Parent: Hashable, Sendable {
        /// As stored in the image: relative to its folder, or absolute.
        public var name: String
        public var format: ParentFormat

        public init(name: String, format: ParentFormat) {
            self.name = name
            self.format = format
        }

        public init(name: String, format: ImageFormat) { self.init(name: name, format: ParentFormat.image(format)) }

        /// The parent as a child at `path` sees it: a relative name starts at the child's folder.
        public func reference(from path: String) -> ParentReference {
            guard !name.hasPrefix("/"), let slash = path.lastIndex(of: "/") else {
                return ParentReference(path: name, format: format)
            }
            return ParentReference(path: path[...slash] + name, format: format)
        }
    }

    public var preallocation = Preallocation.off
    public var parent: Parent?

    public var vhdSubformat = VHDSubformat.dynamic
    /// VHD: bytes up to which the image can grow without moving its block table; nil: the virtual size.
    public var largestSize: UInt64?

    /// qcow2 cluster size in bytes, a power of two from 512 to 2 MiB.
    public var clusterSize: UInt64 = 65536
    /// qcow2 version: 2 (`compat=0.10`) or 3 (`compat=1.1`).
    public var qcow2Version: UInt32 = 3
    /// Width of a refcount, 1 to 64, a power of two; 16 in version 2.
    public var refcountBits = 16
    public var lazyRefcounts = false
    /// 32 subclusters for each cluster (of 16 KiB or more).
    public var extendedL2 = false
    public var compression = Compression.zlib
    /// The external file that holds the data, as stored in the image.
    public var dataFile: String?
    /// The external file alone is a valid raw image.
    public var dataFileIsRaw = false

    public init(vhdSubformat: VHDSubformat = .dynamic, clusterSize: UInt64 = 65536) {
        self.vhdSubformat = vhdSubformat
        self.clusterSize = clusterSize
    }

    /// The external data file of an image at `path`: a relative name starts at the image's folder.
    public func dataFile(beside path: String) -> String? {
        guard let dataFile, !dataFile.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return dataFile }
        return path[...slash] + dataFile
    }

    /// log₂ of the cluster size; `.unsupported` when it is no power of two or out of range.
    public func clusterBits() throws(BlockError) -> Int {
        guard clusterSize.nonzeroBitCount == 1, (512...(2 << 20)).contains(clusterSize) else {
            throw BlockError(
                .unsupported, "cluster size \(clusterSize) is not a power of two from 512 bytes to 2 MiB")
        }
        return clusterSize.trailingZeroBitCount
    }

    /// log₂ of the refcount width.
    func refcountOrder() throws(BlockError) -> Int {
        guard refcountBits.nonzeroBitCount == 1, (1...64).contains(refcountBits) else {
            throw BlockError(.unsupported, "refcount_bits is 1, 2, 4, 8, 16, 32 or 64, not \(refcountBits)")
        }
        return refcountBits.trailingZeroBitCount
    }
}
