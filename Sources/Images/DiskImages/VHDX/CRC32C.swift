/// CRC-32C (Castagnoli), eight bytes at a time by tables. VHDX protects headers, region tables and log entries with it.
struct CRC32C: Sendable {
    private var state: UInt32 = 0xFFFF_FFFF

    /// The checksum of all bytes so far.
    var value: UInt32 { ~state }

    /// Eight tables of 256 words: table n is the effect of a byte that n more bytes follow.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var word = UInt32(byte)
            for _ in 0..<8 { word = word & 1 == 0 ? word >> 1 : word >> 1 ^ 0x82F6_3B78 }
            tables[byte] = word
        }
        for index in 256..<8 * 256 {
            let earlier = tables[index - 256]
            tables[index] = earlier >> 8 ^ tables[Int(earlier & 0xFF)]
        }
        return tables
    }()

    mutating func append(_ data: UnsafeRawBufferPointer) {
        // SAFETY: reads stay below the buffer's count; every table index is below 8 * 256.
        unsafe Self.tables.withUnsafeBufferPointer { tables in
            var crc = state
            var position = 0
            while data.count - position >= 8 {
                let word =
                    unsafe UInt64(littleEndian: data.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                    ^ UInt64(crc)
                // Written out: a loop costs unoptimised builds ten times as much.
                crc =
                    unsafe tables[1792 + Int(truncatingIfNeeded: word & 0xFF)]
                    ^ tables[1536 + Int(truncatingIfNeeded: word >> 8 & 0xFF)]
                    ^ tables[1280 + Int(truncatingIfNeeded: word >> 16 & 0xFF)]
                    ^ tables[1024 + Int(truncatingIfNeeded: word >> 24 & 0xFF)]
                crc ^=
                    unsafe tables[768 + Int(truncatingIfNeeded: word >> 32 & 0xFF)]
                    ^ tables[512 + Int(truncatingIfNeeded: word >> 40 & 0xFF)]
                    ^ tables[256 + Int(truncatingIfNeeded: word >> 48 & 0xFF)]
                    ^ tables[Int(truncatingIfNeeded: word >> 56)]
                position += 8
            }
            while position < data.count {
                crc = unsafe crc >> 8 ^ tables[Int((crc ^ UInt32(data[position])) & 0xFF)]
                position += 1
            }
            state = crc
        }
    }

    /// The checksum of a structure whose own checksum, at `field`, counts as zero.
    static func of(_ bytes: [UInt8], zeroing field: Int) -> UInt32 {
        var bytes = bytes
        for index in field..<min(field + 4, bytes.count) { bytes[index] = 0 }
        var crc = CRC32C()
        // SAFETY: the array's own bytes, for the length of the call.
        unsafe bytes.withUnsafeBytes { unsafe crc.append($0) }
        return crc.value
    }
}
