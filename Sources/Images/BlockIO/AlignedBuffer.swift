import Glibc

/// Owned memory, aligned for O_DIRECT, zeroed at first. Not shared between threads by itself.
@safe
public final class AlignedBuffer: @unchecked Sendable {
    // @unchecked: plain memory; its users order their accesses, as with any raw buffer.
    public let bytes: UnsafeMutableRawBufferPointer

    /// `count` bytes at an address that is a multiple of `alignment` (a power of two).
    public init(count: Int, alignment: Int = 4096) {
        // SAFETY: freshly allocated, owned by this object until deinit.
        unsafe bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: alignment)
        if let start = unsafe bytes.baseAddress { unsafe memset(start, 0, bytes.count) }
    }

    deinit { unsafe bytes.deallocate() }
}
