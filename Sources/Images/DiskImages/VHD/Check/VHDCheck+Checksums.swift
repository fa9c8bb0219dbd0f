import BlockIO
import CoreTypes

/// Footers and headers whose checksums are wrong: with `all` they are taken as they stand when every field is legal.
extension VHDCheck {
    mutating func repairChecksums() throws(BlockError) {
        guard repair == .all else { return }
        let length = try file.size()
        if length < 1024 { return }
        let tail = length - UInt64(VHDFooter.size)
        if (try? VHDLayout(file: file, opensDisabled: opensDisabled)) != nil { return }
        // A valid copy beats one that would have to be believed.
        let copies = [try file.array(at: 0, count: VHDFooter.size), try file.array(at: tail, count: VHDFooter.size)]
        if !copies.contains(where: { valid($0) != nil }) {
            guard let place = copies.firstIndex(where: { VHDFooter.isMarked($0) }),
                let footer = Self.recomputed(copies[place]), place == 1 || footer.kind != .fixed
            else { return }
            try file.store(footer.bytes, at: place == 0 ? 0 : tail)
            try file.sync()
            find(.corruption, "the checksum of the footer was wrong", offset: place == 0 ? 0 : tail, by: .all, .order)
        }
        try repairHeader(length)
    }

    private mutating func repairHeader(_ length: UInt64) throws(BlockError) {
        let footers = [try file.array(at: 0, count: 512), try file.array(at: length - 512, count: 512)]
        guard let footer = footers.compactMap({ valid($0) }).first, footer.kind != .fixed,
            footer.headerOffset >= 512, footer.headerOffset % 512 == 0, footer.headerOffset < length - 512
        else { return }
        var bytes = try file.array(at: footer.headerOffset, count: VHDHeader.size)
        let sum = VHDFooter.checksum(bytes, field: 36)
        guard bytes.starts(with: Array("cxsparse".utf8)), BigEndianBytes(bytes).u32(36) != sum else { return }
        let before = bytes
        bytes.replaceBigEndian(at: 36, with: sum)
        try file.store(bytes, at: footer.headerOffset)
        do throws(BlockError) {
            _ = try VHDHeader(file: file, offset: footer.headerOffset, length: length)
        } catch {
            try file.store(before, at: footer.headerOffset)
            throw error
        }
        try file.sync()
        find(.corruption, "the checksum of the header was wrong", offset: footer.headerOffset, by: .all, .order)
    }

    private func valid(_ bytes: [UInt8]) -> VHDFooter? {
        try? VHDFooter(checking: bytes, allowsPoison: opensDisabled)
    }

    private static func recomputed(_ bytes: [UInt8]) -> VHDFooter? {
        var bytes = bytes
        bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
        return VHDFooter(bytes)
    }
}
