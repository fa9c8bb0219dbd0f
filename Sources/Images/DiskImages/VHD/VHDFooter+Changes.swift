import CoreTypes

/// Footers made of others: every byte that is not meant stays.
extension VHDFooter {
    /// The UUID's 16 bytes; nil when they are all zero.
    var uuid: [UInt8]? {
        let uuid = Array(bytes[68..<84])
        return uuid.allSatisfy { $0 == 0 } ? nil : uuid
    }

    /// Seconds since 2000.
    var timestamp: UInt32 { BigEndianBytes(bytes).u32(24) }

    /// Xen's mark of an image that is not to be shown as a disk.
    var isHidden: Bool { bytes[85] != 0 }

    func with(isHidden: Bool) -> VHDFooter { changed { $0[85] = isHidden ? 1 : 0 } }

    /// Marked as blktap marks an image that must not be opened.
    var disabled: VHDFooter { changed { $0.replaceSubrange(..<8, with: Self.poison) } }

    func with(headerOffset: UInt64) -> VHDFooter { changed { Self.put(headerOffset, in: &$0, at: 16) } }

    func with(kind: Kind) -> VHDFooter { changed { $0.replaceBigEndian(at: 60, with: kind.rawValue) } }

    /// With another size, and the geometry that makes every reader see it; with no growth under way.
    func with(size: UInt64) -> VHDFooter {
        let geometry = followsGeometry ? VHDGeometry.maximum : VHDGeometry(size: size)
        let original = BigEndianBytes(bytes).u64(40)
        return changed { bytes in
            clearGrowth(&bytes)
            Self.put(min(original, size), in: &bytes, at: 40)
            Self.put(size, in: &bytes, at: 48)
            bytes.replaceBigEndian(
                at: 56,
                with: UInt32(geometry.cylinders) << 16 | UInt32(geometry.heads) << 8
                    | UInt32(geometry.sectorsPerTrack))
        }
    }

    static func put(_ value: UInt64, in bytes: inout [UInt8], at offset: Int) {
        bytes.replaceBigEndian(at: offset, with: UInt32(truncatingIfNeeded: value >> 32))
        bytes.replaceBigEndian(at: offset + 4, with: UInt32(truncatingIfNeeded: value))
    }

    /// Of valid bytes, valid bytes: `change` keeps cookie, version and kind legal.
    func changed(_ change: (inout [UInt8]) -> Void) -> VHDFooter {
        var bytes = bytes
        change(&bytes)
        bytes.replaceBigEndian(at: 64, with: Self.checksum(bytes))
        return (try? VHDFooter(checking: bytes, allowsPoison: true)) ?? self
    }
}
