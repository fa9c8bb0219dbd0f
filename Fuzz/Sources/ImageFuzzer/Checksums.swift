@testable import DiskImages

/// Puts the checksums of an input right, without which nearly all of them would end at the first test.
enum Checksums {
    /// Both footers and the header of a VHD. Inputs of odd length stay as they are.
    static func repairedVHD(_ input: [UInt8]) -> [UInt8] {
        guard input.count >= 512, input.count % 2 == 0 else { return input }
        var bytes = input
        for start in [0, input.count - 512] where bytes[start] == UInt8(ascii: "c") {
            store(&bytes, start, count: 512, field: 64)
        }
        let header = bytes[16..<24].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if header <= UInt64(input.count), input.count - Int(header) >= 1024 {
            store(&bytes, Int(header), count: 1024, field: 36)
        }
        return bytes
    }

    private static func store(_ bytes: inout [UInt8], _ start: Int, count: Int, field: Int) {
        var sum: UInt32 = 0
        for index in 0..<count where !(field..<field + 4).contains(index) { sum &+= UInt32(bytes[start + index]) }
        for index in 0..<4 { bytes[start + field + index] = UInt8(truncatingIfNeeded: ~sum >> UInt32(24 - index * 8)) }
    }

    /// Where the pieces of an input for VHDX come to lie: whole files are megabytes long and nearly empty. A last piece
    /// that is shorter than the others sets nothing.
    private static let places = [0, 64, 128, 192, 256, 1024, 1028, 1088, 1092, 2048, 2112, 3072, 3076, 4096]

    /// A VHDX of an input of 4 KiB pieces, with right checksums of headers and region tables.
    static func spreadVHDX(_ input: [UInt8]) -> PagedBytes {
        var file = PagedBytes()
        var length = 8 << 20
        for (index, place) in places.enumerated() where input.count >= (index + 1) * 4096 {
            var piece = Array(input[index * 4096..<(index + 1) * 4096])
            // The checksum of a region table covers 64 KiB, of a header 4 KiB.
            if index == 1 || index == 2 { seal(&piece, total: 4096) }
            if index == 3 || index == 4 { seal(&piece, total: 65536) }
            piece.withUnsafeBytes { file.write($0, at: place * 1024) }
        }
        if let last = input.last, last % 16 == 1 { length = Int(last) << 14 }
        file.resize(to: length)
        return file
    }

    private static func seal(_ piece: inout [UInt8], total: Int) {
        var whole = piece + [UInt8](repeating: 0, count: total - piece.count)
        whole.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in whole {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
        crc = ~crc
        for index in 0..<4 { piece[4 + index] = UInt8(truncatingIfNeeded: crc >> UInt32(index * 8)) }
    }
}
