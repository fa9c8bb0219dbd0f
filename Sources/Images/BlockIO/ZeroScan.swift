import CLinux

/// True when every byte of `bytes` is zero. Vectorised; about memory speed.
@inline(__always)
public func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    // SAFETY: the buffer's own base and count.
    return unsafe gantry_is_zero(base, bytes.count)
}

/// Splits bytes that belong to `offset` into runs that are zero and runs that are not, at multiples of `granule` (a power
/// of two), and calls `body` with each, whether it is zero, and where it begins in `bytes`.
///
/// - Parameter areMapped: `bytes` come from a `MappedWindow`; false is returned when they vanish. `body` must not look
///   at them then.
public func forEachRun(
    of bytes: UnsafeRawBufferPointer, at offset: UInt64, granule: UInt64, areMapped: Bool = false,
    _ body: (UnsafeRawBufferPointer, Bool, Int) throws(BlockError) -> Void
) throws(BlockError) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    var start = 0
    while start < bytes.count {
        let first = Int(granule - ((offset + UInt64(start)) & (granule - 1)))
        var zero = false
        // SAFETY: `start` is below the count, and a run ends at or before it.
        let count =
            unsafe areMapped
            ? gantry_mapped_run_length(base + start, bytes.count - start, first, Int(granule), &zero)
            : gantry_run_length(base + start, bytes.count - start, first, Int(granule), &zero)
        if count == 0 { return false }
        try unsafe body(UnsafeRawBufferPointer(start: base + start, count: count), zero, start)
        start += count
    }
    return true
}
