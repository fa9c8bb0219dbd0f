import Glibc

/// Large arrays of bytes at the speed of memory: tests are built without optimisation, where the library's own loops over
/// bytes take a hundred times as long.
enum Bytes {
    static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && areEqual(a, in: 0..<a.count, and: b, at: 0)
    }

    /// The first place in `range` of `bytes` that differs from the part of `model` at `offset`, counted from the range's
    /// beginning.
    static func firstDifference(
        _ bytes: [UInt8], in range: Range<Int>, from model: [UInt8], at offset: Int
    ) -> Int? {
        if areEqual(bytes, in: range, and: model, at: offset) { return nil }
        return (0..<range.count).first { bytes[range.lowerBound + $0] != model[offset + $0] }
    }

    /// Puts `data` in place of as many bytes at `offset`.
    static func replace(_ bytes: inout [UInt8], at offset: Int, with data: [UInt8]) {
        precondition(offset >= 0 && offset + data.count <= bytes.count)
        // SAFETY: copies the whole of one array into the other's storage, whose bounds were compared.
        unsafe bytes.withUnsafeMutableBytes { target in
            unsafe data.withUnsafeBytes { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                _ = unsafe memcpy(to + offset, from, source.count)
            }
        }
    }

    private static func areEqual(_ a: [UInt8], in range: Range<Int>, and b: [UInt8], at offset: Int) -> Bool {
        if range.isEmpty { return true }
        precondition(range.upperBound <= a.count && offset >= 0 && offset + range.count <= b.count)
        // SAFETY: both arrays hold as many bytes there, and live until the call ends.
        return unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return true }
                return unsafe memcmp(a + range.lowerBound, b + offset, range.count) == 0
            }
        }
    }
}
