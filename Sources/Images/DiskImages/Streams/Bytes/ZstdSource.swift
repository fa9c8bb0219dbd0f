import BlockIO
import CZstd

/// Decompresses zstd: one frame or several, skippable ones among them. Check sums are checked where there are any.
@safe
final class ZstdSource: ByteSource {
    private var input: CompressedInput
    // SAFETY: owned from init to deinit; every buffer handed over lives for the call.
    private let state: OpaquePointer
    private var available = 0
    private var position = 0
    /// Between frames: the stream may end here.
    private var isBetween = false

    init(_ source: any ByteSource, window: UInt64) throws(BlockError) {
        input = CompressedInput(source)
        guard let state = unsafe ZSTD_createDStream() else { throw StreamCompression.zstd.outOfMemory }
        unsafe self.state = state
        let bits = Int32(clamping: 63 - max(window, 1024).leadingZeroBitCount)
        guard unsafe ZSTD_isError(ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, min(bits, 31))) == 0 else {
            throw BlockError(.unsupported, "zstd does not take a window of \(window) bytes as its limit")
        }
    }

    deinit { unsafe ZSTD_freeDStream(state) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        var output = unsafe ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while unsafe output.pos == 0 {
            if position == available {
                (position, available) = (0, try input.refill())
                if available == 0 && isBetween { return 0 }
            }
            var piece = unsafe ZSTD_inBuffer(src: input.buffer.bytes.baseAddress, size: available, pos: position)
            let result = unsafe ZSTD_decompressStream(state, &output, &piece)
            try check(result)
            unsafe position = piece.pos
            isBetween = result == 0
            // Without input, what was waiting inside came out, or the frame is not complete.
            if unsafe available == 0 && output.pos == 0 {
                throw StreamCompression.zstd.damaged("ends before its content is complete")
            }
        }
        return unsafe output.pos
    }

    private func check(_ result: Int) throws(BlockError) {
        guard ZSTD_isError(result) != 0 else { return }
        switch ZSTD_getErrorCode(result) {
        case ZSTD_error_frameParameter_windowTooLarge:
            throw BlockError(
                .limitExceeded,
                "a zstd frame asks for a window that is larger than allowed; compress it without --long and --ultra")
        case ZSTD_error_memory_allocation: throw StreamCompression.zstd.outOfMemory
        default:
            let name = unsafe String(cString: ZSTD_getErrorName(result))
            throw StreamCompression.zstd.damaged("is damaged, not zstd, or followed by something else (\(name))")
        }
    }
}
