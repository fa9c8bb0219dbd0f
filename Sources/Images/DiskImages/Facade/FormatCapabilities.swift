public import BlockIO
public import CoreTypes

/// What a format can hold and do: the one table that storage managers, commands and creation itself consult.
public struct FormatCapabilities: Sendable {
    public let format: ImageFormat
    /// Virtual sizes in bytes that an image of this format can have, at the default options.
    public let minimumSize: UInt64
    public let maximumSize: UInt64
    /// Every virtual size is a multiple of this many bytes.
    public let sizeUnit: UInt64
    /// Storage managers round the size of a new disk up to a multiple of this many bytes (at least one).
    public let roundingUnit: UInt64
    /// Bytes of one allocation unit: requests that are multiples of it are served best.
    public let alignment: UInt64
    /// An image can be the child of another, which is what snapshots and clones are made of.
    public let canSnapshot: Bool
    /// Formats that the parent of a new image can have; none where there are no parents. A reader is all that a parent needs,
    /// but a VHD has no place to say what its parent is, but for a VHD's identity: one without is raw to everybody.
    public let parentFormats: [ParentFormat]
    /// Words for the `subformat` option of creation; the first is the default.
    public let subformats: [String]

    /// 2040 GiB: block positions are 32-bit sector numbers, and tables and bitmaps must fit below them too.
    public static let largestVHD: UInt64 = 0xFF00_0000 * 512
    /// The most bytes a file can have, in whole sectors.
    public static let largestRaw = UInt64(Int64.max).roundedDown(to: 512)

    public static func of(_ format: ImageFormat) -> FormatCapabilities {
        switch format {
        case .raw:
            FormatCapabilities(
                format: format, minimumSize: 0, maximumSize: largestRaw, sizeUnit: 512, roundingUnit: 512,
                alignment: 4096, canSnapshot: false, parentFormats: [], subformats: [])
        case .vhd:
            FormatCapabilities(
                format: format, minimumSize: 0, maximumSize: largestVHD, sizeUnit: 512, roundingUnit: 2 << 20,
                alignment: 2 << 20, canSnapshot: true, parentFormats: [.image(.raw), .image(.vhd)],
                subformats: CreateOptions.VHDSubformat.allCases.map(\.rawValue))
        case .qcow2:
            FormatCapabilities(
                format: format, minimumSize: 0, maximumSize: largestQCOW2(clusterSize: 65536), sizeUnit: 512,
                roundingUnit: 65536, alignment: 65536, canSnapshot: true,
                parentFormats: ImageFormat.allCases.map { .image($0) } + ImportFormat.allCases.map { .imported($0) },
                subformats: [])
        }
    }

    /// The most a qcow2 image of this cluster size can hold: 4 Mi first-level entries (32 MiB of them), each for one
    /// cluster of 8-byte entries, or 16-byte ones with extended L2.
    public static func largestQCOW2(clusterSize: UInt64, hasExtendedL2: Bool = false) -> UInt64 {
        let entries = clusterSize / (hasExtendedL2 ? 16 : 8)
        let (bytes, overflow) = (entries * clusterSize).multipliedReportingOverflow(by: 1 << 22)
        return overflow ? largestRaw : min(bytes, largestRaw)
    }

    /// The size a storage manager gives a new disk of at least `size` bytes. `.limitExceeded`, naming the limit, when
    /// no image of the format can have it.
    public static func roundedSize(_ size: UInt64, for format: ImageFormat) throws(BlockError) -> UInt64 {
        let table = of(format)
        guard let rounded = max(size, 1).roundedUp(to: table.roundingUnit), rounded <= table.maximumSize else {
            throw tooLarge(size, format, limit: table.maximumSize)
        }
        return rounded
    }

    /// `.unsupported` when no image of the format can be on a parent of that one.
    static func check(_ parent: ParentFormat, of format: ImageFormat) throws(BlockError) {
        let allowed = of(format).parentFormats
        if allowed.contains(parent) { return }
        guard !allowed.isEmpty else {
            throw BlockError(.unsupported, "a \(format.rawValue) image cannot have a parent")
        }
        let names = allowed.map(\.name).joined(separator: " or ")
        throw BlockError(
            .unsupported,
            "the parent of a \(format.rawValue) image is \(names): nothing in it could say that it is \(parent.name)")
    }

    static func tooLarge(_ size: UInt64, _ format: ImageFormat, limit: UInt64) -> BlockError {
        BlockError(
            .limitExceeded,
            "\(size) bytes are too many for the format \(format.rawValue), which ends at \(limit) bytes"
                + " (\(ByteCount(limit)))" + (format == .vhd ? "; use qcow2 for larger disks" : ""))
    }
}
