/// A sum over everything that the file holds, kept with every commit and compared on opening: it notices what SQLite's
/// own checks cannot see, a bit that fell inside a value or pages of different times that fit together.
///
/// The digests of the parts are added up, so that a change costs only what changes. Not meant against forgery.
struct ContentDigest: Hashable, Sendable {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    init() {}

    /// Digests a part: each kind of part begins with another `seed`.
    init(seed: UInt64) { add(seed) }

    mutating func add(_ word: UInt64) {
        let mixed = (value ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        value = mixed.high ^ mixed.low &+ 0x2545_F491_4F6C_DD1D
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(UInt64(bytes.count))
        var offset = 0
        while offset + 8 <= bytes.count {
            // SAFETY: the eight bytes are within the buffer.
            let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            add(UInt64(littleEndian: word))
            offset += 8
        }
        guard offset < bytes.count else { return }
        var last: UInt64 = 0
        while offset < bytes.count {
            last = last << 8 | UInt64(unsafe bytes[offset])
            offset += 1
        }
        add(last)
    }

    mutating func add(_ bytes: [UInt8]) {
        // SAFETY: the pointer is used inside the call only.
        unsafe bytes.withUnsafeBytes { unsafe add($0) }
    }

    mutating func add(_ text: String) {
        var text = text
        // SAFETY: the pointer is used inside the call only.
        text.withUTF8 { unsafe add(UnsafeRawBufferPointer($0)) }
    }
}
