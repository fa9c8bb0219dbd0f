import CZstd

/// Pieces as one or more Zstandard frames. One thread at a time.
@safe
final class ZstdFrames {
    static let level: Int32 = 2
    /// log2 of the largest window that a frame may ask us to keep: 8 MiB, four times the largest cluster.
    private static let largestWindow: Int32 = 23

    // SAFETY (whole file): both are made once, used by one thread at a time and freed in deinit; buffers are the
    // caller's, passed with their counts.
    private var decompressor: OpaquePointer?
    private var compressor: OpaquePointer?

    deinit {
        if let decompressor = unsafe decompressor { unsafe ZSTD_freeDCtx(decompressor) }
        if let compressor = unsafe compressor { unsafe ZSTD_freeCCtx(compressor) }
    }

    /// Decompresses frames until exactly `output.count` bytes are there, which must be at the end of one. What follows
    /// in `input` does not matter; frames to be skipped are skipped.
    func decompress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        if unsafe decompressor == nil {
            unsafe decompressor = unsafe ZSTD_createDCtx()
            if let decompressor = unsafe decompressor {
                _ = unsafe ZSTD_DCtx_setParameter(decompressor, ZSTD_d_windowLogMax, Self.largestWindow)
            }
        }
        guard let decompressor = unsafe decompressor else { return false }
        _ = unsafe ZSTD_DCtx_reset(decompressor, ZSTD_reset_session_only)
        var from = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        var rest = 1
        while unsafe to.pos < to.size {
            let before = unsafe (from.pos, to.pos)
            rest = unsafe ZSTD_decompressStream(decompressor, &to, &from)
            if unsafe ZSTD_isError(rest) != 0 || before == (from.pos, to.pos) { return false }
        }
        // All bytes are there: of the frame only its checksum may be left to read.
        while rest != 0 {
            let before = unsafe from.pos
            rest = unsafe ZSTD_decompressStream(decompressor, &to, &from)
            if unsafe ZSTD_isError(rest) != 0 || (rest != 0 && before == from.pos) { return false }
        }
        return true
    }

    /// Compresses into `output`; returns the bytes used, 0 when they do not suffice.
    func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        if unsafe compressor == nil {
            unsafe compressor = unsafe ZSTD_createCCtx()
            if let compressor = unsafe compressor {
                _ = unsafe ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, Self.level)
            }
        }
        guard let compressor = unsafe compressor else { return 0 }
        let count = unsafe ZSTD_compress2(compressor, output.baseAddress, output.count, input.baseAddress, input.count)
        return ZSTD_isError(count) != 0 ? 0 : count
    }
}
