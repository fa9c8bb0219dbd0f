import CZstd

/// Compresses a stream as it comes, as one Zstandard frame (RFC 8878): what was given is out when `encode` returns, so that
/// nobody waits for bytes that stay here. Memory does not depend on what comes: about 2 MiB. One thread at a time.
@safe
public final class ZstdStreamEncoder {
    /// The quickest that finds repetitions well: the sender's processor is what a quick link waits for.
    private static let level: Int32 = 1
    /// log2 of how far back repetitions are found, which is what a decoder keeps: 1 MiB.
    private static let windowBits: Int32 = 20

    // SAFETY (whole file): owned from init to deinit; every buffer handed over lives for the call.
    private let state: OpaquePointer
    private var output: [UInt8]

    /// Throws `.outOfMemory`.
    public init() throws(ZstdStreamError) {
        guard let state = unsafe ZSTD_createCCtx() else { throw .noMemory }
        unsafe self.state = state
        output = [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
        for (parameter, value) in [
            (ZSTD_c_compressionLevel, Self.level), (ZSTD_c_windowLog, Self.windowBits),
        ] where unsafe ZSTD_isError(ZSTD_CCtx_setParameter(state, parameter, value)) != 0 {
            throw .noMemory
        }
    }

    deinit { unsafe ZSTD_freeCCtx(state) }

    /// Compresses all of `input`. `take` gets what comes out, piece by piece, and all of it before this returns. Throws
    /// `.outOfMemory`; the stream is at an end then.
    public func encode(
        _ input: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(ZstdStreamError) {
        try unsafe run(input, ZSTD_e_flush, take)
    }

    /// Ends the frame, by which whoever reads it knows that nothing is missing.
    public func finish(_ take: (UnsafeRawBufferPointer) -> Void) throws(ZstdStreamError) {
        try unsafe run(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end, take)
    }

    private func run(
        _ input: UnsafeRawBufferPointer, _ order: ZSTD_EndDirective, _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(ZstdStreamError) {
        var from = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var left = 0
        repeat {
            unsafe output.withUnsafeMutableBytes { bytes in
                var to = unsafe ZSTD_outBuffer(dst: bytes.baseAddress, size: bytes.count, pos: 0)
                left = unsafe ZSTD_compressStream2(state, &to, &from, order)
                if unsafe ZSTD_isError(left) == 0 && to.pos > 0 {
                    unsafe take(UnsafeRawBufferPointer(rebasing: bytes[..<to.pos]))
                }
            }
            // Nothing else can be wrong with what is compressed.
            if ZSTD_isError(left) != 0 { throw .noMemory }
        } while unsafe left > 0 || from.pos < from.size
    }
}
