/// Copies texts that need no escapes, which nearly all are.
enum PlainText {
    /// Appends the text's bytes, unless one of them is special: then it appends nothing and answers false. `inWord` says
    /// the same of eight bytes: not 0 when one of them is special.
    @inline(__always)
    static func append(
        _ text: String, to bytes: inout [UInt8], unless isSpecial: (UInt8) -> Bool, inWord: (ByteWord) -> UInt64
    ) -> Bool {
        // SAFETY: the buffer is used inside the closure only, within its bounds.
        let isPlain = unsafe text.utf8.withContiguousStorageIfAvailable { room in
            guard unsafe hasNone(UnsafeRawBufferPointer(room), unless: isSpecial, inWord: inWord) else { return false }
            unsafe bytes.append(contentsOf: room)
            return true
        }
        if let isPlain { return isPlain }
        guard !text.utf8.contains(where: isSpecial) else { return false }
        bytes.append(contentsOf: text.utf8)
        return true
    }

    @inline(__always)
    private static func hasNone(
        _ room: UnsafeRawBufferPointer, unless isSpecial: (UInt8) -> Bool, inWord: (ByteWord) -> UInt64
    ) -> Bool {
        guard room.count >= 8 else {
            for index in 0..<room.count where isSpecial(unsafe room[index]) { return false }
            return true
        }
        var found: UInt64 = 0
        var offset = 0
        while offset < room.count - 8 {
            // SAFETY: the eight bytes are within the buffer.
            found |= inWord(ByteWord(unsafe room.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        // The last eight, some of them for the second time. SAFETY: there are eight bytes at least.
        found |= inWord(ByteWord(unsafe room.loadUnaligned(fromByteOffset: room.count - 8, as: UInt64.self)))
        return found == 0
    }
}

/// Eight bytes that are looked at together. Answers are 0 for "none of them"; what else they are has no meaning.
struct ByteWord {
    private let bits: UInt64
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    init(_ bits: UInt64) { self.bits = bits }

    /// Whether a byte is less than `limit`, which is at most 0x80: then the subtraction borrows from its top bit, which
    /// was not set.
    @inline(__always)
    func less(than limit: UInt8) -> UInt64 { (bits &- Self.ones &* UInt64(limit)) & ~bits & Self.tops }

    @inline(__always)
    func equal(to byte: UInt8) -> UInt64 { ByteWord(bits ^ (Self.ones &* UInt64(byte))).less(than: 1) }

    /// With some bits of each byte cleared.
    @inline(__always)
    func clearing(_ mask: UInt8) -> ByteWord { ByteWord(bits & ~(Self.ones &* UInt64(mask))) }
}

extension [UInt8] {
    @inline(__always)
    mutating func append(_ text: StaticString) {
        // SAFETY: the text is a part of the program; it has a pointer because it is longer than one scalar.
        unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
