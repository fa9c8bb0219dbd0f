import CoreTypes

/// The record of an enlargement that is under way, in bytes of a fixed image's footer that the format leaves unused.
///
/// | offset | width | field |
/// |---|---|---|
/// | 480 | 8 | `growfrom` |
/// | 488 | 8 | size of the disk before, bytes |
/// | 496 | 8 | length of the file before, bytes |
///
/// Programs that do not know it see the new size, and the old footer among the data.
extension VHDFooter {
    private static let growthCookie = Array("growfrom".utf8)
    private static let growthOffset = 480

    /// The same, with the record.
    func growing(from size: UInt64, fileOf length: UInt64) -> VHDFooter {
        changed { bytes in
            bytes.replaceSubrange(Self.growthOffset..<Self.growthOffset + 8, with: Self.growthCookie)
            Self.put(size, in: &bytes, at: Self.growthOffset + 8)
            Self.put(length, in: &bytes, at: Self.growthOffset + 16)
        }
    }

    /// The size from which the image was growing when this footer was written; nil when it was not.
    var growsFrom: UInt64? {
        guard kind == .fixed, hasGrowthRecord else { return nil }
        let size = BigEndianBytes(bytes).u64(Self.growthOffset + 8)
        return size % 512 == 0 && size < currentSize ? size : nil
    }

    /// Where the file ended before it grew. Meaningful only with `growsFrom`.
    var growsFromLength: UInt64 { BigEndianBytes(bytes).u64(Self.growthOffset + 16) }

    private var hasGrowthRecord: Bool {
        bytes[Self.growthOffset..<Self.growthOffset + 8].elementsEqual(Self.growthCookie)
    }

    /// Takes the record out of the bytes of a footer.
    func clearGrowth(_ bytes: inout [UInt8]) {
        guard hasGrowthRecord else { return }
        bytes.replaceSubrange(
            Self.growthOffset..<Self.growthOffset + 24, with: repeatElement(0, count: 24))
    }
}
