import CZstd

/// Decompresses what a stranger sends: one Zstandard frame (RFC 8878) and nothing else, neither skippable frames, nor a second
/// one, nor formats of before there was a standard. Memory is bounded by `largestWindow`, and the caller's output by the
/// caller: content comes out as there is room for it. One thread at a time.
@safe
public final class ZstdStreamDecoder {
    /// The most that a frame may ask to be kept of what came out, bytes.
    public static let largestWindow = 1 << windowBits
    private static let windowBits = 23
    /// Which every frame begins with.
    private static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    // SAFETY (whole file): owned from init to deinit; every buffer handed over lives for the call.
    private let state: OpaquePointer
    /// How much of `magic` has come.
    private var begun = 0
    /// The frame has come to its end.
    public private(set) var isComplete = false

    /// Throws `.outOfMemory`.
    public init() throws(ZstdStreamError) {
        guard let state = unsafe ZSTD_createDCtx() else { throw .noMemory }
        unsafe self.state = state
        guard unsafe ZSTD_isError(ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, Int32(Self.windowBits))) == 0
        else {
            throw .noMemory
        }
    }

    deinit { unsafe ZSTD_freeDCtx(state) }

    /// Decompresses the beginning of `input` into the beginning of `output`, which is not empty: as much as there is, or as fits.
    /// Call again with what is left of the input, and with none as long as the output comes full. Throws `.damaged`,
    /// `.windowTooLarge`, `.followed` and `.outOfMemory`; the stream is at an end then.
    public func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ZstdStreamError) -> (consumed: Int, produced: Int) {
        if isComplete {
            if unsafe input.isEmpty { return (0, 0) }
            throw ZstdStreamError(.followed, "something comes behind the end of a zstd stream")
        }
        guard unsafe zip(input, Self.magic[begun...]).allSatisfy({ $0 == $1 }) else {
            throw ZstdStreamError(.damaged, "what comes is no zstd stream")
        }
        var from = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = unsafe ZSTD_decompressStream(state, &to, &from)
        if ZSTD_isError(result) != 0 { throw Self.error(result) }
        let (consumed, produced) = unsafe (from.pos, to.pos)
        begun = min(Self.magic.count, begun + consumed)
        isComplete = result == 0
        // Whoever calls again and again would do so for ever.
        if unsafe consumed == 0 && produced == 0 && !input.isEmpty && !isComplete { throw Self.damaged("no progress") }
        return (consumed, produced)
    }

    /// To be called when nothing comes any more. Throws `.truncated` unless all of it was there.
    public func finish() throws(ZstdStreamError) {
        guard isComplete else {
            throw ZstdStreamError(.truncated, "a zstd stream ends before its content is complete")
        }
    }

    private static func error(_ result: Int) -> ZstdStreamError {
        switch ZSTD_getErrorCode(result) {
        case ZSTD_error_frameParameter_windowTooLarge:
            ZstdStreamError(
                .windowTooLarge, "a zstd stream asks for a window of more than \(largestWindow) bytes")
        case ZSTD_error_memory_allocation: .noMemory
        default: damaged(unsafe String(cString: ZSTD_getErrorName(result)))
        }
    }

    private static func damaged(_ reason: String) -> ZstdStreamError {
        ZstdStreamError(.damaged, "a zstd stream is damaged (\(reason))")
    }
}
