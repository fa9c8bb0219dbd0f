/// Reading and writing single refcounts of 1 to 64 bits in a refcount block.
///
/// Widths below a byte are packed with entry 0 in the least significant bits; wider ones are big-endian.
struct RefcountWords: Sendable {
    /// log2 of the width in bits, 0…6.
    let order: Int

    /// The largest value that fits.
    var maximum: UInt64 { order == 6 ? .max : (1 << (1 << UInt64(order))) - 1 }

    // SAFETY: callers pass a slot below the number of entries that the block's bytes hold; the slices of the buffer
    // are bounds-checked in debug builds.
    func get(_ block: UnsafeRawBufferPointer, _ slot: Int) -> UInt64 {
        switch order {
        case 0, 1, 2:
            let perByteBits = 3 - order
            let byte = unsafe block[slot >> perByteBits]
            let shift = (slot & ((1 << perByteBits) - 1)) << order
            return UInt64(byte >> UInt8(shift)) & maximum
        case 3: return unsafe UInt64(block[slot])
        case 4: return unsafe UInt64(UInt16(bigEndian: block.loadUnaligned(fromByteOffset: slot * 2, as: UInt16.self)))
        case 5: return unsafe UInt64(UInt32(bigEndian: block.loadUnaligned(fromByteOffset: slot * 4, as: UInt32.self)))
        default: return unsafe UInt64(bigEndian: block.loadUnaligned(fromByteOffset: slot * 8, as: UInt64.self))
        }
    }

    /// `value` must not be above `maximum`.
    func set(_ block: UnsafeMutableRawBufferPointer, _ slot: Int, _ value: UInt64) {
        precondition(value <= maximum, "a refcount that does not fit its width")
        switch order {
        case 0, 1, 2:
            let perByteBits = 3 - order
            let index = slot >> perByteBits
            let shift = UInt8((slot & ((1 << perByteBits) - 1)) << order)
            let mask = UInt8(truncatingIfNeeded: maximum) << shift
            unsafe block[index] = (block[index] & ~mask) | (UInt8(truncatingIfNeeded: value) << shift)
        case 3: unsafe block[slot] = UInt8(value)
        case 4: unsafe block.storeBytes(of: UInt16(value).bigEndian, toByteOffset: slot * 2, as: UInt16.self)
        case 5: unsafe block.storeBytes(of: UInt32(value).bigEndian, toByteOffset: slot * 4, as: UInt32.self)
        default: unsafe block.storeBytes(of: value.bigEndian, toByteOffset: slot * 8, as: UInt64.self)
        }
    }

    /// The bytes of a block that hold a slot.
    func bytes(of slot: Int) -> Range<Int> {
        if order < 3 {
            let index = slot >> (3 - order)
            return index..<index + 1
        }
        let width = 1 << (order - 3)
        return slot * width..<slot * width + width
    }
}
