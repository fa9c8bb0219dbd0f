import Foundation
import RPCCodec

/// Which blocks of a volume have changed, as a plugin tells: a bit for each, the first in the highest bit of the first byte.
/// Source: SMAPIv3's `blocklist`, and VDI.list_changed_blocks of XenAPI for blocks of 64 KiB.
struct ChangedBlocks: Hashable {
    static let standardBlock: UInt64 = 65536
    /// Of a bitmap for the API, bytes: disks of 32 TiB.
    private static let longest: UInt64 = 64 << 20

    /// Bytes of a block, at least 1.
    let granularity: UInt64
    let bitmap: [UInt8]

    init(granularity: UInt64, bitmap: [UInt8]) {
        self.granularity = granularity
        self.bitmap = bitmap
    }

    init(_ value: WireValue) throws(MisshapenRecord) {
        guard case .int(let granularity)? = value["granularity"], granularity > 0,
            case .string(let text)? = value["bitmap"],
            let bitmap = Data(base64Encoded: text, options: .ignoreUnknownCharacters)
        else { throw MisshapenRecord(description: "a granularity above 0 and a bitmap in base64 are due") }
        self.init(granularity: UInt64(granularity), bitmap: [UInt8](bitmap))
    }

    var isStandard: Bool { granularity == Self.standardBlock }
    /// Base64.
    var text: String { Data(bitmap).base64EncodedString() }

    /// The same in blocks of 64 KiB: one has changed when anything in it has. What is behind `size`, the volume's bytes, is
    /// left out.
    func standard(size: UInt64) throws(MisshapenRecord) -> ChangedBlocks {
        let blocks = size / Self.standardBlock + (size % Self.standardBlock == 0 ? 0 : 1)
        let length = blocks / 8 + (blocks % 8 == 0 ? 0 : 1)
        guard length <= Self.longest else {
            throw MisshapenRecord(description: "no bitmap of 64 KiB blocks is made for a volume of \(size) bytes")
        }
        var result = [UInt8](repeating: 0, count: Int(length))
        // The first block that may not be set yet: whatever the granularity, each is set once.
        var next: UInt64 = 0
        for (index, byte) in bitmap.enumerated() where byte != 0 {
            for bit in 0..<8 where byte & (0x80 >> UInt8(bit)) != 0 {
                let (start, overflow) = (UInt64(index) * 8 + UInt64(bit)).multipliedReportingOverflow(by: granularity)
                if overflow || start >= size { break }
                let (end, isBeyond) = start.addingReportingOverflow(granularity - 1)
                let last = (isBeyond ? size - 1 : min(end, size - 1)) / Self.standardBlock
                next = max(next, start / Self.standardBlock)
                while next <= last {
                    result[Int(next / 8)] |= 0x80 >> UInt8(next % 8)
                    next += 1
                }
            }
        }
        return ChangedBlocks(granularity: Self.standardBlock, bitmap: result)
    }
}
