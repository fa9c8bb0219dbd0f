#if canImport(Glibc)
    import Glibc
#endif

// Tests are not optimised, and compare megabytes. There the comparison of the standard library asks a witness table for
// each byte: a third of the time of all tests of images. These are as quick as memcmp, and are preferred wherever the types fit.

/// Whether both hold the same bytes.
public func == (left: [UInt8], right: [UInt8]) -> Bool {
    // SAFETY: reads `count` bytes of each, which both have.
    unsafe left.withUnsafeBytes { a in
        unsafe right.withUnsafeBytes { b in unsafe sameBytes(a, b) }
    }
}

/// Whether they differ in a byte or in their number.
public func != (left: [UInt8], right: [UInt8]) -> Bool { !(left == right) }

/// Whether both hold the same bytes, wherever in their arrays they are.
public func == (left: ArraySlice<UInt8>, right: ArraySlice<UInt8>) -> Bool {
    // SAFETY: as above.
    unsafe left.withUnsafeBytes { a in
        unsafe right.withUnsafeBytes { b in unsafe sameBytes(a, b) }
    }
}

/// Whether they differ in a byte or in their number.
public func != (left: ArraySlice<UInt8>, right: ArraySlice<UInt8>) -> Bool { !(left == right) }

/// Whether both hold the same arrays in the same order.
public func == (left: [[UInt8]], right: [[UInt8]]) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
}

/// Whether both are nothing, or the same bytes.
public func areSame(_ left: [UInt8]?, _ right: [UInt8]?) -> Bool {
    switch (left, right) {
    case (nil, nil): true
    case (let left?, let right?): left == right
    default: false
    }
}

private func sameBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else { return a.count == b.count }
    return unsafe memcmp(first, second, a.count) == 0
}
