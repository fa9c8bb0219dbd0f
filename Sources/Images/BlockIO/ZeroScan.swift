import CLinux

/// True when every byte of `bytes` is zero. Vectorised; about memory speed.
@inline(__always)
public func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    // SAFETY: the buffer's own base and count.
    return unsafe gantry_is_zero(base, bytes.count)
}
